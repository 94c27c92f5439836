"""Symmetric initialization: units of a layer with equal weights stay equal in training."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import NO_LAYERS, has_learned
from netwise.history import History


def start_symmetric(history: History) -> Answer:
    """Find hidden layers all of whose units had the same weights at the start, in a run that has
    not learned.

    The last layer may start at zero, and so may a linear model: their outputs have different
    targets.
    """
    if not history.layers:
        return Unchecked(NO_LAYERS)
    if has_learned(history):
        return None
    equal = tuple(layer.name for layer in history.hidden if layer.equal_units and layer.trainable)
    if not equal:
        return None
    return Finding(
        rule="start_symmetric",
        sentence=(
            f"All units of {', '.join(equal)} start with the same weights, so they get the same "
            "gradient and stay equal."
        ),
        layers=equal,
        steps=(0, history.ended.step),
        evidence=(Evidence("hidden layers whose units are equal", float(len(equal)), 0.0),),
        strength=float(len(equal)),
    )


START_SYMMETRIC = Rule(
    name="start_symmetric",
    title="Symmetric initialization",
    find=start_symmetric,
    explanation=(
        "Units with equal weights compute the same and get the same gradient, so the layer stays "
        "as good as a single unit. Only random initial weights break the symmetry."
    ),
    healthy="The rows of every weight matrix differ from the first step on.",
    source="Goodfellow, Bengio, Courville 2016, section 8.4",
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
