"""`rate_range`: one run whose learning rate rises with each step, and the loss at each rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from netwise.errors import WrongValue
from netwise.part import number
from netwise.parts.schedules import Schedule, ScheduleContext, State
from netwise.parts.stopping import Never
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.signals import LOSS
from netwise.training.fit import fit
from netwise.training.interrupt import uninterrupted

STEPS = 200  # at least: about thirty a decade
SMOOTHING = 0.9  # weight of the losses before, in the running mean
WORSE = 0.25  # of the fall: the loss has risen where it is above its lowest by so much
FALLEN = 0.1  # of the fall: the loss has begun to fall
EDGE = 0.05  # of the steps at both ends, which hold no steepest place


@dataclass(frozen=True, kw_only=True)
class _Rising(Schedule):
    """From 10 ** -decades of the rate to all of it, by the same factor in each step."""

    decades: float = number(6.0, above=0, because="the rate rises", why="a usual range")

    @property
    def each_step(self) -> bool:
        return True

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        return 10 ** (-self.decades * (1 - context.epoch / context.epochs)), state


@dataclass(frozen=True)
class RateRange:
    """The loss at each rate of a learning-rate range test.

    Args:
        rates: rising, one for each step up to the end or the divergence.
        losses: of the batches.
        smoothed: running mean of the losses, without their noise.
        begins: the rate from which the loss falls; None where it falls at none.
        steepest: where the smoothed loss falls fastest: the rate to use.
        lowest: where it is lowest.
        rises: the rate from which it rises again; None where it does not up to the highest rate.
        diverged: whether a loss was no finite number.

    Example:
        >>> import netwise as nw
        >>> found = nw.rate_range(nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10))))
        >>> found.begins < found.steepest < found.lowest
        True
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    begins: float | None
    steepest: float | None
    lowest: float | None
    rises: float | None
    diverged: bool

    @property
    def sentence(self) -> str:
        """What the curve shows, with the rate to use."""
        if self.steepest is None or self.begins is None:
            return "The loss falls at no rate of the range, so the learning rate is not the cause."
        end = (
            f"and rises again from {self.rises:.2g}"
            if self.rises is not None
            else "and does not rise up to the highest rate: test higher ones"
        )
        return (
            f"The loss begins to fall at a learning rate of {self.begins:.2g}, falls fastest at "
            f"{self.steepest:.2g}, is lowest at {self.lowest:.2g} {end}. Use "
            f"{self.steepest:.2g}; for a rate that rises and falls, the range from "
            f"{self.begins:.2g} to {self.steepest:.2g}."
        )


def rate_range(
    recipe: Recipe, *, low: float = 1e-6, high: float = 10.0, steps: int = STEPS
) -> RateRange:
    """The learning-rate range test: train once while the rate rises from `low` to `high`, by the
    same factor in each step, and read from the losses which rates are useful.

    Args:
        recipe: what to train; its own rate, schedule and number of epochs are not used.
        low, high: of the rates, above 0. Default from 1e-6 to 10.
        steps: at least; the run has whole epochs. Default 200.

    Raises:
        ValueError: `low` is not below `high`, or not above 0; fewer than 20 steps.
        WrongValue: the recipe cannot run, or its network has no loss that falls.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.suggest(nw.data.digits())
        >>> print(nw.rate_range(recipe, low=1e-5, high=1.0).sentence.split(",")[0])
        The loss begins to fall at a learning rate of ...

    Source: Smith 2017, Cyclical learning rates for training neural networks, arXiv 1506.01186.
    """
    if recipe.network.is_memory or recipe.network.is_energy_model:
        why = "has no loss that falls at a good rate. Use `search` with an axis for optimizer.lr"
        raise WrongValue.of("rate", "network", type(recipe.network).__name__, why)
    if not 0 < low < high < math.inf:
        raise ValueError(
            f"low = {low} and high = {high} are no range of learning rates: both must be above 0, "
            "and low below high. Write low=1e-6, high=10.0."
        )
    if steps < 20:
        raise ValueError(f"steps = {steps} are too few for a curve: at least 20. Write 200.")
    prepared = prepare(recipe)
    per_epoch = math.ceil(max(1, len(prepared.loaded.train)) / recipe.batch_size)
    rising = _Rising(decades=math.log10(high / low))
    epochs = max(1, math.ceil(steps / per_epoch))
    tested = with_learning_rate(recipe, high).but(epochs=epochs, schedule=rising, stopping=Never())
    run = uninterrupted(fit(tested, test=False, watch_every=1, prepared=prepared))
    series = run.history.of(LOSS)
    assert series is not None  # each step is watched
    whole = per_epoch * epochs
    rates = [low * (high / low) ** (step / whole) for step in series.steps]
    return read_range(rates, series.values)


def read_range(rates: Sequence[float], losses: Sequence[float]) -> RateRange:
    """What the losses at rising rates show.

    Args:
        rates: rising by the same factor.
        losses: at each.

    Example:
        >>> import netwise as nw
        >>> rates = [10 ** (-4 + i / 10) for i in range(50)]
        >>> losses = [2.0 - 1.5 / (1 + 0.01 / r) + (r / 3) ** 4 for r in rates]
        >>> found = nw.read_range(rates, losses)
        >>> found.begins < found.steepest < found.lowest < found.rises
        True
    """
    count = next((i for i, v in enumerate(losses) if not math.isfinite(v)), len(losses))
    smooth = _running_mean(losses[:count])
    kept = tuple(rates[:count])
    shown = (kept, tuple(losses[:count]), tuple(smooth))
    if count < 10:
        return RateRange(*shown, None, None, None, None, count < len(losses))
    at_lowest = min(range(count), key=lambda i: smooth[i])
    start = max(smooth[: max(3, at_lowest // 3)])
    fall = start - smooth[at_lowest]
    noise = max(abs(b - a) for a, b in pairwise(smooth[:4]))
    if fall <= max(2 * noise, 1e-3 * abs(start)) or at_lowest < 3:
        return RateRange(*shown, None, None, None, None, count < len(losses))
    begins = next(i for i in range(count) if smooth[i] <= start - FALLEN * fall and i > 1)
    edge = max(1, round(EDGE * count))
    reach = range(max(begins - edge, edge), max(at_lowest - 1, begins + 1))
    steepest = min(reach, key=lambda i: smooth[min(i + edge, count - 1)] - smooth[i - edge])
    rises = next(
        (i for i in range(at_lowest, count) if smooth[i] > smooth[at_lowest] + WORSE * fall), None
    )
    if rises is None and count < len(losses):
        rises = count - 1
    return RateRange(
        *shown,
        kept[begins],
        kept[max(steepest, begins)],
        kept[at_lowest],
        None if rises is None else kept[rises],
        count < len(losses),
    )


def _running_mean(values: Sequence[float]) -> list[float]:
    """Exponentially weighted mean of the values so far, divided by the sum of its weights."""
    found, total, weight = [], 0.0, 0.0
    for value in values:
        total = SMOOTHING * total + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        found.append(total / weight)
    return found
