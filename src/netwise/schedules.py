"""Schedules: how the learning rate changes from epoch to epoch, as a factor on the optimizer's rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from netwise.fields import Part, integer, number

State = dict[str, float]  # what a schedule remembers; kept in checkpoints as text


@dataclass(frozen=True)
class Moment:
    """Where a run is when an epoch begins.

    Args:
        epoch: epochs done so far, from 0.
        epochs: epochs that the recipe asks for.
        loss: validation loss (training loss where nothing is held out) of the last epoch; None before the first ends.

    Example:
        >>> import netwise as nw
        >>> nw.Moment(epoch=3, epochs=10).loss is None
        True
    """

    epoch: int
    epochs: int
    loss: float | None = None


class Schedule(Part):
    """What every schedule has: `init` gives its memory, `next` the factor for the epoch that begins.

    Example:
        >>> import netwise as nw
        >>> schedule = nw.StepDecay(every=2, factor=0.1)
        >>> [round(schedule.next(schedule.init(), nw.Moment(e, 4))[0], 2) for e in range(4)]
        [1.0, 1.0, 0.1, 0.1]
    """

    called: ClassVar[str] = "schedule"

    def init(self) -> State:
        """The memory before the first epoch."""
        return {}

    def next(self, state: State, moment: Moment) -> tuple[float, State]:
        """(factor on the rate, new memory) for the epoch that begins at `moment`."""
        raise TypeError(f"{type(self).__name__} is an interface: write one of its members, such as Cosine()")


@dataclass(frozen=True)
class ConstantRate(Schedule):
    """The same rate throughout. The default.

    Example:
        >>> import netwise as nw
        >>> nw.ConstantRate().next({}, nw.Moment(7, 10))
        (1.0, {})
    """

    def next(self, state: State, moment: Moment) -> tuple[float, State]:
        return 1.0, state


@dataclass(frozen=True, kw_only=True)
class StepDecay(Schedule):
    """Multiply the rate by `factor` after each `every` epochs.

    Args:
        every: epochs between falls, at least 1. Default 10.
        factor: above 0 and at most 1. Default 0.1.

    Example:
        >>> import netwise as nw
        >>> nw.StepDecay(every=5, factor=0.5).next({}, nw.Moment(11, 20))[0]
        0.25

    Source: note 001, claim S01 (its staircase form).
    """

    every: int = integer(10, least=1, because="the rate falls after whole epochs", why="a few falls in a usual run")
    factor: float = number(0.1, above=0, most=1, because="the rate is to fall and to stay positive", why="a tenth, as in note 004")

    def next(self, state: State, moment: Moment) -> tuple[float, State]:
        return self.factor ** (moment.epoch // self.every), state


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """Fall along half a cosine from the full rate to `last` times it: (1 + cos(pi t / T)) / 2.

    Args:
        last: factor that the curve ends at, from 0 to 1. Default 0.0.

    Example:
        >>> import netwise as nw
        >>> round(nw.Cosine().next({}, nw.Moment(5, 10))[0], 3)
        0.5

    Source: Loshchilov, Hutter 2016, arXiv 1608.03983, eq. 5, without restarts.
    """

    last: float = number(0.0, least=0, most=1, because="it is a share of the rate", why="the paper's value")

    def next(self, state: State, moment: Moment) -> tuple[float, State]:
        wave = (1 + math.cos(math.pi * moment.epoch / moment.epochs)) / 2
        return self.last + (1 - self.last) * wave, state


SCHEDULES: tuple[type[Schedule], ...] = (ConstantRate, StepDecay, Cosine)
