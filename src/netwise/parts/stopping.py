"""Stopping: when a run ends before its last epoch, and which weights it keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from netwise.errors import interface_error
from netwise.part import Part, integer, number, part, text
from netwise.scoring.metrics import metric_named

State = dict[str, float]  # of a stopping rule; saved in checkpoints

LOSS, ACCURACY = "loss", "accuracy"


@dataclass(frozen=True)
class EpochResult:
    """The measurements of one epoch that a stopping rule is given.

    Args:
        epoch: its number, from 0.
        loss: validation loss (training loss where there is no validation part).
        train_loss: training loss.
        quality: validation accuracy or R2 (of the training part where there is no validation
            part); None where unknown.
        seconds: training time since the run began.
        metric, value: name of the recipe's metric, and its value; "" and nan where the recipe names
            none.

    Example:
        >>> import netwise as nw
        >>> nw.EpochResult(epoch=3, loss=0.5).quality is None
        True
    """

    epoch: int
    loss: float
    train_loss: float = math.nan
    quality: float | None = None
    seconds: float = 0.0
    metric: str = ""
    value: float = math.nan


class Stopping(Part):
    """Interface of stopping rules: `init` gives the initial state, `next` is called after each
    epoch.

    Attributes:
        keeps_best: the run ends with the weights of its best epoch instead of its last.
        by: the criterion of the best epoch: lowest "loss" or highest "accuracy". In place of the
            loss the metric counts that the recipe names.

    Example:
        >>> import netwise as nw
        >>> nw.Never().keeps_best, nw.Patience().keeps_best
        (False, True)
    """

    family_name: ClassVar[str] = "stopping rule"
    keeps_best: ClassVar[bool] = False
    by: str = LOSS

    def init(self) -> State:
        """The state before the first epoch."""
        return {}

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        """(reason to stop or None, new state) after the epoch of `result`."""
        raise interface_error(self, "Patience(10)")


@dataclass(frozen=True)
class Never(Stopping):
    """Run all epochs. The default: at the start of a study overfitting should be visible.

    Example:
        >>> import netwise as nw
        >>> nw.Never().next({}, nw.EpochResult(3, 0.5))
        (None, {})

    Source: Nielsen 2015, Neural networks and deep learning, chapter 3, early stopping.
    """

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        return None, state


@dataclass(frozen=True)
class Patience(Stopping):
    """Early stopping (早停法): stop after `epochs` epochs without improvement, and keep the best
    weights.

    An equal value is no improvement.

    Args:
        epochs: how long to wait, at least 1. Default 10.
        by: "loss", or "accuracy" (R2 for regression). Default "loss": it still changes where
            accuracy is constant. Where the recipe names a metric, that counts in place of the
            loss.

    Example:
        >>> import netwise as nw
        >>> rule, state = nw.Patience(2), nw.Patience(2).init()
        >>> for epoch, loss in enumerate([1.0, 0.5, 0.6, 0.5]):
        ...     why, state = rule.next(state, nw.EpochResult(epoch, loss))
        >>> why
        'validation loss found no new best in 2 epochs; its best, 0.5, was epoch 2'

    Source: Prechelt 1998, Early stopping - but when?; Nielsen 2015, chapter 3.
    """

    keeps_best: ClassVar[bool] = True
    epochs: int = integer(
        10,
        least=1,
        because="it waits whole epochs",
        why="no improvement in ten epochs (Nielsen 2015)",
    )
    by: str = text(LOSS, among=(LOSS, ACCURACY), why="it still changes where accuracy is constant")

    def init(self) -> State:
        return {"best": math.inf, "epoch": -1}

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        value = monitored_value(result, self.by)
        if value < state["best"]:
            return None, {"best": value, "epoch": result.epoch}
        if result.epoch - state["epoch"] < self.epochs:
            return None, state
        best, at = abs(state["best"]), int(state["epoch"]) + 1
        name = result.metric if self.by == LOSS and result.metric else self.by
        reason = (
            f"validation {name.replace('_', ' ')} found no new best in {self.epochs} epochs; its"
            f" best, {best:.4g}, was epoch {at}"
        )
        return reason, state


def monitored_value(result: EpochResult, by: str) -> float:
    """The quantity to minimise: the loss, the negative accuracy, or in place of the loss the metric
    of the recipe, where it names one."""
    if by == LOSS and result.metric:
        goal = metric_named(result.metric).goal(result.value)
        return math.inf if math.isnan(goal) else -goal
    if by == LOSS:
        return result.loss
    return math.inf if result.quality is None else -result.quality


@dataclass(frozen=True)
class TrainDownValidUp(Stopping):
    """Stop when the training loss falls while the validation loss rises, and keep the best weights.

    Args:
        epochs: number of such epochs in a row, at least 1. Default 1: the textbook's rule, which
            stops too early on noisy curves.

    Example:
        >>> import netwise as nw
        >>> rule, state = nw.TrainDownValidUp(), nw.TrainDownValidUp().init()
        >>> _, state = rule.next(state, nw.EpochResult(0, loss=0.50, train_loss=0.40))
        >>> rule.next(state, nw.EpochResult(1, loss=0.55, train_loss=0.30))[0]
        'in 1 epoch in a row the training loss fell while the validation loss rose'

    Source: Zhou 2016, Machine Learning (in Chinese), section 5.3.
    """

    keeps_best: ClassVar[bool] = True
    epochs: int = integer(1, least=1, because="it counts whole epochs", why="the textbook's rule")

    def init(self) -> State:
        return {"train": math.nan, "valid": math.nan, "row": 0}

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        diverged = result.train_loss < state["train"] and result.loss > state["valid"]
        row = state["row"] + 1 if diverged else 0
        state = {"train": result.train_loss, "valid": result.loss, "row": row}
        if row < self.epochs:
            return None, state
        reason = (
            f"in {self.epochs} epoch{'s' * (self.epochs > 1)} in a row the training loss fell while"
            " the validation loss rose"
        )
        return reason, state


@dataclass(frozen=True)
class TargetReached(Stopping):
    """Stop as soon as the validation accuracy (R2 for regression) has reached `accuracy`.

    Args:
        accuracy: from 0 to 1. Default 0.95.

    Example:
        >>> import netwise as nw
        >>> nw.TargetReached(0.9).next({}, nw.EpochResult(4, loss=0.3, quality=0.91))[0]
        'the validation score 0.91 has reached 0.9'
    """

    accuracy: float = number(0.95, least=0, most=1, because="it is a share", why="a common target")

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        if result.quality is None or result.quality < self.accuracy:
            return None, state
        return f"the validation score {result.quality:.4g} has reached {self.accuracy:g}", state


@dataclass(frozen=True)
class TimeBudget(Stopping):
    """Stop after the epoch in which the training time reaches `seconds`. The number of epochs then
    depends on the speed of the machine.

    Args:
        seconds: above 0. Default 1800.

    Example:
        >>> import netwise as nw
        >>> nw.TimeBudget(60).next({}, nw.EpochResult(4, loss=0.3, seconds=61.2))[0]
        'the budget of 60 s is used up (61 s)'
    """

    seconds: float = number(1800.0, above=0, because="a run takes time", why="half an hour")

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        if result.seconds < self.seconds:
            return None, state
        return f"the budget of {self.seconds:g} s is used up ({result.seconds:.0f} s)", state


@dataclass(frozen=True)
class FirstOf(Stopping):
    """Stop at the first of two rules; keeps the best weights where the first of them does.

    Args:
        one, other: the rules. Defaults: `Patience()` and `TimeBudget()`.

    Example:
        >>> import netwise as nw
        >>> rule = nw.FirstOf(nw.Patience(5), nw.TargetReached(0.99))
        >>> rule.next(rule.init(), nw.EpochResult(0, loss=0.1, quality=0.995))[0]
        'the validation score 0.995 has reached 0.99'
    """

    one: Stopping = part(Stopping, Patience(), why="the usual rule")
    other: Stopping = part(Stopping, TimeBudget(), why="an end in any case")

    @property
    def keeps_best(self) -> bool:  # type: ignore[override]
        return self.one.keeps_best

    @property
    def by(self) -> str:  # type: ignore[override]
        return self.one.by

    def init(self) -> State:
        return {f"one.{k}": v for k, v in self.one.init().items()} | {
            f"other.{k}": v for k, v in self.other.init().items()
        }

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        reasons: list[str] = []
        new_state: State = {}
        for name, rule in (("one", self.one), ("other", self.other)):
            prefix = f"{name}."
            own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            reason, own = rule.next(own, result)
            new_state |= {prefix + k: v for k, v in own.items()}
            if reason is not None:
                reasons.append(reason)
        return (reasons[0] if reasons else None), new_state


STOPPINGS: tuple[type[Stopping], ...] = (
    Never,
    Patience,
    TrainDownValidUp,
    TargetReached,
    TimeBudget,
    FirstOf,
)
