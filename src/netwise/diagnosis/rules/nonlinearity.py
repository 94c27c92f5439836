"""No nonlinearity: any number of layers without activations between them is one linear map."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import NO_ACTIVATIONS, NO_LAYERS, has_learned
from netwise.history import History


def no_nonlinearity(history: History) -> Answer:
    """Find two or more layers without an activation between any of them, in a run that has not
    learned."""
    if not history.layers:
        return Unchecked(NO_LAYERS)
    if len(history.layers) < 2 or has_learned(history):
        return None
    if any(not layer.activation for layer in history.hidden):
        return Unchecked(NO_ACTIVATIONS)
    linear = tuple(layer.name for layer in history.hidden if layer.activation == "Identity")
    if len(linear) < len(history.hidden):
        return None  # with one activation the network is no linear map
    return Finding(
        rule="no_nonlinearity",
        sentence=(
            f"There is no activation between the {len(history.layers)} layers: together they are "
            "one linear map."
        ),
        layers=linear,
        steps=(0, history.ended.step),
        evidence=(Evidence("layers without an activation", float(len(linear)), 0.0),),
        strength=float(len(linear)),
    )


NO_NONLINEARITY = Rule(
    name="no_nonlinearity",
    title="Missing nonlinearity",
    find=no_nonlinearity,
    explanation=(
        "A linear map of a linear map is a linear map: without an activation between them, several "
        "layers compute nothing that one layer could not."
    ),
    healthy="At least one layer whose outputs go through an activation before the next layer.",
    source="Goodfellow, Bengio, Courville 2016, section 6.1",
    explains=("exploding_gradient", "vanishing_gradient", "not_learning", "underfitting"),
    remedies=("use_relu",),
)
