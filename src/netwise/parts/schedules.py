"""Schedules: how the learning rate changes, as a factor on the optimizer's rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from netwise.errors import Problem, interface_error
from netwise.part import Part, flag, integer, integers, number, part, text

State = dict[str, float]  # what a schedule remembers; kept in checkpoints as text


@dataclass(frozen=True)
class ScheduleContext:
    """Where a run is when a schedule is asked.

    Args:
        epoch: epochs done so far, from 0; with the part of the present one, where a schedule
            changes at each step.
        epochs: epochs that the recipe asks for.
        loss: validation loss (training loss where nothing is held out) of the last epoch; None
            before the first ends.

    Example:
        >>> import netwise as nw
        >>> nw.ScheduleContext(epoch=3, epochs=10).loss is None
        True
    """

    epoch: float
    epochs: int
    loss: float | None = None


class Schedule(Part):
    """What every schedule has: `init` gives its memory, `next` the factor for the epoch that
    begins.

    Where `each_step` is true the engine also asks `next` before each step, with a fraction of an
    epoch in the context; such a schedule looks at the time only, and its memory stays as it is.

    Example:
        >>> import netwise as nw
        >>> schedule = nw.StepDecay(every=2, factor=0.1)
        >>> [round(schedule.next(schedule.init(), nw.ScheduleContext(e, 4))[0], 2) for e in range(4)]
        [1.0, 1.0, 0.1, 0.1]
    """

    family_name: ClassVar[str] = "schedule"
    needs_loss: ClassVar[bool] = False

    @property
    def each_step(self) -> bool:
        """The rate changes at each step, not only from epoch to epoch."""
        return getattr(self, "each", "epoch") == "step"

    def init(self) -> State:
        """The memory before the first epoch."""
        return {}

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        """(factor on the rate, new memory) for the epoch, or the step, that begins at `context`."""
        raise interface_error(self, "Cosine()")

    def stop_reason(self, state: State) -> str | None:
        """Why the run is over by this schedule, or None."""
        return None


EACH = ("epoch", "step")
FALL = "the rate is to fall and to stay positive"


@dataclass(frozen=True)
class ConstantRate(Schedule):
    """The same rate throughout. The default.

    Example:
        >>> import netwise as nw
        >>> nw.ConstantRate().next({}, nw.ScheduleContext(7, 10))
        (1.0, {})
    """

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        return 1.0, state


@dataclass(frozen=True, kw_only=True)
class StepDecay(Schedule):
    """Multiply the rate by `factor` after each `every` epochs.

    Args:
        every: epochs between falls, at least 1. Default 10.
        factor: above 0 and at most 1. Default 0.1.

    Example:
        >>> import netwise as nw
        >>> nw.StepDecay(every=5, factor=0.5).next({}, nw.ScheduleContext(11, 20))[0]
        0.25

    Source: note 001, claim S01 (its staircase form); torch's `StepLR`.
    """

    every: int = integer(
        10, least=1, because="the rate falls after whole epochs", why="a few falls in a usual run"
    )
    factor: float = number(0.1, above=0, most=1, because=FALL, why="a tenth, as in note 004")

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        return self.factor ** (context.epoch // self.every), state


@dataclass(frozen=True, kw_only=True)
class Milestones(Schedule):
    """Multiply the rate by `factor` at each of a few given epochs.

    Args:
        epochs: after which the rate falls, rising. Default (82, 123): the falls of He et al. for
            CIFAR-10, at 32,000 and 48,000 of 64,000 steps of 128 samples.
        factor: above 0 and at most 1. Default 0.1.

    Example:
        >>> import netwise as nw
        >>> schedule = nw.Milestones(epochs=(50, 75))
        >>> [round(schedule.next({}, nw.ScheduleContext(e, 100))[0], 3) for e in (0, 49, 50, 75)]
        [1.0, 1.0, 0.1, 0.01]

    Source: He, Zhang, Ren, Sun 2015, arXiv 1512.03385, section 4.2; torch's `MultiStepLR`.
    """

    epochs: tuple[int, ...] = integers(
        (82, 123), because="the rate falls after whole epochs", why="the paper's, for CIFAR-10"
    )
    factor: float = number(0.1, above=0, most=1, because=FALL, why="the paper's value")

    def conflicts(self) -> list[Problem]:
        if list(self.epochs) != sorted(set(self.epochs)):
            return [
                Problem(
                    "epochs", str(list(self.epochs)), "must rise", str(sorted(set(self.epochs)))
                )
            ]
        return []

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        return self.factor ** sum(context.epoch >= epoch for epoch in self.epochs), state


@dataclass(frozen=True, kw_only=True)
class TwoStage(Schedule):
    """One rate at first, another from epoch `at` on: 0.25 far from the valley, 0.025 near its
    floor.

    Args:
        at: epochs of the first stage, at least 1. Default 10.
        factor: of the second stage, above 0. Default 0.1.

    Example:
        >>> import netwise as nw
        >>> [nw.TwoStage(at=2).next({}, nw.ScheduleContext(e, 4))[0] for e in range(4)]
        [1.0, 1.0, 0.1, 0.1]

    Source: note 004, claim S02.
    """

    at: int = integer(
        10, least=1, because="the first stage lasts whole epochs", why="half of a default run"
    )
    factor: float = number(
        0.1, above=0, because="a rate is positive", why="the note's 0.25 and 0.025"
    )

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        return (1.0 if context.epoch < self.at else self.factor), state


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """Exponential decay: factor ** (epoch / every), smooth, or in stairs of `every` epochs.

    torch's `ExponentialLR` is this with every = 1; Keras counts batches where this counts epochs.

    Args:
        factor: what is left of the rate after `every` epochs, above 0 and at most 1. Default 0.9.
        every: at least 1. Default 1.
        staircase: fall at whole multiples of `every` only. Default false: the note's form.
        each: "epoch", or "step": the exponent then rises with each step. Default "epoch".

    Example:
        >>> import netwise as nw
        >>> round(0.2 * nw.Exponential(factor=0.99).next({}, nw.ScheduleContext(39, 40))[0], 5)  # the note's program prints 0.13515
        0.13515

    Source: note 001, claim S01.
    """

    factor: float = number(
        0.9, above=0, most=1, because=FALL, why="a third of the rate after ten epochs"
    )
    every: int = integer(
        1, least=1, because="it counts epochs", why="the factor is that of an epoch"
    )
    staircase: bool = flag(False, why="the note's form is smooth")
    each: str = text("epoch", among=EACH, why="as torch and the note have it")

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        turns = context.epoch / self.every
        return self.factor ** (math.floor(turns) if self.staircase else turns), state


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """Fall along half a cosine from the full rate to `last` times it: (1 + cos(pi t / T)) / 2; with
    restarts, where asked for.

    Args:
        last: factor that the curve ends at, from 0 to 1. Default 0.0.
        restarts: how often the curve begins anew, at least 0. Default 0.
        growth: each piece is so many times as long as the one before, at least 1. Default 1: equal
            pieces.
        each: "epoch", or "step": the curve is then smooth. Default "epoch".

    Example:
        >>> import netwise as nw
        >>> round(nw.Cosine().next({}, nw.ScheduleContext(5, 10))[0], 3)
        0.5
        >>> [round(nw.Cosine(restarts=1).next({}, nw.ScheduleContext(e, 8))[0], 2) for e in range(8)]
        [1.0, 0.85, 0.5, 0.15, 1.0, 0.85, 0.5, 0.15]

    Source: Loshchilov, Hutter 2016, arXiv 1608.03983, eq. 5.
    """

    last: float = number(
        0.0, least=0, most=1, because="it is a share of the rate", why="the paper's value"
    )
    restarts: int = integer(
        0,
        least=0,
        most=100,
        because="it counts new beginnings",
        why="one fall is enough for most runs",
    )
    growth: float = number(
        1.0, least=1, most=10, because="pieces do not shrink", why="equal pieces"
    )
    each: str = text("epoch", among=EACH, why="as torch has it")

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        pieces = [self.growth**i for i in range(self.restarts + 1)]
        begin, place = 0.0, context.epoch / context.epochs * math.fsum(pieces)
        for length in pieces:
            # The last piece also takes what rounding puts beyond its end.
            if place - begin < length - 1e-9 or length is pieces[-1]:
                break
            begin += length
        wave = (1 + math.cos(math.pi * min((place - begin) / length, 1.0))) / 2
        return self.last + (1 - self.last) * wave, state


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """Rise from a `start`-th part of the rate to all of it, then fall to almost nothing; at each
    step.

    Both ways are half cosines. The optimizer's rate is the peak, so it may be several times what a
    constant one could be.

    Args:
        rise: share of the run that rises, above 0 and below 1. Default 0.3.
        start: factor at the start, above 0 and at most 1. Default 0.04 (1/25, torch's).
        last: factor at the end, from 0 to 1. Default 4e-6 (1/25 of a ten thousandth, torch's).

    Example:
        >>> import netwise as nw
        >>> [round(nw.OneCycle().next({}, nw.ScheduleContext(e, 10))[0], 3) for e in (0, 3, 6.5, 10)]
        [0.04, 1.0, 0.5, 0.0]

    Source: Smith, Topin 2017, arXiv 1708.07120; torch's `OneCycleLR`, whose momentum also cycles:
    here it stays.
    """

    rise: float = number(
        0.3, above=0, below=1, because="it is a share of the run", why="torch's value"
    )
    start: float = number(
        0.04, above=0, most=1, because="it is a share of the rate", why="torch's value"
    )
    last: float = number(
        4e-6, least=0, most=1, because="it is a share of the rate", why="torch's value"
    )
    each: ClassVar[str] = "step"

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        done = context.epoch / context.epochs
        if done < self.rise:
            return _eased(self.start, 1.0, done / self.rise), state
        return _eased(1.0, self.last, min((done - self.rise) / (1 - self.rise), 1.0)), state


def _eased(a: float, b: float, share: float) -> float:
    return b + (a - b) * (1 + math.cos(math.pi * share)) / 2


@dataclass(frozen=True, kw_only=True)
class WarmUp(Schedule):
    """Rise in a straight line, step by step, then go on with another schedule, which counts from
    the start of the run.

    Args:
        epochs: length of the rise, above 0. Default 1.0.
        start: factor at the first step, from 0 to 1. Default 0.01.
        then: what follows. Default `ConstantRate()`.

    Example:
        >>> import netwise as nw
        >>> schedule = nw.WarmUp(epochs=2, start=0.0, then=nw.StepDecay(every=5))
        >>> [round(schedule.next({}, nw.ScheduleContext(e, 10))[0], 2) for e in (0, 0.5, 1, 2, 5)]
        [0.0, 0.25, 0.5, 1.0, 0.1]

    Source: Goyal et al. 2017, arXiv 1706.02677, section 2.2.
    """

    epochs: float = number(
        1.0, above=0, because="a rise takes time", why="the first steps are the wild ones"
    )
    start: float = number(
        0.01, least=0, most=1, because="it is a share of the rate", why="steps that hardly move"
    )
    then: Schedule = part(Schedule, ConstantRate(), why="the rise alone is what was asked for")
    each: ClassVar[str] = "step"

    @property
    def needs_loss(self) -> bool:  # type: ignore[override]
        return self.then.needs_loss

    def init(self) -> State:
        return {**self.then.init(), "then.factor": 1.0}

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        begins = float(context.epoch).is_integer()
        if begins or self.then.each_step:
            factor, inner = self.then.next(state, context)
            state = {**inner, "then.factor": factor}
        rising = self.start + (1 - self.start) * min(context.epoch / self.epochs, 1.0)
        return rising * state.get("then.factor", 1.0), state

    def stop_reason(self, state: State) -> str | None:
        return self.then.stop_reason(state)


@dataclass(frozen=True, kw_only=True)
class Plateau(Schedule):
    """Multiply the rate by `factor` where the validation loss has found no new best for `patience`
    epochs.

    Args:
        factor: above 0 and below 1. Default 0.1.
        patience: epochs to wait after a best, at least 0; the fall comes at the next. Default 10.
        threshold: share by which a loss must fall to be a new best, from 0 to below 1. Default
            1e-4.
        least: lowest factor, from 0 to 1. Default 0.0.

    Example:
        >>> import netwise as nw
        >>> schedule = nw.Plateau(patience=1)
        >>> state, factors = schedule.init(), []
        >>> for epoch, loss in enumerate([None, 1.0, 1.0, 1.0, 0.5]):
        ...     factor, state = schedule.next(state, nw.ScheduleContext(epoch, 5, loss))
        ...     factors.append(factor)
        >>> factors
        [1.0, 1.0, 1.0, 0.1, 0.1]

    Source: torch's `ReduceLROnPlateau`, whose numbers it gives.
    """

    needs_loss: ClassVar[bool] = True
    factor: float = number(0.1, above=0, below=1, because=FALL, why="torch's value")
    patience: int = integer(10, least=0, because="it waits whole epochs", why="torch's value")
    threshold: float = number(
        1e-4, least=0, below=1, because="it is a share of the loss", why="torch's value"
    )
    least: float = number(
        0.0, least=0, most=1, because="it is a share of the rate", why="torch's value"
    )

    def init(self) -> State:
        return {"best": math.inf, "waited": 0.0, "factor": 1.0}

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        if context.loss is None:
            return state["factor"], state
        best, waited, factor = state["best"], state["waited"], state["factor"]
        if context.loss < best * (1 - self.threshold):
            best, waited = context.loss, 0.0
        else:
            waited += 1
        if waited > self.patience:
            waited, factor = 0.0, max(factor * self.factor, self.least)
        return factor, {"best": best, "waited": waited, "factor": factor}


@dataclass(frozen=True, kw_only=True)
class HalveUntil(Schedule):
    """Halve the rate each time the validation loss gets worse, and end the run when it has fallen
    to a thousandth.

    A schedule and a stopping rule in one: `over` ends the run. torch's `ReduceLROnPlateau` has a
    floor, and never stops.

    Args:
        factor: above 0 and below 1. Default 0.5; the note also names 0.1.
        until: the run ends when the factor is at most this, above 0 and below 1. Default 0.001.
        patience: epochs without a new best that count as worse, at least 1. Default 1.

    Example:
        >>> import netwise as nw
        >>> schedule = nw.HalveUntil(until=0.25)
        >>> state = schedule.init()
        >>> for epoch, loss in enumerate([None, 1.0, 2.0, 2.0]):
        ...     factor, state = schedule.next(state, nw.ScheduleContext(epoch, 9, loss))
        >>> factor, schedule.stop_reason(state)
        (0.25, 'the rate has fallen to 0.25 of its start, which ends the run by HalveUntil')

    Source: note 004, claim S03.
    """

    needs_loss: ClassVar[bool] = True
    factor: float = number(0.5, above=0, below=1, because=FALL, why="the note's 1/2")
    until: float = number(
        0.001,
        above=0,
        below=1,
        because="it is a share of the rate at the start",
        why="the note's 1/1000",
    )
    patience: int = integer(
        1, least=1, because="it waits whole epochs", why="the note falls at the first worse epoch"
    )

    def init(self) -> State:
        return {"best": math.inf, "waited": 0.0, "factor": 1.0}

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        if context.loss is None:
            return state["factor"], state
        if context.loss < state["best"]:
            return state["factor"], {**state, "best": context.loss, "waited": 0.0}
        waited, factor = state["waited"] + 1, state["factor"]
        if waited >= self.patience:
            waited, factor = 0.0, factor * self.factor
        return factor, {**state, "waited": waited, "factor": factor}

    def stop_reason(self, state: State) -> str | None:
        if state.get("factor", 1.0) > self.until:
            return None
        return f"the rate has fallen to {state['factor']:.2g} of its start, which ends the run by HalveUntil"


SCHEDULES: tuple[type[Schedule], ...] = (
    ConstantRate,
    StepDecay,
    Milestones,
    TwoStage,
    Exponential,
    Cosine,
    OneCycle,
    WarmUp,
    Plateau,
    HalveUntil,
)
