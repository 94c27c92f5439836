"""Weights that grow without end, and optimizers whose steps have become short by themselves."""

from __future__ import annotations

import math
from statistics import median

from netwise.diagnosis.curves import finite_series, last_slope, part_of
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.layer_sizes import USUAL_GAIN, gains, norm_changes, still_rises
from netwise.diagnosis.rules.outcome import (
    CERTAIN,
    FEWEST,
    NO_UPDATES,
    has_learned,
    no_baseline,
    outcome_known,
    series_by_layer,
    too_few_steps,
)
from netwise.history import DIVERGED, History, Series
from netwise.signals import GRADIENT_RATIO, LOSS, RATE, UPDATE_RATIO, WEIGHT_NORM

GROWN = 10.0  # last norm over the first, of a layer that does not start near 0
GROWS = 1.2  # the same within the last half of the run
# |step| / |g| at the start over that at the end, of each layer: at most 43 in sound programs of the
# clinic and of the zoo that learn by steps of one rate, above 230 after a single huge gradient.
GONE = 100.0
SMALLER = 0.1  # gradient at the start over that at the end
SHORT = 1e-3  # |step| / |w| at the end, of the layer that changes most
LIVE = 1e-3  # |g| / |w|: below it the gradient is small, and not the step
STEADY = 3.0  # the largest learning rate over the last


def weights_run_away(history: History) -> Answer:
    """Find a layer whose weights have grown to many times their first norm and still grow, while
    the loss does not fall, in a run that has not learned."""
    norms = series_by_layer(history, WEIGHT_NORM)
    losses = history.of(LOSS)
    slope = None if losses is None else last_slope(losses, 0.5)
    if not norms or slope is None:
        return Unchecked(
            "norms of weights and losses are needed: call w.step(loss, y) after loss.backward()"
        )
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    if has_learned(history) or history.ended.how == DIVERGED or slope.falls >= CERTAIN:
        return None
    start, changes = gains(history), norm_changes(history)
    grown = {
        name: changes[name]
        for name, series in norms.items()
        if changes.get(name, 0.0) > GROWN and start.get(name, 0.0) >= USUAL_GAIN
        if _still_grows(series)
    }
    if not grown:
        return None
    worst = max(grown, key=lambda name: grown[name])
    steps = norms[worst].steps
    return Finding(
        rule="weights_run_away",
        sentence=(
            f"The weights of {worst} have grown to {grown[worst]:,.3g} times their first norm and "
            "still grow, while the loss does not fall."
        ),
        layers=tuple(grown),
        steps=(steps[len(steps) // 2], steps[-1]),
        evidence=(Evidence(f"last |w| over the first, of {worst}", min(grown[worst], 1e6), GROWN),),
        strength=min(grown[worst] / GROWN, 1e6),
    )


def _still_grows(series: Series) -> bool:
    late = finite_series(part_of(series, 0.5))
    if len(late) < FEWEST or late.values[0] <= 0:
        return False
    rising = sum(b > a for a, b in zip(late.values, late.values[1:], strict=False))
    return late.last > GROWS * late.values[0] and rising > 0.7 * (len(late) - 1)


def effective_rate_gone(history: History) -> Answer:
    """Find an optimizer whose steps for the same gradient have become hundreds of times shorter,
    while its learning rate stayed, in a run that has not learned."""
    updates, gradients = (
        series_by_layer(history, signal) for signal in (UPDATE_RATIO, GRADIENT_RATIO)
    )
    rates = history.of(RATE)
    if not updates or not gradients or rates is None or not rates.finite:
        return Unchecked(NO_UPDATES)
    count = max(len(series) for series in updates.values())
    if count < 2 * FEWEST:
        return Unchecked(too_few_steps(count, "weight updates", 2 * FEWEST))
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    if has_learned(history) or history.ended.how == DIVERGED or still_rises(history):
        return None
    if max(rates.finite) > STEADY * rates.finite[-1]:
        return None  # that is the schedule
    falls = {}
    for name, series in updates.items():
        fall = _fall(series, gradients.get(name))
        if fall is None:
            return None  # a layer that still moves, or whose gradient is gone
        falls[name] = fall
    worst = max(falls, key=lambda name: falls[name])
    if min(falls.values()) <= GONE:
        return None
    steps = updates[worst].steps
    optimizer = history.facts.optimizer or "the optimizer"
    return Finding(
        rule="effective_rate_gone",
        sentence=(
            f"For the same gradient, the steps of {optimizer} are {falls[worst]:,.3g} times "
            f"shorter than they were, though the learning rate is the same "
            f"({rates.finite[-1]:.3g}): what it divides by has grown."
        ),
        steps=(steps[len(steps) // 2], steps[-1]),
        evidence=(Evidence(f"first |step| / |g| over the last, of {worst}", falls[worst], GONE),),
        strength=min(falls[worst] / GONE, 1e6),
        grade="cause",
    )


def _fall(updates: Series, gradients: Series | None) -> float | None:
    """|step| / |g| of a layer in its first steps over that at the end; None where its steps are not
    short at the end, or its gradient is small or has grown."""
    if gradients is None:
        return None
    by_step = dict(zip(gradients.steps, gradients.values, strict=True))
    pairs = [
        (step, by_step[at])
        for at, step in zip(updates.steps, updates.values, strict=True)
        if at in by_step and math.isfinite(step) and math.isfinite(by_step[at])
    ]
    pairs = [(step, gradient) for step, gradient in pairs if gradient > 0]
    if len(pairs) < 2 * FEWEST:
        return None
    late = pairs[-max(FEWEST, len(pairs) // 5) :]
    step, gradient = (median(each[i] for each in late) for i in range(2))
    if step > SHORT or gradient < LIVE or step <= 0:
        return None
    early = pairs[:FEWEST]
    if median(each[1] for each in early) < SMALLER * gradient:
        return None  # an adaptive optimizer divides by what the gradient has become
    return median(s / g for s, g in early) / (step / gradient)


WEIGHTS_RUN_AWAY = Rule(
    name="weights_run_away",
    title="Weights that grow without end",
    find=weights_run_away,
    explanation=(
        "Weights that grow make each step smaller compared with them and each output more extreme, "
        "while the loss gains nothing by it: steps that are too large, a loss that only rewards "
        "larger outputs, or inputs that are far from 0. This is a symptom."
    ),
    healthy="Norms that level off, at up to a few times those of the start.",
    source="Goodfellow, Bengio, Courville 2016, section 7.1",
    explains=("not_learning", "plateau"),
    symptom=True,
    remedies=("add_weight_decay", "lower_rate"),
    change=(
        "optimizer = torch.optim.AdamW(model.parameters(), lr=lr / 10, weight_decay=0.01)\n"
        "# or label_smoothing=0.1 in the cross-entropy"
    ),
)
EFFECTIVE_RATE_GONE = Rule(
    name="effective_rate_gone",
    title="Steps that an adaptive optimizer has made too short",
    find=effective_rate_gone,
    explanation=(
        "Adagrad divides by the root of the sum of all squared gradients, which never falls; "
        "`amsgrad` keeps the largest, and Adam forgets one over thousands of steps. After a single "
        "very large gradient, as of a row with a wrong target, all later steps are nearly 0."
    ),
    healthy="Steps for the same gradient that change by a factor of up to 30 over the run.",
    source="Zeiler 2012, ADADELTA, arXiv 1212.5701, section 3.1",
    explains=("rate_too_low", "underfitting", "not_learning", "vanishing_gradient"),
    remedies=("clip_gradient", "use_adam"),
    change=(
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # before optimizer.step()\n"
        "# and look for rows with unusual inputs or targets; no amsgrad, no Adagrad"
    ),
)
