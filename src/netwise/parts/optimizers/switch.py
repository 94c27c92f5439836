"""A change of the optimizer within a run, such as from Adam to plain descent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.part import integer, part
from netwise.parts.optimizers.adaptive import Adam
from netwise.parts.optimizers.descent import SGD
from netwise.parts.optimizers.optimizer import Optimizer, Parameters, ParameterState

State = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class SwitchOptimizer(Optimizer):
    """One optimizer first, another from a given epoch on, or once the validation loss stops
    improving.

    The second starts with an empty state. Each has its own learning rate; the recipe's schedule is
    a factor on both.

    Args:
        first: the first optimizer. Default `Adam()`.
        then: the second. Default `SGD(lr=0.01, momentum=0.9)`.
        epoch: number of epochs of the first, at least 0; 0: until the validation loss stops
            improving. Default 0.
        patience: epochs without improvement before the change, at least 1. Default 3.

    Example:
        >>> import netwise as nw
        >>> rule = nw.SwitchOptimizer(epoch=2)
        >>> states = [rule.next_state(rule.start(), epoch, 0.5) for epoch in (0, 1, 2)]
        >>> [type(rule.active(state)).__name__ for state in states]
        ['Adam', 'Adam', 'SGD']

    Source: Keskar, Socher 2017, arXiv 1712.07628, with a fixed criterion.
    """

    first: Optimizer = part(Optimizer, Adam(), why="fast at first")
    then: Optimizer = part(
        Optimizer, SGD(lr=0.01, momentum=0.9), why="often generalises better at the end"
    )
    epoch: int = integer(
        0, least=0, because="it counts epochs", why="when the validation loss stops improving"
    )
    patience: int = integer(
        3, least=1, because="it waits whole epochs", why="longer than the noise of single epochs"
    )

    @property
    def lr(self) -> float:  # type: ignore[override]
        """Of the first optimizer."""
        return self.first.lr

    def start(self) -> State:
        """The state before the first epoch."""
        return {"best": math.inf, "waited": 0.0, "switched": 0.0}

    def next_state(self, state: State, epoch: float, loss: float | None) -> State:
        """The state at the start of `epoch` (from 0); `loss` is the validation loss of the epoch
        before, None where there is none."""
        if state["switched"]:
            return state
        if self.epoch:
            return {**state, "switched": float(epoch >= self.epoch)}
        if loss is None:
            return state
        if loss < state["best"]:
            return {"best": loss, "waited": 0.0, "switched": 0.0}
        waited = state["waited"] + 1
        return {**state, "waited": waited, "switched": float(waited >= self.patience)}

    def active(self, state: State) -> Optimizer:
        """The optimizer in use in this state."""
        return self.then if state["switched"] else self.first

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return self.first.build(parameters)

    def init(self, w: Tensor) -> ParameterState:
        return self.first.init(w)

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        """A step of the first optimizer."""
        return self.first.step(w, g, state, t, lr)
