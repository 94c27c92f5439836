"""A loss that swings around a level, and one that jumped and did not come back: what steps that are
too large look like from outside."""

from __future__ import annotations

from math import isfinite
from statistics import median

from netwise.diagnosis.curves import (
    finite_series,
    last_slope,
    level_at_end,
    noise_of,
    part_of,
    recurrence_of,
)
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    CERTAIN,
    FEWEST,
    final_loss_share,
    finite_median,
    has_learned,
    loss_share,
    no_baseline,
    opponents,
    outcome_known,
    series_by_layer,
    too_few_steps,
)
from netwise.history import DIVERGED, History, Series
from netwise.signals import LOSS, RATE, TRAIN_LOSS, UPDATE_RATIO, VALID_LOSS

# Autocorrelation of the loss, half a swing apart. Sound programs of the clinic and of the zoo have
# -0.48 and more, since the noise of batches is independent.
OPPOSITE = -0.6
AMPLITUDE = 0.03  # standard deviation of the swings over the level: smaller ones do no harm
# From epoch to epoch, also of a run that has learned: half of the epochs without a fall of the
# training loss, steps of this length, and this much left. Sound programs whose training loss stands
# have steps of 0.007 at most; one with steps of 0.07 still falls.
LONG_STEPS = 0.015  # |step| / |w| of the layer that changes most
FEWEST_EPOCHS = 8
STANDS = 1.5  # standard errors of a slope: below it the training loss does not fall
REST = 0.08  # of the loss of guessing
UNSTEADY = 0.08  # noise of the validation loss over its level
FEWEST_LOSSES = 80  # for the autocorrelation of the last half
JUMP = 8.0  # a loss over those before it
STAYS = 3.0  # all later losses over those before the jump
BEFORE = 10  # losses before it
RAISED = 3.0  # a learning rate over the highest one before
LOST = 0.1  # of the loss of guessing, by which the loss has risen where that matters


def oscillation(history: History) -> Answer:
    """Find a training loss that swings up and down around a level over the last half of a run that
    has not learned."""
    if opponents(history):
        return Unchecked(no_baseline(history))
    if (between := _between_epochs(history)) is not None:
        return between
    losses = finite_series(history.of(LOSS) or Series((), ()))
    if len(losses) < FEWEST_LOSSES:
        return Unchecked(too_few_steps(len(losses), "recorded losses", FEWEST_LOSSES))
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    if history.ended.how == DIVERGED or has_learned(history):
        return None
    late = part_of(losses, 0.5)
    swing, slope, level = recurrence_of(late), last_slope(losses, 0.5), level_at_end(losses, 0.5)
    if swing is None or slope is None or level is None or slope.falls >= CERTAIN:
        return None
    amplitude = swing.deviation / abs(level) if level else 0.0
    if swing.lowest >= OPPOSITE or amplitude <= AMPLITUDE:
        return None
    return Finding(
        rule="oscillation",
        sentence=(
            f"Since step {late.steps[0]} the training loss swings around {level:.3g} by "
            f"{100 * amplitude:.2g} % and does not fall; one swing takes about "
            f"{max(2, swing.period)} steps."
        ),
        steps=(late.steps[0], late.steps[-1]),
        evidence=(
            Evidence(
                "autocorrelation of the loss, half a swing apart", swing.lowest, OPPOSITE, False
            ),
            Evidence("standard deviation / level", amplitude, AMPLITUDE, percent=True),
        ),
        strength=swing.lowest / OPPOSITE,
    )


def _between_epochs(history: History) -> Finding | None:
    """A validation loss that jumps from epoch to epoch while the training loss no longer falls, by
    steps that are long beside the weights: they cross the valley."""
    train, valid = history.of(TRAIN_LOSS), history.of(VALID_LOSS)
    left = final_loss_share(history)
    if train is None or valid is None or len(valid.finite) < FEWEST_EPOCHS or left is None:
        return None
    late = part_of(valid, 0.5)
    noise, level, slope = noise_of(late), level_at_end(late, 1.0), last_slope(train, 0.5)
    late_updates = [
        finite_median(ratio for ratio in part_of(series, 0.5).values if ratio > 0) or 0.0
        for series in series_by_layer(history, UPDATE_RATIO).values()
    ]
    step = max(late_updates, default=0.0)
    if noise is None or level is None or slope is None or level <= 0 or not isfinite(left):
        return None
    unsteady = noise / level
    if slope.falls >= STANDS or left <= REST or unsteady <= UNSTEADY or step <= LONG_STEPS:
        return None
    return Finding(
        rule="oscillation",
        sentence=(
            f"From epoch to epoch the validation loss swings around {level:.3g} by "
            f"{100 * unsteady:.2g} %, and the training loss does not fall: each step changes a "
            f"layer's weights by {100 * step:.2g} % of their norm."
        ),
        steps=(late.steps[0], late.steps[-1]),
        evidence=(
            Evidence("noise of the validation loss / level", unsteady, UNSTEADY, percent=True),
            Evidence("usual |step| / |w|", step, LONG_STEPS, percent=True),
            Evidence("training loss / loss of guessing", left, REST, percent=True),
        ),
        strength=step / LONG_STEPS,
    )


def spike(history: History) -> Answer:
    """Find a training loss that rose to many times its level from one step to the next, and stayed
    high, in a run that has not learned."""
    if opponents(history):
        return Unchecked(no_baseline(history))
    losses = finite_series(history.of(LOSS) or Series((), ()))
    if len(losses) < BEFORE + FEWEST:
        return Unchecked(too_few_steps(len(losses), "recorded losses", BEFORE + FEWEST))
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    if has_learned(history) or min(losses.values) <= 0:
        return None  # of losses that can be negative, multiples mean nothing
    place = _jump(losses)
    if place is None or _another_loss(history, losses, place):
        return None
    before = median(losses.values[place - BEFORE : place])
    after = median(losses.values[place:])
    low, high = loss_share(history, before), loss_share(history, after)
    if low is not None and high is not None and high - low <= LOST:
        return None
    return Finding(
        rule="spike",
        sentence=(
            f"The training loss was {before:.3g} before step {losses.steps[place]}, jumped to "
            f"{losses.values[place]:.3g} and has stayed at {after:.3g} since."
            f"{_risen_rate(history, losses.steps[place])}"
        ),
        steps=(losses.steps[place], losses.steps[-1]),
        evidence=(
            Evidence("loss over the level before it", losses.values[place] / before, JUMP),
            Evidence("level after it over the level before", after / before, STAYS),
        ),
        strength=min(after / before / STAYS, 1e6),
    )


def _another_loss(history: History, losses: Series, place: int) -> bool:
    """Whether another optimizer, and perhaps another task, began between this loss and the one
    before it."""
    began = () if history.wiring is None else history.wiring.phases_began
    return any(losses.steps[place - 1] < step <= losses.steps[place] for step in began)


def _risen_rate(history: History, step: int) -> str:
    """What the learning rate did before a jump of the loss; "" where it was the highest before."""
    rates = history.of(RATE)
    pairs = [] if rates is None else list(zip(rates.steps, rates.values, strict=True))
    # The step after which the loss is first seen to be high may not have been watched.
    earlier = [rate for at, rate in pairs if at < step - BEFORE]
    now = [rate for at, rate in pairs if at >= step - BEFORE]
    if not earlier or not now or max(earlier) <= 0 or max(now) < RAISED * max(earlier):
        return ""
    return (
        f" The learning rate was at most {max(earlier):.3g} before, and up to {max(now):.3g} "
        "since: look at what sets it."
    )


def _jump(losses: Series) -> int | None:
    """The first loss that is many times those before it, where all later ones stay above them."""
    values = losses.values
    lowest_later = list(values)
    for i in range(len(values) - 2, -1, -1):
        lowest_later[i] = min(values[i], lowest_later[i + 1])
    for i in range(BEFORE, len(values) - FEWEST + 1):
        before = median(values[i - BEFORE : i])
        if before > 0 and values[i] > JUMP * before and lowest_later[i] > STAYS * before:
            return i
    return None


OSCILLATION = Rule(
    name="oscillation",
    title="Loss that swings around a level",
    find=oscillation,
    explanation=(
        "Each step crosses the valley that it should go down, so the loss rises and falls in turn "
        "and comes no nearer to its lowest value. The usual reason is a learning rate or a "
        "momentum that is too large; batches in a fixed order look alike. This is a symptom."
    ),
    healthy="A loss that falls, with noise that is independent from step to step.",
    source=(
        "Nielsen 2015, Neural Networks and Deep Learning, chapter 3; Cohen et al. 2021, arXiv "
        "2103.00065"
    ),
    explains=("not_learning", "plateau"),
    symptom=True,
    remedies=("lower_rate", "search_rate", "use_adam"),
    change=(
        "for group in optimizer.param_groups:  # and compare\n"
        '    group["lr"] /= 3  # or a smaller momentum, or larger batches'
    ),
)
SPIKE = Rule(
    name="spike",
    title="Loss that jumped and stayed high",
    find=spike,
    explanation=(
        "One step has destroyed what was learned: a batch with an unusual sample or a gradient "
        "that was far larger than all before, at a rate that does not survive it. This is a "
        "symptom."
    ),
    healthy="Losses that return to their level within some steps.",
    source="Pascanu, Mikolov, Bengio 2013, On the difficulty of training recurrent neural networks",
    explains=("not_learning", "plateau", "best_was_earlier"),
    symptom=True,
    remedies=("clip_gradient", "lower_rate"),
    change=(
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # before optimizer.step()\n"
        "# and look at the batch of that step"
    ),
)
