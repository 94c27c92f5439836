"""A schedule that takes the learning rate away long before the end of the run."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import MOST, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.layer_sizes import climbs_stairs, still_rises, updates_of
from netwise.diagnosis.rules.observation import NOT_OBSERVED, layer_series, observed
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    has_learned,
    no_baseline,
    outcome_known,
    span,
    too_few_steps,
)
from netwise.history import History, Series
from netwise.signals import GROUP_RATE, RATE

FADED = 100.0  # the highest rate over the present one
# The same, above which steps are lost in the rounding of float32 weights, whatever was learned.
GONE = 1e5
EARLY = 0.7  # of the run: a schedule that falls to 0 at its end is below a hundredth from 94 % on
SHORTEST = 20  # steps
FEWEST_CLIMBS = 2  # a run that is longer than planned may climb once
REACHED = (
    0.25  # of its peak: a schedule begins at 0.04, and passes this after an eighth of its rise
)
RISING = 3.0  # last rate over the first
# |step| / |w| at the end of a warm-up; sound programs have 0.0032 and more as a median.
STILL_SHORT = 5e-3


def rate_faded(history: History) -> Answer:
    """Find a learning rate that falls to less than a hundredth of its highest value before 70 % of
    the run and never rises again, in a run that has not learned.

    Rates before the highest one, which are a warm-up, do not count.
    """
    groups = layer_series(history, GROUP_RATE) or layer_series(history, RATE)
    if not groups:
        return Unchecked("no rates were recorded")
    total = history.ended.step
    longest = max(groups.values(), key=len)
    if len(longest) < FEWEST or total < SHORTEST:
        return Unchecked(too_few_steps(min(len(longest), total), "recorded rates"))
    faded = [f for f in (_fading(series) for series in groups.values()) if f is not None]
    if not faded or len(faded) < sum(max(series.values) > 0 for series in groups.values()):
        return None
    since, ratio, highest, last, falls = max(faded)
    if since >= EARLY * total or has_learned(history):
        return None
    if not outcome_known(history) and ratio < GONE:
        return Unchecked(no_baseline(history))
    return Finding(
        rule="rate_faded",
        sentence=(
            f"The learning rate falls from {highest:.3g} to {last:.3g}, and below a hundredth by "
            f"step {since} of {total}. {_advice(history, falls)}"
        ),
        steps=span(since, longest.steps[-1]),
        evidence=(
            Evidence("highest rate / last rate", min(ratio, 1e300), FADED),
            Evidence("part of the run before that", since / total, EARLY, False, percent=True),
        ),
        strength=min(ratio, 1e300) / FADED,
    )


def _advice(history: History, falls: bool) -> str:
    if history.made_by.recipe:
        return "Choose a schedule that falls over the whole run, such as `Cosine()`."
    if not falls:
        return (
            "If `scheduler.step()` is called after each batch, call it once an epoch. A "
            "`ReduceLROnPlateau` that is given a score needs `mode='max'`."
        )
    return (
        "It falls from step to step: call `scheduler.step()` once an epoch, or give the scheduler "
        "the number of steps instead of epochs."
    )


def _fading(series: Series) -> tuple[int, float, float, float, bool] | None:
    """(first step from which the rate stays below a hundredth, highest rate over the last one,
    highest, last, whether it falls from step to step); None where it does not."""
    highest = max(series.values)
    peak = series.values.index(highest)
    low = [value * FADED < highest * (1 - 1e-6) for value in series.values]
    if highest <= 0 or not low[-1]:
        return None
    first = len(low) - low[::-1].index(False) if False in low else peak
    last = series.last
    ratio = highest / last if last > 0 else float("inf")
    return series.steps[first], ratio, highest, last, _falls_each_step(series, peak, first)


def _falls_each_step(series: Series, begin: int, end: int) -> bool:
    """Whether the rate falls between most steps that follow each other directly."""
    pairs = [
        series.values[i + 1] < series.values[i]
        for i in range(begin, min(end, len(series) - 1))
        if series.steps[i + 1] == series.steps[i] + 1
    ]
    return len(pairs) >= 2 and sum(pairs) > len(pairs) / 2


def warm_up_too_long(history: History) -> Answer:
    """Find a learning rate that rises until the last step of a run that has not learned, while its
    steps are still short; or one that stays far below the peak that its schedule was made for."""
    below = _below_peak(history)
    if below is not None:
        return below
    rates = history.of(RATE)
    if history.wiring is None or rates is None:
        return Unchecked(NOT_OBSERVED if history.wiring is None else "no rates were recorded")
    if len(rates) < FEWEST or history.ended.step < SHORTEST:
        return Unchecked(too_few_steps(min(len(rates), history.ended.step), "recorded rates"))
    if not still_rises(history) or has_learned(history):
        return None
    ends = [series.finite[-1] for series in updates_of(history).values() if series.finite]
    longest = max(ends, default=None)
    if longest is None or longest > STILL_SHORT:
        return None
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    times = rates.last / rates.values[0] if rates.values[0] > 0 else MOST
    in_stairs = climbs_stairs(rates) and len(set(rates.values)) < 0.9 * len(rates)
    advice = (
        " It rises once in many steps: a warm-up that counts steps needs `scheduler.step()` after "
        "each batch."
    )
    return Finding(
        rule="warm_up_too_long",
        sentence=(
            f"The learning rate still rises at the last step ({rates.values[0]:.2g} to "
            f"{rates.last:.2g}), where a step changes no layer's weights by more than "
            f"{100 * longest:.2g} % of their norm: the warm-up is longer than the run."
            f"{advice if in_stairs else ''}"
        ),
        steps=span(rates.steps[0], rates.steps[-1]),
        evidence=(
            Evidence("last rate over the first", times, RISING),
            Evidence("largest |step| / |w| at the end", longest, STILL_SHORT, above=False),
        ),
        strength=min(STILL_SHORT / longest, 1e300) if longest > 0 else 1.0,
        grade="cause",
    )


def _below_peak(history: History) -> Finding | None:
    """A one-cycle schedule that is called too seldom, or was made for more steps than were taken:
    it begins at a twenty-fifth of its peak."""
    wiring = history.wiring
    peak, highest = (None, None) if wiring is None else (wiring.planned_rate, wiring.highest_rate)
    if not peak or highest is None or history.ended.step < SHORTEST or has_learned(history):
        return None
    if highest > REACHED * peak:
        return None
    return Finding(
        rule="warm_up_too_long",
        sentence=(
            f"The schedule was made to raise the learning rate to {peak:.3g}, and in "
            f"{history.ended.step:,} steps it was never above {highest:.3g}. `OneCycleLR` counts "
            "steps: call `scheduler.step()` after each `optimizer.step()`, or give it the number "
            "of epochs as `total_steps`."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("highest rate / peak", highest / peak, REACHED, above=False, percent=True),
        ),
        strength=REACHED * peak / highest if highest > 0 else 1e300,
        grade="cause",
        change="optimizer.step()\nscheduler.step()  # after each batch, not once an epoch",
    )


def rate_swings(history: History) -> Answer:
    """Find a learning rate that falls from its highest value to nearly 0 and climbs back as slowly,
    again and again: a cosine that was made for fewer steps than it is asked for."""
    wiring = observed(history, "optimizers")
    if isinstance(wiring, Unchecked):
        return wiring
    climbs, rate = wiring.rate_climbs, history.facts.rate
    if climbs < FEWEST_CLIMBS or rate is None:
        return None
    return Finding(
        rule="rate_swings",
        sentence=(
            f"The learning rate falls from {rate:.3g} to nearly 0 and climbs back, {climbs} times "
            f"in {history.ended.step:,} steps: a cosine goes up again after its `T_max` steps. "
            "Call `scheduler.step()` once an epoch, or set `T_max` to the number of all steps."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("slow climbs from nearly 0", float(climbs), FEWEST_CLIMBS - 1),),
        strength=climbs / FEWEST_CLIMBS,
        grade="cause",
    )


WARM_UP_TOO_LONG = Rule(
    name="warm_up_too_long",
    title="Warm-up longer than the run",
    find=warm_up_too_long,
    explanation=(
        "A warm-up raises the learning rate from nearly 0 over the first steps. Where it counts "
        "epochs but is called with steps, or the other way, or is set for a longer run, training "
        "ends before the rate is of any use."
    ),
    healthy="A warm-up over 1 to 10 % of the steps, then a rate that stays or falls.",
    source="Goyal et al. 2017, arXiv 1706.02677, section 2.2",
    explains=("rate_too_low", "underfitting", "not_learning"),
    remedies=("search_rate",),
    own_loops=True,
    change=(
        "warm_up = max(1, len(loader) * epochs // 20)  # steps, with scheduler.step() in each\n"
        "scheduler = torch.optim.lr_scheduler.LambdaLR(\n"
        "    optimizer, lambda step: min(1.0, (step + 1) / warm_up)\n"
        ")"
    ),
)
RATE_SWINGS = Rule(
    name="rate_swings",
    title="Cosine schedule that goes up and down",
    find=rate_swings,
    explanation=(
        "`CosineAnnealingLR` lowers the rate over `T_max` calls of its `step`, and raises it again "
        "over as many. Called after each batch with a `T_max` of epochs, the rate swings within "
        "each epoch, and training ends at whatever rate it has then."
    ),
    healthy="A rate that falls once over the run; one that restarts jumps up.",
    source="PyTorch documentation, CosineAnnealingLR",
    explains=("oscillation", "plateau", "too_short", "not_learning"),
    own_loops=True,
    change=(
        "steps = len(loader) * epochs  # where scheduler.step() is called after each batch\n"
        "scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)"
    ),
)
RATE_FADED = Rule(
    name="rate_faded",
    title="Learning rate that fades too early",
    find=rate_faded,
    explanation=(
        "Schedulers count calls of their `step`. One that is meant for epochs and is called after "
        "each batch has used up the learning rate within the first epoch; the weights then stay "
        "where they are for the rest of the run."
    ),
    healthy="A rate that falls over the whole run: a cosine is at 1 % after 94 % of the steps.",
    source="PyTorch documentation, torch.optim, How to adjust learning rate",
    explains=("rate_too_low", "underfitting", "not_learning", "vanishing_gradient"),
    remedies=("search_rate",),
    change=(
        "for epoch in range(epochs):\n"
        "    for x, y in batches:\n"
        "        ...  # no scheduler.step() here, unless it counts batches\n"
        "    scheduler.step()  # once for each epoch\n"
        "# of a score: torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode='max')"
    ),
)
