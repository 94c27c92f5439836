"""Stopping: when a run ends before its last epoch, and which weights it keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from netwise.fields import Part, integer

State = dict[str, float]  # what a rule remembers; kept in checkpoints as text


class Stopping(Part):
    """What every stopping rule has: `init` gives its memory, `next` looks at an epoch that has ended.

    Attributes:
        keeps_best: the run ends with the weights of its best epoch, not of its last.

    Example:
        >>> import netwise as nw
        >>> nw.Never().keeps_best, nw.Patience().keeps_best
        (False, True)
    """

    called: ClassVar[str] = "stopping rule"
    keeps_best: ClassVar[bool] = False

    def init(self) -> State:
        """The memory before the first epoch."""
        return {}

    def next(self, state: State, epoch: int, loss: float) -> tuple[str | None, State]:
        """(why to stop or None, new memory) after `epoch` (from 0) ended with this validation loss."""
        raise TypeError(f"{type(self).__name__} is an interface: write one of its members, such as Patience(10)")


@dataclass(frozen=True)
class Never(Stopping):
    """Run all epochs. The default: early in a study you want to see overfitting, not hide it.

    Example:
        >>> import netwise as nw
        >>> nw.Never().next({}, 3, 0.5)
        (None, {})

    Source: note 004, claim S07.
    """

    def next(self, state: State, epoch: int, loss: float) -> tuple[str | None, State]:
        return None, state


@dataclass(frozen=True)
class Patience(Stopping):
    """Stop when the validation loss has found no new best for `epochs` epochs, and keep the best weights.

    A tie is no improvement.

    Args:
        epochs: how long to wait, at least 1. Default 10.

    Example:
        >>> import netwise as nw
        >>> rule, state = nw.Patience(2), nw.Patience(2).init()
        >>> for epoch, loss in enumerate([1.0, 0.5, 0.6, 0.5]):
        ...     why, state = rule.next(state, epoch, loss)
        >>> why
        'validation loss found no new best in 2 epochs; its best, 0.5, was epoch 2'

    Source: note 000, claim S04.
    """

    keeps_best: ClassVar[bool] = True
    epochs: int = integer(10, least=1, because="it waits whole epochs", why="no improvement in ten, as in note 000")

    def init(self) -> State:
        return {"best": math.inf, "epoch": -1}

    def next(self, state: State, epoch: int, loss: float) -> tuple[str | None, State]:
        if loss < state["best"]:
            return None, {"best": loss, "epoch": epoch}
        if epoch - state["epoch"] < self.epochs:
            return None, state
        best, at = state["best"], int(state["epoch"]) + 1
        return f"validation loss found no new best in {self.epochs} epochs; its best, {best:.4g}, was epoch {at}", state


STOPPINGS: tuple[type[Stopping], ...] = (Never, Patience)
