"""Finding a learning rate by short runs at many rates.

`rate_threshold` finds the largest rate at which the loss falls and takes half of it;
`losses_by_rate` measures the loss at each power of ten, for the remedy `search_rate`. Both use
`ShortRuns`: the data are prepared once, and every run begins from the same initial weights with the
same batches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from netwise.diagnosis.rules.outcome import final_loss
from netwise.errors import WrongValue
from netwise.history import FINISHED, History
from netwise.parts.schedules import ConstantRate
from netwise.parts.stopping import Never
from netwise.recipe.prepared import Prepared, prepare
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.signals import LOSS
from netwise.training.fit import fit
from netwise.training.interrupt import uninterrupted

# Threshold rule.
STEPS = 200  # of a short run, at least an epoch: enough to tell a fall from an oscillation
WATCHED = 40  # of those steps
LADDER = 10.0
FARTHEST = 8  # decades above or below the start of the search
NO_STEP = 1e-30  # a rate at which no weight changes
MOST_WORSE = 0.05  # share of the batches that may be worse than with the initial weights
NEAR_GUESSING = 0.02  # of the loss of guessing, within which a run has learned nothing
FINE = (1.5, 2.0, 3.0, 5.0, 7.0)  # factors on the power of ten, in rising order

# Lowest loss.
FEW_STEPS = 60  # of a short run, at least an epoch: enough to tell the best decade
DECADES = range(-6, 7)  # powers of ten on the recipe's rate


@dataclass(frozen=True)
class ShortRuns:
    """Short runs of one recipe at other learning rates.

    Args:
        recipe: with the number of epochs and the schedule of a short run.
        prepared: its data.
        watch_every: as in `fit`.
    """

    recipe: Recipe
    prepared: Prepared
    watch_every: int | None = None

    def at(self, rate: float) -> History:
        """The history of a run at this rate. The test part is not used."""
        recipe = with_learning_rate(self.recipe, rate)
        run = fit(recipe, test=False, watch_every=self.watch_every, prepared=self.prepared)
        return uninterrupted(run).history


def _steps_per_epoch(recipe: Recipe, prepared: Prepared) -> int:
    return math.ceil(max(1, len(prepared.loaded.train)) / recipe.batch_size)


def _shortened(recipe: Recipe, steps: int, per_epoch: int) -> Recipe:
    """The recipe with as many whole epochs as `steps` need."""
    return recipe.but(epochs=max(1, math.ceil(steps / per_epoch)), stopping=Never())


@dataclass(frozen=True)
class RateThreshold:
    """What the threshold rule found.

    Args:
        order: the largest power of ten times `start` at which the loss falls.
        threshold: the largest rate tried at which it falls.
        rate: half of the threshold: the rate to use.
        tried: (rate, whether the loss fell), in the order of the trials.

    Example:
        >>> import netwise as nw
        >>> tried = ((0.01, True), (0.1, True), (1.0, False), (0.15, True), (0.2, False))
        >>> nw.RateThreshold(order=0.1, threshold=0.15, rate=0.075, tried=tried).rate
        0.075
    """

    order: float
    threshold: float
    rate: float
    tried: tuple[tuple[float, bool], ...]


def rate_threshold(recipe: Recipe, *, start: float = 0.01) -> RateThreshold | None:
    """Find a learning rate by the threshold rule: the order of magnitude at which the loss still
    falls, then the largest such rate within the decade (the threshold), then half of it.

    Each trial is a short run at a constant rate. The loss falls where its last quarter is the
    lowest and at most 5 % of the batches have a higher loss than with the initial weights. The
    recipe, its data and all random streams stay as they are.

    Args:
        recipe: what to train; its own learning rate is not used.
        start: the first rate to try, above 0. Default 0.01, as in the source.

    Returns:
        What was found, or None where the loss falls at no rate within eight decades of `start`.

    Raises:
        ValueError: `start` is not a finite number above 0.
        WrongValue: the recipe cannot run, or its network is an energy model or a memory, which has
            no such loss.

    Example:
        >>> import netwise as nw
        >>> network = nw.MLP((64, 30, 10))
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=network, optimizer=nw.SGD())
        >>> found = nw.rate_threshold(recipe)
        >>> 0.05 <= found.rate <= 5, found.rate == found.threshold / 2
        (True, True)

    Source: Nielsen 2015, Neural Networks and Deep Learning, chapter 3.
    """
    if recipe.network.is_memory or recipe.network.is_energy_model:
        why = "has no loss that falls at a good rate. Use `search` with an axis for optimizer.lr"
        raise WrongValue.of("rate", "network", type(recipe.network).__name__, why)
    if not start > 0 or not math.isfinite(start):
        raise ValueError(f"start = {start} must be above 0: it is a learning rate. Write 0.01.")
    prepared = prepare(recipe)
    per_epoch = _steps_per_epoch(recipe, prepared)
    watch_every = max(1, min(per_epoch, STEPS) // WATCHED)
    short = _shortened(recipe, STEPS, per_epoch).but(schedule=ConstantRate())
    trials = _ThresholdTrials(ShortRuns(short, prepared, watch_every))
    order = _order(trials, start)
    if order is None:
        return None
    threshold = _rounded(_threshold(trials, order))
    tried = tuple((_rounded(rate), fell) for rate, fell in trials.fell.items())
    return RateThreshold(_rounded(order), threshold, threshold / 2, tried)


class _ThresholdTrials:
    """Whether the loss falls at a rate; each rate is tried once."""

    def __init__(self, runs: ShortRuns) -> None:
        self._runs = runs
        self._initial = _losses(runs.at(NO_STEP))
        self.fell: dict[float, bool] = {}

    def falls(self, rate: float) -> bool:
        if rate not in self.fell:
            self.fell[rate] = loss_falls(self._initial, self._runs.at(rate))
        return self.fell[rate]


def _order(trials: _ThresholdTrials, start: float) -> float | None:
    """The largest power of ten times `start` at which the loss falls; None within `FARTHEST`
    decades below."""
    order = start
    if trials.falls(order):
        while order < start * LADDER**FARTHEST and trials.falls(order * LADDER):
            order *= LADDER
        return order
    while not trials.falls(order):
        order /= LADDER
        if order < start / LADDER**FARTHEST:
            return None
    return order


def _threshold(trials: _ThresholdTrials, order: float) -> float:
    """The largest rate of the decade, in the steps of `FINE`, up to which the loss falls."""
    threshold = order
    for factor in FINE:
        if not trials.falls(order * factor):
            break
        threshold = order * factor
    return threshold


def loss_falls(initial: Mapping[int, float], history: History) -> bool:
    """Whether the loss of a short run falls and does not oscillate.

    It does where hardly a batch is worse than with the initial weights, the last quarter of the
    steps is the best, and the run does not end at the loss of guessing. Losses are compared batch
    by batch, since those of single batches differ by more than a good step gains. To end below the
    start is not enough: a network whose weights have exploded gives the same output for every
    input, and its loss, that of guessing, is often below that of the initial weights.

    Args:
        initial: losses of the same batches with the initial weights, by step.
        history: of the short run.
    """
    losses = _losses(history)
    if (
        history.ended.how != FINISHED
        or len(losses) < 8
        or not all(map(math.isfinite, losses.values()))
    ):
        return False
    worse = fmean(loss > initial.get(step, math.inf) for step, loss in losses.items())
    values, size = list(losses.values()), len(losses) // 4
    quarters = [fmean(values[i * size : (i + 1) * size]) for i in range(4)]
    guessing = history.facts.loss_of_guessing
    stuck = guessing is not None and abs(quarters[-1] - guessing) < NEAR_GUESSING * guessing
    return (
        worse <= MOST_WORSE
        and not stuck
        and quarters[-1] < quarters[0]
        and quarters[-1] <= 1.1 * min(quarters)
    )


def _losses(history: History) -> dict[int, float]:
    """Training losses of the watched steps, by step."""
    series = history.of(LOSS)
    return {} if series is None else dict(zip(series.steps, series.values, strict=True))


def losses_by_rate(recipe: Recipe, decades: Iterable[int] = DECADES) -> dict[float, float]:
    """Training loss after a short run at the recipe's learning rate times each power of ten;
    infinite where the run diverged. The recipe's schedule is kept."""
    prepared = prepare(recipe)
    short = _shortened(recipe, FEW_STEPS, _steps_per_epoch(recipe, prepared))
    runs = ShortRuns(short, prepared)
    rates = [recipe.optimizer.lr * 10.0**decade for decade in decades]
    return {rate: _finite_final_loss(runs.at(rate)) for rate in rates}


def _finite_final_loss(history: History) -> float:
    """The final training loss; infinite where there is none or the run did not finish."""
    if history.ended.how != FINISHED or history.of(LOSS) is None:
        return math.inf
    last = final_loss(history)
    return last if last is not None and math.isfinite(last) else math.inf


def _rounded(rate: float) -> float:
    """Six digits, without the error of repeated multiplication."""
    return float(f"{rate:.6g}")
