"""Saturation (饱和): bounded units pinned at their limits, where their slope is almost 0."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    by_layer,
    carries_over,
    finite_median,
    has_learned,
)
from netwise.history import History
from netwise.signals import ACTIVATION_SATURATED
from netwise.tasks import BOUNDED

LIMIT = 0.5  # share of a layer's outputs within 2.5 % of a limit


def saturation(history: History) -> Answer:
    """Find hidden bounded layers with most outputs at their limits.

    From the start, where what is learned does not carry over to new data; or at the end of a run
    that has not learned.
    """
    if not history.layers:
        return Unchecked("no layers were heard")
    bounded = [layer.name for layer in history.hidden if layer.activation in BOUNDED]
    if not bounded:
        if any(not layer.activation for layer in history.hidden):
            return Unchecked("the activations between the layers could not be told")
        return None
    series = {
        name: s for name, s in by_layer(history, ACTIVATION_SATURATED).items() if name in bounded
    }
    if not series:
        return Unchecked("no activations were recorded")
    start = {name: finite_median(s.values[:FEWEST]) or 0.0 for name, s in series.items()}
    now = {
        name: finite_median(s.values[-max(FEWEST, len(s) // 5) :]) or 0.0
        for name, s in series.items()
    }
    pinned = [
        name
        for name in series
        if (start[name] > LIMIT and not carries_over(history))
        or (now[name] > LIMIT and not has_learned(history))
    ]
    if not pinned:
        return None
    share = {name: max(start[name], now[name]) for name in pinned}
    worst = max(pinned, key=lambda name: share[name])
    at_start = start[worst] > LIMIT
    steps = series[worst].steps
    return Finding(
        rule="saturation",
        sentence=f"{100 * share[worst]:.0f} % of the outputs of {worst} lie at their limits{', from the start' if at_start else ''}.",
        layers=tuple(pinned),
        steps=(steps[0] if at_start else max(1, steps[len(steps) // 2]), steps[-1]),
        evidence=(Evidence(f"share of saturated outputs of {worst}", share[worst], LIMIT),),
        strength=share[worst] / LIMIT,
    )


SATURATION = Rule(
    name="saturation",
    title="Saturated units",
    find=saturation,
    explanation=(
        "At the ends of its range a sigmoid or tanh is flat: whatever the error, almost no gradient gets through. Weights that start too "
        "large, inputs of the wrong scale or too large steps push units there."
    ),
    healthy="Fewer than one in five of a tanh or sigmoid layer's outputs near their limits at the start.",
    source="Glorot, Bengio 2010, section 3; note 003, claims A01, I02 and L08",
    explains=(
        "vanishing_gradient",
        "exploding_gradient",
        "not_learning",
        "underfitting",
        "rate_too_low",
    ),
    remedies=("use_relu", "use_fitting_init", "use_batch_norm"),
)
