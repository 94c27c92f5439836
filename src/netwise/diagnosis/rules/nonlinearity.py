"""No nonlinearity: layers with nothing between them are one linear map, however many they are."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import has_learned
from netwise.history import History


def no_nonlinearity(history: History) -> Answer:
    """Find two or more layers that were seen to pass their outputs on unchanged, in a run that has
    not learned."""
    if not history.layers:
        return Unchecked("no layers were heard")
    if len(history.layers) < 2 or has_learned(history):
        return None
    if any(not layer.activation for layer in history.hidden):
        return Unchecked("the activations between the layers could not be told")
    bare = tuple(layer.name for layer in history.hidden if layer.activation == "Identity")
    if len(bare) < len(history.hidden):
        return None  # one activation is enough to make it no linear map
    return Finding(
        rule="no_nonlinearity",
        sentence=f"Nothing stands between the {len(history.layers)} layers: together they are one linear map.",
        layers=bare,
        steps=(0, history.ended.step),
        evidence=(Evidence("layers without an activation", float(len(bare)), 0.0),),
        strength=float(len(bare)),
    )


NO_NONLINEARITY = Rule(
    name="no_nonlinearity",
    title="No nonlinearity",
    find=no_nonlinearity,
    explanation="A linear map of a linear map is a linear map: without an activation between them, more layers can tell apart nothing that one could not.",
    healthy="At least one layer whose outputs go through an activation before the next takes them in.",
    source="note 000, on why activations are introduced; findings catalogue, no_nonlinearity",
    explains=("exploding_gradient", "vanishing_gradient", "not_learning", "underfitting"),
    remedies=("use_relu",),
)
