"""Wiring: weights that the optimizer does not have, and gradients that nobody clears."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import FEWEST, by_layer, finite_median, has_learned
from netwise.history import History
from netwise.signals import GRADIENT_RATIO, STALE, UPDATE_RATIO

LIVE_GRADIENT = (
    1e-4  # gradient over weights: a thousand times what rounding could hide at usual rates
)


def weights_stand_still(history: History) -> Answer:
    """Find layers that got a gradient on every watched step and did not move on any."""
    moves, pulls = by_layer(history, UPDATE_RATIO), by_layer(history, GRADIENT_RATIO)
    if not moves:
        return Unchecked("no steps of the optimizer were recorded")
    if max(len(s) for s in moves.values()) < FEWEST:
        return Unchecked(f"fewer than {FEWEST} steps were watched")
    rate = history.facts.rate
    if rate == 0:
        return None
    # A step far below the weights' last digit is rounded away: that is a small gradient, not a
    # missing optimizer.
    still = [
        name
        for name, s in moves.items()
        if not any(s.values) and (finite_median(pulls[name].values) or 0.0) > LIVE_GRADIENT
    ]
    if not still:
        return None
    which = (
        "No layer's weights have"
        if len(still) == len(moves)
        else f"The weights of {', '.join(still)} have not"
    )
    rest = " moved in any step, though gradients arrive."
    return Finding(
        rule="weights_stand_still",
        sentence=which + rest,
        layers=tuple(still),
        steps=(moves[still[0]].steps[0], moves[still[0]].steps[-1]),
        evidence=(Evidence("layers that never moved", float(len(still)), 0.0),),
        strength=float(len(still)),
    )


def stale_gradients(history: History) -> Answer:
    """Find gradients that are never cleared: after the first pass each holds all that came before.
    Exact."""
    series = history.of(STALE)
    if series is None:
        return Unchecked("no gradients were recorded; call w.step(loss, y) after loss.backward()")
    later = [value for step, value in zip(series.steps, series.values, strict=True) if step > 0]
    if len(later) < FEWEST:
        return Unchecked(f"fewer than {FEWEST} steps were watched after the first")
    # Gradients that are accumulated on purpose are cleared now and then.
    if has_learned(history) or min(later) < 1:
        return None
    return Finding(
        rule="stale_gradients",
        sentence="No gradient was cleared before the next was added to it: each step goes along the sum of all batches so far.",
        steps=(1, series.steps[-1]),
        evidence=(Evidence("share of steps whose gradient holds earlier ones", 1.0, 0.99),),
    )


STALE_GRADIENTS = Rule(
    name="stale_gradients",
    title="Gradients never cleared",
    find=stale_gradients,
    explanation="`backward` adds to what stands in `.grad`. Without `zero_grad` before it, old gradients never leave, and the steps grow without end.",
    healthy="After `zero_grad` the gradient of a pass is exactly what that pass gave.",
    source="Zhang et al. 2018, An empirical study on TensorFlow program bugs; findings catalogue, stale_gradients",
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
    title="Weights outside of the optimizer",
    find=weights_stand_still,
    explanation=(
        "Gradients are computed for these weights and no step is taken with them: the optimizer was built before the layer was replaced, on "
        "another copy of the model, or without it."
    ),
    healthy="Every trainable layer's weights change in each step, by about a thousandth of their size.",
    source="Zhang et al. 2018, An empirical study on TensorFlow program bugs; findings catalogue, not_connected",
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
