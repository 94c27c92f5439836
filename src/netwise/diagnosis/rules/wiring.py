"""Faults of a training loop: weights that the optimizer does not have, gradients that are never
set to zero."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    NO_GRADIENTS,
    NO_UPDATES,
    finite_median,
    has_learned,
    series_by_layer,
    too_few_steps,
)
from netwise.history import History
from netwise.signals import GRADIENT_RATIO, STALE, UPDATE_RATIO

# |g| / |w|: a thousand times the gradient whose update could be lost to rounding at usual rates.
LIVE_GRADIENT = 1e-4
ALL_STALE = 0.99  # share of steps; for the text alone: the rule requires all of them


def weights_stand_still(history: History) -> Answer:
    """Find layers that got a gradient on every watched step and changed in none."""
    updates, gradients = (
        series_by_layer(history, signal) for signal in (UPDATE_RATIO, GRADIENT_RATIO)
    )
    if not updates:
        return Unchecked(NO_UPDATES)
    count = max(len(series) for series in updates.values())
    if count < FEWEST:
        return Unchecked(too_few_steps(count, "weight updates"))
    if history.facts.rate == 0:
        return None
    # An update far below the last digit of a weight is lost to rounding: there the gradient is
    # small, and the optimizer is right.
    still = [
        name
        for name, series in updates.items()
        if not any(series.values) and (finite_median(gradients[name].values) or 0.0) > LIVE_GRADIENT
    ]
    if not still:
        return None
    which = (
        "No layer's weights have"
        if len(still) == len(updates)
        else f"The weights of {', '.join(still)} have not"
    )
    steps = updates[still[0]].steps
    return Finding(
        rule="weights_stand_still",
        sentence=f"{which} changed in any step, though they get gradients.",
        layers=tuple(still),
        steps=(steps[0], steps[-1]),
        evidence=(Evidence("layers that never changed", float(len(still)), 0.0),),
        strength=float(len(still)),
    )


def stale_gradients(history: History) -> Answer:
    """Find gradients that are never set to zero: each contains all earlier ones.

    `gradient.stale` is exact: it compares the gradient in `.grad` with that of the last backward
    pass.
    """
    series = history.of(STALE)
    if series is None:
        return Unchecked(NO_GRADIENTS)
    later = [value for step, value in zip(series.steps, series.values, strict=True) if step > 0]
    if len(later) < FEWEST:
        return Unchecked(too_few_steps(len(later), "steps after the first"))
    # A loop that accumulates gradients on purpose sets them to zero every few steps.
    if has_learned(history) or min(later) < 1:
        return None
    return Finding(
        rule="stale_gradients",
        sentence=(
            "Gradients are never set to zero: each step follows the sum of the gradients of all "
            "batches so far."
        ),
        steps=(1, series.steps[-1]),
        evidence=(
            Evidence(
                "steps whose gradient still contains earlier ones", 1.0, ALL_STALE, percent=True
            ),
        ),
    )


STALE_GRADIENTS = Rule(
    name="stale_gradients",
    title="Gradients never set to zero",
    find=stale_gradients,
    explanation=(
        "`backward` adds to what is in `.grad`. Without `zero_grad` before it, old gradients stay "
        "in the sum, and the steps become longer and longer."
    ),
    healthy="After `zero_grad`, `.grad` holds the gradient of the last backward pass alone.",
    source="Zhang et al. 2018, An empirical study on TensorFlow program bugs",
    explains=(
        "dead_relu",
        "saturation",
        "exploding_gradient",
        "vanishing_gradient",
        "rate_too_high",
        "not_learning",
        "underfitting",
        "overfitting",
    ),
    remedies=("clear_gradients",),
)
WEIGHTS_STAND_STILL = Rule(
    name="weights_stand_still",
    title="Weights missing from the optimizer",
    find=weights_stand_still,
    explanation=(
        "Gradients are computed for these weights, but the optimizer does not update them: it was "
        "built before the layer was replaced, for another copy of the model, or without the layer."
    ),
    healthy="Every step changes the weights of each trainable layer, by about 0.1 % of their norm.",
    source="Zhang et al. 2018, An empirical study on TensorFlow program bugs",
    explains=(
        "stale_gradients",
        "vanishing_gradient",
        "not_learning",
        "underfitting",
        "rate_too_low",
        "rate_too_high",
        "exploding_gradient",
    ),
    remedies=("rebuild_optimizer",),
)
