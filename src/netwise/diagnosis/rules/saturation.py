"""Saturation (饱和): outputs of bounded units near their limits, where the slope is almost 0."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    NO_ACTIVATIONS,
    NO_LAYERS,
    finite_median,
    generalises,
    has_learned,
    if_outcome_known,
    series_by_layer,
    span,
)
from netwise.history import History
from netwise.signals import ACTIVATION_SATURATED
from netwise.tasks import BOUNDED

LIMIT = 0.5  # share of a layer's outputs within 2.5 % of a limit


@if_outcome_known
def saturation(history: History) -> Answer:
    """Find hidden layers of bounded units with most outputs at their limits.

    Either from the start, in a run that does not generalise; or at the end of a run that has not
    learned.
    """
    if not history.layers:
        return Unchecked(NO_LAYERS)
    # Flat units of frozen layers hinder no gradient.
    bounded = [layer.name for layer in history.on_the_way if layer.activation in BOUNDED]
    if not bounded:
        if any(not layer.activation for layer in history.hidden):
            return Unchecked(NO_ACTIVATIONS)
        return None
    series = {
        name: each
        for name, each in series_by_layer(history, ACTIVATION_SATURATED).items()
        if name in bounded
    }
    if not series:
        return Unchecked("no activations were recorded: call w.step(loss, y) after loss.backward()")
    start, end = {}, {}
    for name, each in series.items():
        start[name] = finite_median(each.values[:FEWEST]) or 0.0
        end[name] = finite_median(each.values[-max(FEWEST, len(each) // 5) :]) or 0.0
    saturated = [
        name
        for name in series
        if (start[name] > LIMIT and not generalises(history))
        or (end[name] > LIMIT and not has_learned(history))
    ]
    if not saturated:
        return None
    share = {name: max(start[name], end[name]) for name in saturated}
    worst = max(saturated, key=lambda name: share[name])
    # What the first steps have saturated did not start so: long steps are its cause.
    values, steps = series[worst].values, series[worst].steps
    at_start = start[worst] > LIMIT and values[0] > LIMIT
    since = next((i for i, value in enumerate(values) if value > LIMIT), len(steps) // 2)
    return Finding(
        rule="saturation",
        sentence=(
            f"{100 * share[worst]:.0f} % of the outputs of {worst} are at their limits"
            f"{', from the start' if at_start else ''}."
        ),
        layers=tuple(saturated),
        steps=span(steps[0] if at_start else max(1, steps[since]), steps[-1]),
        evidence=(Evidence(f"saturated outputs of {worst}", share[worst], LIMIT, percent=True),),
        strength=share[worst] / LIMIT,
    )


SATURATION = Rule(
    name="saturation",
    title="Saturated units",
    find=saturation,
    explanation=(
        "Near its limits a sigmoid or tanh is flat: whatever the error, almost no gradient gets "
        "through. Initial weights that are too large, inputs of the wrong scale or too long steps "
        "cause it."
    ),
    healthy="At the start, less than 20 % of a tanh or sigmoid layer's outputs near their limits.",
    source="Glorot, Bengio 2010, section 3",
    explains=(
        "vanishing_gradient",
        "exploding_gradient",
        "not_learning",
        "underfitting",
        "rate_too_low",
    ),
    remedies=("use_relu", "use_fitting_init", "use_batch_norm"),
    change=(
        "nn.init.xavier_uniform_(layer.weight)  # and standardised inputs\n"
        "nn.init.zeros_(layer.bias)\n"
        "# or nn.ReLU() instead of nn.Sigmoid() and nn.Tanh() in hidden layers"
    ),
)
