"""Inputs far from centre and scale: steps that suit one weight are wrong for the next."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import finite_median, has_learned
from netwise.history import History
from netwise.signals import INPUT_MEAN, INPUT_STD

SPREAD = 10.0
OFFSET = 3.0  # |mean| over (spread + 1/3): images in [0, 1] and standardised tables lie below 1.5


def inputs_not_normalised(history: History) -> Answer:
    """Find inputs of large spread, or far from 0 beside their spread, in a run that has not
    learned."""
    means, spreads = history.of(INPUT_MEAN), history.of(INPUT_STD)
    if means is None or spreads is None:
        return Unchecked("no inputs of real numbers were recorded")
    mean, spread = finite_median(abs(m) for m in means.values), finite_median(spreads.values)
    if mean is None or spread is None or has_learned(history):
        return None
    offset = mean / (spread + 1 / 3)
    if spread <= SPREAD and offset <= OFFSET:
        return None
    wide = spread > SPREAD
    return Finding(
        rule="inputs_not_normalised",
        sentence=f"The inputs have mean {mean:,.3g} and spread {spread:,.3g}; a fresh network is made for 0 and 1.",
        steps=(0, means.steps[-1]),
        evidence=(
            Evidence("spread of the inputs", spread, SPREAD)
            if wide
            else Evidence("|mean| / (spread + 1/3)", offset, OFFSET),
        ),
        strength=max(spread / SPREAD, offset / OFFSET),
    )


INPUTS_NOT_NORMALISED = Rule(
    name="inputs_not_normalised",
    title="Inputs not normalised",
    find=inputs_not_normalised,
    explanation=(
        "The gradient of a weight is proportional to its input. Large inputs make large first activations, saturated or dead units and steps "
        "that overshoot at rates that are usual."
    ),
    healthy="Inputs of spread near 1 around 0, or images from 0 to 1.",
    source="LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.3; note 001, claims P01 and L56",
    explains=(
        "dead_relu",
        "saturation",
        "exploding_gradient",
        "vanishing_gradient",
        "rate_too_high",
        "rate_too_low",
        "not_learning",
        "underfitting",
        "overfitting",
    ),
    remedies=("standardise_inputs",),
)
