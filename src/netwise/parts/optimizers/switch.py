"""From one optimizer to another within a run: Adam to get near, plain descent for the last
stretch."""

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
    """One optimizer first, another from a given epoch on, or from when the validation loss finds no
    new best.

    The second begins with an empty state. Each has its own rate; the recipe's schedule is a factor
    on both.

    Args:
        first: Default `Adam()`.
        then: Default `SGD(lr=0.01, momentum=0.9)`.
        epoch: epochs of the first, at least 0; 0: until the plateau. Default 0.
        patience: the plateau: epochs without a new best validation loss, at least 1. Default 3.

    Example:
        >>> import netwise as nw
        >>> rule, state = nw.SwitchOptimizer(epoch=2), nw.SwitchOptimizer(epoch=2).start()
        >>> [type(rule.active(rule.next_state(state, epoch, 0.5))).__name__ for epoch in (0, 1, 2)]
        ['Adam', 'Adam', 'SGD']

    Source: Keskar, Socher 2017, arXiv 1712.07628, by hand; note 000, claim O08.
    """

    first: Optimizer = part(Optimizer, Adam(), why="gets near quickly")
    then: Optimizer = part(Optimizer, SGD(lr=0.01, momentum=0.9), why="ends in a better place")
    epoch: int = integer(0, least=0, because="it counts epochs", why="the plateau tells")
    patience: int = integer(
        3, least=1, because="it waits whole epochs", why="a plateau is longer than one bad epoch"
    )

    @property
    def lr(self) -> float:  # type: ignore[override]
        """Of the first."""
        return self.first.lr

    def start(self) -> State:
        """The state before the first epoch."""
        return {"best": math.inf, "waited": 0.0, "switched": 0.0}

    def next_state(self, state: State, epoch: float, loss: float | None) -> State:
        """The state when `epoch` (from 0) begins, after one that ended with this validation
        loss."""
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
        """The optimizer that the state says."""
        return self.then if state["switched"] else self.first

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return self.first.build(parameters)

    def init(self, w: Tensor) -> ParameterState:
        return self.first.init(w)

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        """A step of the first."""
        return self.first.step(w, g, state, t, lr)
