"""Schedules: how the learning rate changes, as a factor on the optimizer's rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from netwise.errors import Problem, interface_error
from netwise.part import Part, flag, integer, integers, number, part, text

State = dict[str, float]  # of a schedule; saved in checkpoints
ROUNDING = 1e-9  # share of a factor by which a product of factors may miss the exact one


@dataclass(frozen=True)
class ScheduleContext:
    """The position in a run at which a schedule computes the learning rate.

    Args:
        epoch: completed epochs, from 0; with a fraction for schedules that change at each step.
        epochs: epochs of the whole run.
        loss: validation loss (training loss where there is no validation part) of the last epoch;
            None during the first epoch.

    Example:
        >>> import netwise as nw
        >>> nw.ScheduleContext(epoch=3, epochs=10).loss is None
        True
    """

    epoch: float
    epochs: int
    loss: float | None = None


class Schedule(Part):
    """Interface of schedules: `init` gives the initial state, `next` the factor on the learning
    rate for the next epoch.

    Where `each_step` is true, training also calls `next` before each step, with a fractional epoch
    in the context. Such a schedule depends on time only; its state does not change.

    Attributes:
        needs_loss: the factor depends on the validation loss.

    Example:
        >>> import netwise as nw
        >>> schedule = nw.StepDecay(every=2, factor=0.1)
        >>> contexts = [nw.ScheduleContext(epoch, epochs=4) for epoch in range(4)]
        >>> [round(schedule.next(schedule.init(), context)[0], 2) for context in contexts]
        [1.0, 1.0, 0.1, 0.1]
    """

    family_name: ClassVar[str] = "schedule"
    needs_loss: ClassVar[bool] = False

    @property
    def each_step(self) -> bool:
        """The rate changes at each step, not only from epoch to epoch."""
        return getattr(self, "each", "epoch") == "step"

    def init(self) -> State:
        """The state before the first epoch."""
        return {}

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        """(factor on the rate, new state) for the epoch or step that starts at `context`."""
        raise interface_error(self, "Cosine()")

    def stop_reason(self, state: State) -> str | None:
        """The reason to end the run, where the schedule ends it; else None."""
        return None


EACH = ("epoch", "step")
FALL = "the rate decreases and stays positive"


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
        every: epochs between two reductions, at least 1. Default 10.
        factor: above 0 and at most 1. Default 0.1.

    Example:
        >>> import netwise as nw
        >>> nw.StepDecay(every=5, factor=0.5).next({}, nw.ScheduleContext(11, 20))[0]
        0.25

    Source: torch's `StepLR`.
    """

    every: int = integer(
        10,
        least=1,
        because="the rate falls after whole epochs",
        why="a few reductions in a usual run",
    )
    factor: float = number(0.1, above=0, most=1, because=FALL, why="torch's value")

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        return self.factor ** (context.epoch // self.every), state


@dataclass(frozen=True, kw_only=True)
class Milestones(Schedule):
    """Multiply the rate by `factor` at each of a few given epochs.

    Args:
        epochs: after which the rate is reduced, in increasing order. Default (82, 123): those of
            He et al. for CIFAR-10, 32,000 and 48,000 of 64,000 steps of 128 samples.
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
        ordered = sorted(set(self.epochs))
        if list(self.epochs) == ordered:
            return []
        given = str(list(self.epochs))
        return [Problem("epochs", given, "must be in increasing order", str(ordered))]

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        return self.factor ** sum(context.epoch >= epoch for epoch in self.epochs), state


@dataclass(frozen=True, kw_only=True)
class TwoStage(Schedule):
    """One rate at first, another from epoch `at` on: large steps far from the minimum, small ones
    near it.

    Args:
        at: epochs of the first stage, at least 1. Default 10.
        factor: of the second stage, above 0. Default 0.1.

    Example:
        >>> import netwise as nw
        >>> [nw.TwoStage(at=2).next({}, nw.ScheduleContext(e, 4))[0] for e in range(4)]
        [1.0, 1.0, 0.1, 0.1]

    Source: Nielsen 2015, Neural networks and deep learning, chapter 3, learning rate schedule.
    """

    at: int = integer(
        10, least=1, because="the first stage lasts whole epochs", why="half of a default run"
    )
    factor: float = number(
        0.1, above=0, because="a rate is positive", why="a tenth, as for StepDecay"
    )

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        return (1.0 if context.epoch < self.at else self.factor), state


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """Exponential decay: factor ** (epoch / every), smooth or in steps of `every` epochs.

    torch's `ExponentialLR` is this with every = 1; the `ExponentialDecay` of Keras counts batches
    instead of epochs.

    Args:
        factor: on the rate, per `every` epochs, above 0 and at most 1. Default 0.9.
        every: at least 1. Default 1.
        staircase: reduce the rate at whole multiples of `every` only. Default false.
        each: "epoch", or "step": the exponent then grows at each step. Default "epoch".

    Example:
        >>> import netwise as nw
        >>> schedule = nw.Exponential(factor=0.99)
        >>> round(0.2 * schedule.next({}, nw.ScheduleContext(39, 40))[0], 5)  # 0.2 * 0.99 ** 39
        0.13515

    Source: torch's `ExponentialLR`; Keras' `ExponentialDecay`.
    """

    factor: float = number(
        0.9, above=0, most=1, because=FALL, why="a third of the rate after ten epochs"
    )
    every: int = integer(
        1, least=1, because="it counts epochs", why="the factor is that of an epoch"
    )
    staircase: bool = flag(False, why="the smooth form of torch")
    each: str = text("epoch", among=EACH, why="as in torch")

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        turns = context.epoch / self.every
        return self.factor ** (math.floor(turns) if self.staircase else turns), state


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """Half a cosine from the full rate to `last` times it, (1 + cos(pi t / T)) / 2, optionally with
    restarts.

    Args:
        last: final factor, from 0 to 1. Default 0.0.
        restarts: how often the curve starts again at the full rate, from 0 to 100. Default 0.
        growth: length of each cycle in units of the one before, from 1 to 10. Default 1.0.
        each: "epoch", or "step" for a rate that changes at each step. Default "epoch".

    Example:
        >>> import netwise as nw
        >>> round(nw.Cosine().next({}, nw.ScheduleContext(5, 10))[0], 3)
        0.5
        >>> schedule = nw.Cosine(restarts=1)
        >>> [round(schedule.next({}, nw.ScheduleContext(e, 8))[0], 2) for e in range(8)]
        [1.0, 0.85, 0.5, 0.15, 1.0, 0.85, 0.5, 0.15]

    Source: Loshchilov, Hutter 2016, arXiv 1608.03983, eq. 5.
    """

    last: float = number(
        0.0, least=0, most=1, because="it is a share of the rate", why="the paper's value"
    )
    restarts: int = integer(
        0, least=0, most=100, because="it counts restarts", why="one cycle is enough for most runs"
    )
    growth: float = number(
        1.0, least=1, most=10, because="cycles do not shrink", why="equal cycles"
    )
    each: str = text("epoch", among=EACH, why="as in torch")

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        cycles = [self.growth**i for i in range(self.restarts + 1)]
        begin, now = 0.0, context.epoch / context.epochs * math.fsum(cycles)
        for length in cycles:
            # The last cycle includes what rounding puts beyond its end.
            if now - begin < length - 1e-9 or length is cycles[-1]:
                break
            begin += length
        wave = (1 + math.cos(math.pi * min((now - begin) / length, 1.0))) / 2
        return self.last + (1 - self.last) * wave, state


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """Rise from `start` times the rate to the rate, then fall to `last` times it; changes at each
    step.

    Both parts are half cosines. The optimizer's rate is the peak, so it can be several times a
    constant rate that works.

    Args:
        rise: share of the run that rises, above 0 and below 1. Default 0.3.
        start: factor at the start, above 0 and at most 1. Default 0.04 (1/25, torch's).
        last: factor at the end, from 0 to 1. Default 4e-6 (1/25 of a ten thousandth, torch's).

    Example:
        >>> import netwise as nw
        >>> contexts = [nw.ScheduleContext(epoch, 10) for epoch in (0, 3, 6.5, 10)]
        >>> [round(nw.OneCycle().next({}, context)[0], 3) for context in contexts]
        [0.04, 1.0, 0.5, 0.0]

    Source: Smith, Topin 2017, arXiv 1708.07120; torch's `OneCycleLR`, which also cycles the
    momentum: here it is constant.
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
    """From a (share 0) to b (share 1) along half a cosine."""
    return b + (a - b) * (1 + math.cos(math.pi * share)) / 2


SHAPES = ("triangular", "triangular2", "exp_range")


@dataclass(frozen=True, kw_only=True)
class Cyclical(Schedule):
    """Triangles: the rate rises in a straight line from `low` times the rate to the rate, falls
    back in another, and starts again; it changes at each step.

    With t epochs done, the factor is low + (1 - low) * a * max(0, 1 - |t / half - 2 c + 1|), where
    c = floor(1 + t / (2 half)) counts the triangles from 1. Their height a is 1 for "triangular",
    2 ** (1 - c) for "triangular2", where each triangle is half as high as the one before, and
    decay ** t for "exp_range". The optimizer's rate is the peak: Smith's `max_lr`.

    Args:
        low: factor at the feet of the triangles, Smith's `base_lr` over `max_lr`, from 0 to 1.
            Default 1/6: 0.001 to 0.006, as for CIFAR-10 in the paper.
        half: epochs from a foot to the next peak, above 0; the paper advises 2 to 10, and that the
            run ends at a foot. Default 4.0.
        shape: "triangular", "triangular2" or "exp_range". Default "triangular".
        decay: of "exp_range": factor on the height per epoch, above 0 and at most 1. torch and the
            paper have that of a step, which is this one's root. Default 0.97: the paper's 0.99994
            at 500 steps an epoch.

    Example:
        >>> import netwise as nw
        >>> schedule = nw.Cyclical(low=0.2, half=2)
        >>> [round(schedule.next({}, nw.ScheduleContext(e, 8))[0], 2) for e in range(8)]
        [0.2, 0.6, 1.0, 0.6, 0.2, 0.6, 1.0, 0.6]

    Source: Smith 2017, Cyclical learning rates for training neural networks, arXiv 1506.01186;
    torch's `CyclicLR`, which also cycles the momentum: here it is constant. As in torch,
    "exp_range" keeps the feet.
    """

    low: float = number(
        1 / 6, least=0, most=1, because="it is a share of the rate", why="the paper's, for CIFAR-10"
    )
    half: float = number(
        4.0, above=0, because="a triangle takes time", why="the paper's 2,000 steps on CIFAR-10"
    )
    shape: str = text("triangular", among=SHAPES, why="the simplest of the paper")
    decay: float = number(
        0.97, above=0, most=1, because="triangles do not grow", why="the paper's, for CIFAR-10"
    )
    each: ClassVar[str] = "step"

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        t = context.epoch / self.half
        c = math.floor(1 + t / 2)
        heights = {
            "triangular": 1.0,
            "triangular2": 2.0 ** (1 - c),
            "exp_range": self.decay**context.epoch,
        }
        height = heights[self.shape] * max(0.0, 1 - abs(t - 2 * c + 1))
        return self.low + (1 - self.low) * height, state


@dataclass(frozen=True, kw_only=True)
class WarmUp(Schedule):
    """Linear warm-up, step by step, times another schedule, whose epochs count from the start of
    the run.

    Args:
        epochs: length of the warm-up, above 0. Default 1.0.
        start: factor at the first step, from 0 to 1. Default 0.01.
        then: the other schedule. Default `ConstantRate()`.

    Example:
        >>> import netwise as nw
        >>> schedule = nw.WarmUp(epochs=2, start=0.0, then=nw.StepDecay(every=5))
        >>> [round(schedule.next({}, nw.ScheduleContext(e, 10))[0], 2) for e in (0, 0.5, 1, 2, 5)]
        [0.0, 0.25, 0.5, 1.0, 0.1]

    Source: Goyal et al. 2017, arXiv 1706.02677, section 2.2.
    """

    epochs: float = number(
        1.0, above=0, because="warm-up takes time", why="the first steps are the least stable"
    )
    start: float = number(
        0.01, least=0, most=1, because="it is a share of the rate", why="very small first steps"
    )
    then: Schedule = part(Schedule, ConstantRate(), why="warm-up alone")
    each: ClassVar[str] = "step"

    @property
    def needs_loss(self) -> bool:  # type: ignore[override]
        return self.then.needs_loss

    def init(self) -> State:
        return {**self.then.init(), "then.factor": 1.0}

    def next(self, state: State, context: ScheduleContext) -> tuple[float, State]:
        epoch_starts = float(context.epoch).is_integer()
        if epoch_starts or self.then.each_step:
            factor, inner = self.then.next(state, context)
            state = {**inner, "then.factor": factor}
        rising = self.start + (1 - self.start) * min(context.epoch / self.epochs, 1.0)
        return rising * state.get("then.factor", 1.0), state

    def stop_reason(self, state: State) -> str | None:
        return self.then.stop_reason(state)


@dataclass(frozen=True, kw_only=True)
class Plateau(Schedule):
    """Multiply the rate by `factor` when the validation loss has not improved for `patience`
    epochs.

    Args:
        factor: above 0 and below 1. Default 0.1.
        patience: epochs without improvement that are accepted, at least 0; the rate is reduced at
            the next. Default 10.
        threshold: share by which the loss must fall to count as improved, from 0 to below 1.
            Default 1e-4.
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

    Source: torch's `ReduceLROnPlateau`, with equal results.
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
    """Halve the rate when the validation loss gets worse, and end the run when the rate is a
    thousandth of its first value.

    A schedule and a stopping rule in one: `stop_reason` ends the run. torch's `ReduceLROnPlateau`
    has a lowest rate and does not stop.

    Args:
        factor: above 0 and below 1. Default 0.5.
        until: the run ends when the factor is at most this, above 0 and below 1. Default 0.001.
        patience: epochs without improvement after which the rate is reduced, at least 1. Default 1.

    Example:
        >>> import netwise as nw
        >>> schedule = nw.HalveUntil(until=0.25)
        >>> state = schedule.init()
        >>> for epoch, loss in enumerate([None, 1.0, 2.0, 2.0]):
        ...     factor, state = schedule.next(state, nw.ScheduleContext(epoch, 9, loss))
        >>> factor, schedule.stop_reason(state)
        (0.25, 'the rate has fallen to 0.25 of its start, which ends the run by HalveUntil')

    Source: Nielsen 2015, Neural networks and deep learning, chapter 3, learning rate schedule.
    """

    needs_loss: ClassVar[bool] = True
    factor: float = number(0.5, above=0, below=1, because=FALL, why="halves the rate")
    until: float = number(
        0.001,
        above=0,
        below=1,
        because="it is a share of the rate at the start",
        why="far below any useful rate",
    )
    patience: int = integer(
        1, least=1, because="it waits whole epochs", why="reacts to the first worse epoch"
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
        # 0.1 ** 3 is above 0.001 by one digit of rounding, and has reached it all the same.
        if state.get("factor", 1.0) > self.until * (1 + ROUNDING):
            return None
        fallen = f"the rate has fallen to {state['factor']:.2g} of its start"
        return f"{fallen}, which ends the run by HalveUntil"


SCHEDULES: tuple[type[Schedule], ...] = (
    ConstantRate,
    StepDecay,
    Milestones,
    TwoStage,
    Exponential,
    Cosine,
    OneCycle,
    Cyclical,
    WarmUp,
    Plateau,
    HalveUntil,
)
