"""A symmetric start: units of a layer that begin equal stay equal, and the layer is one unit."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import has_learned
from netwise.history import History


def start_symmetric(history: History) -> Answer:
    """Find hidden layers all of whose units had the same weights at the start, in a run that has
    not learned.

    A linear model may start at zero: its outputs have different targets. So may the last layer.
    """
    if not history.layers:
        return Unchecked("no layers were heard")
    if has_learned(history):
        return None
    equal = tuple(layer.name for layer in history.hidden if layer.equal_units and layer.trainable)
    if not equal:
        return None
    return Finding(
        rule="start_symmetric",
        sentence=f"All units of {', '.join(equal)} start with the same weights, so they get the same gradient and stay one unit.",
        layers=equal,
        steps=(0, history.ended.step),
        evidence=(Evidence("hidden layers of equal units", float(len(equal)), 0.0),),
        strength=float(len(equal)),
    )


START_SYMMETRIC = Rule(
    name="start_symmetric",
    title="Symmetric start",
    find=start_symmetric,
    explanation="Units that compute the same get the same gradient: nothing in training can tell them apart. Only a random start breaks the symmetry.",
    healthy="The rows of every weight matrix differ from the first step on.",
    source="note 000, claims I01 and L37; Goodfellow, Bengio, Courville 2016, section 8.4",
    explains=(
        "dead_relu",
        "saturation",
        "vanishing_gradient",
        "exploding_gradient",
        "rate_too_high",
        "rate_too_low",
        "not_learning",
        "underfitting",
    ),
    remedies=("use_fitting_init",),
)
