"""Stopping: when a run ends before its last epoch, and which weights it keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from netwise.errors import interface_error
from netwise.part import Part, integer, number, part, text

State = dict[str, float]  # what a rule remembers; kept in checkpoints as text

LOSS, ACCURACY = "loss", "accuracy"


@dataclass(frozen=True)
class EpochResult:
    """What a stopping rule sees of an epoch that has ended.

    Args:
        epoch: its number, from 0.
        loss: validation loss (training loss where nothing is held out).
        train_loss: training loss.
        quality: validation accuracy or R2 (of the training part where nothing is held out); None
            where unknown.
        seconds: that the run has taken so far.

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


class Stopping(Part):
    """What every stopping rule has: `init` gives its memory, `next` looks at an epoch that has
    ended.

    Attributes:
        keeps_best: the run ends with the weights of its best epoch, not of its last.
        by: what makes an epoch the best: "loss" (the least) or "accuracy" (the most).

    Example:
        >>> import netwise as nw
        >>> nw.Never().keeps_best, nw.Patience().keeps_best
        (False, True)
    """

    family_name: ClassVar[str] = "stopping rule"
    keeps_best: ClassVar[bool] = False
    by: str = LOSS

    def init(self) -> State:
        """The memory before the first epoch."""
        return {}

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        """(why to stop or None, new memory) after the epoch of `result`."""
        raise interface_error(self, "Patience(10)")


@dataclass(frozen=True)
class Never(Stopping):
    """Run all epochs. The default: early in a study you want to see overfitting, not hide it.

    Example:
        >>> import netwise as nw
        >>> nw.Never().next({}, nw.EpochResult(3, 0.5))
        (None, {})

    Source: note 004, claim S07.
    """

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        return None, state


@dataclass(frozen=True)
class Patience(Stopping):
    """Stop when validation has found no new best for `epochs` epochs, and keep the best weights.

    A tie is no improvement.

    Args:
        epochs: how long to wait, at least 1. Default 10.
        by: "loss", or "accuracy" (R2 for numbers), as the note has it. Default "loss": it moves
            where accuracy stands still.

    Example:
        >>> import netwise as nw
        >>> rule, state = nw.Patience(2), nw.Patience(2).init()
        >>> for epoch, loss in enumerate([1.0, 0.5, 0.6, 0.5]):
        ...     why, state = rule.next(state, nw.EpochResult(epoch, loss))
        >>> why
        'validation loss found no new best in 2 epochs; its best, 0.5, was epoch 2'

    Source: note 000, claim S04.
    """

    keeps_best: ClassVar[bool] = True
    epochs: int = integer(
        10, least=1, because="it waits whole epochs", why="no improvement in ten, as in note 000"
    )
    by: str = text(LOSS, among=(LOSS, ACCURACY), why="it moves where accuracy stands still")

    def init(self) -> State:
        return {"best": math.inf, "epoch": -1}

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        value = monitored_value(result, self.by)
        if value < state["best"]:
            return None, {"best": value, "epoch": result.epoch}
        if result.epoch - state["epoch"] < self.epochs:
            return None, state
        best, at = abs(state["best"]), int(state["epoch"]) + 1
        return (
            f"validation {self.by} found no new best in {self.epochs} epochs; its best, {best:.4g}, was epoch {at}",
            state,
        )


def monitored_value(result: EpochResult, by: str) -> float:
    """What a new best must be below: the loss, or the negative accuracy."""
    if by == LOSS:
        return result.loss
    return math.inf if result.quality is None else -result.quality


@dataclass(frozen=True)
class TrainDownValidUp(Stopping):
    """Stop when the training loss falls while the validation loss rises, and keep the best weights.

    Args:
        epochs: so many such epochs in a row, at least 1. Default 1: the textbook's rule, which is
            hasty on noisy curves.

    Example:
        >>> import netwise as nw
        >>> rule, state = nw.TrainDownValidUp(), nw.TrainDownValidUp().init()
        >>> _, state = rule.next(state, nw.EpochResult(0, loss=0.50, train_loss=0.40))
        >>> rule.next(state, nw.EpochResult(1, loss=0.55, train_loss=0.30))[0]
        'in 1 epoch in a row the training loss fell while the validation loss rose'

    Source: Zhou 2016, Machine Learning (in Chinese), section 5.3; note 001, claim S05.
    """

    keeps_best: ClassVar[bool] = True
    epochs: int = integer(1, least=1, because="it counts whole epochs", why="the textbook's rule")

    def init(self) -> State:
        return {"train": math.nan, "valid": math.nan, "row": 0}

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        parted = result.train_loss < state["train"] and result.loss > state["valid"]
        row = state["row"] + 1 if parted else 0
        state = {"train": result.train_loss, "valid": result.loss, "row": row}
        if row < self.epochs:
            return None, state
        return (
            f"in {self.epochs} epoch{'s' * (self.epochs > 1)} in a row the training loss fell while the validation loss rose",
            state,
        )


@dataclass(frozen=True)
class TargetReached(Stopping):
    """Stop as soon as the validation accuracy (R2 for numbers) has reached `accuracy`.

    Args:
        accuracy: from 0 to 1. Default 0.95.

    Example:
        >>> import netwise as nw
        >>> nw.TargetReached(0.9).next({}, nw.EpochResult(4, loss=0.3, quality=0.91))[0]
        'the validation score 0.91 has reached 0.9'
    """

    accuracy: float = number(0.95, least=0, most=1, because="it is a share", why="a usual wish")

    def next(self, state: State, result: EpochResult) -> tuple[str | None, State]:
        if result.quality is None or result.quality < self.accuracy:
            return None, state
        return f"the validation score {result.quality:.4g} has reached {self.accuracy:g}", state


@dataclass(frozen=True)
class TimeBudget(Stopping):
    """Stop after the epoch in which `seconds` of training are over. Runs on unequal machines end at
    unequal epochs.

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
        told: list[str] = []
        after: State = {}
        for name, rule in (("one", self.one), ("other", self.other)):
            why, inner = rule.next(
                {
                    k.removeprefix(f"{name}."): v
                    for k, v in state.items()
                    if k.startswith(f"{name}.")
                },
                result,
            )
            after |= {f"{name}.{k}": v for k, v in inner.items()}
            if why is not None:
                told.append(why)
        return (told[0] if told else None), after


STOPPINGS: tuple[type[Stopping], ...] = (
    Never,
    Patience,
    TrainDownValidUp,
    TargetReached,
    TimeBudget,
    FirstOf,
)
