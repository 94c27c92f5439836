"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from netwise.part import flag, integer, number, text
from netwise.parts.optimizers.optimizer import (
    DECAY,
    LR,
    FormulaOptimizer,
    Optimizer,
    Parameters,
    ParameterState,
)


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum in the classic form.

        v <- momentum * v + g,    w <- w - lr * v
        nesterov:                 w <- w - lr * (g + momentum * v)

    The recipe's `batch_size` decides how many samples a step uses: 1 is online learning, all
    samples full-batch gradient descent, anything between mini-batch descent. `Momentum` is the form
    that averages gradients; it makes the same steps at lr / (1 - momentum).

    Args:
        lr: learning rate, above 0. Default 0.1.
        momentum: factor on the velocity, from 0 to below 1. Default 0.0.
        nesterov: Nesterov momentum. Default false.
        weight_decay: adds weight_decay * w to the gradient, at least 0. Default 0.0.

    Example:
        >>> import netwise as nw
        >>> nw.SGD(lr=0.1, momentum=0.9)
        SGD(lr=0.1, momentum=0.9, nesterov=False, weight_decay=0.0)

    Source: Polyak 1964; Nesterov 1983; Sutskever, Martens, Dahl, Hinton 2013.
    """

    lr: float = number(
        0.1, above=0, because=LR, why="safe for standardised inputs; search it first"
    )
    momentum: float = number(
        0.0, least=0, below=1, because="at 1 the velocity never decays", why="plain descent"
    )
    nesterov: bool = flag(False, why="plain momentum")
    weight_decay: float = number(0.0, least=0, because=DECAY, why="no decay unless asked for")

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            parameters,
            lr=self.lr,
            momentum=self.momentum,
            nesterov=self.nesterov and self.momentum > 0,
            weight_decay=self.weight_decay,
            fused=True,
        )

    def init(self, w: Tensor) -> ParameterState:
        return {"v": torch.zeros_like(w)}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        g = g + self.weight_decay * w
        v = self.momentum * state["v"] + g
        ahead = g + self.momentum * v if self.nesterov else v
        return w - rate * ahead, {"v": v}


AVERAGE, CLASSIC = "average", "classic"


@dataclass(frozen=True, kw_only=True)
class Momentum(Optimizer):
    """Momentum (动量) as a running mean of the gradient; its factor may grow in the first epochs.

        average:  m <- beta m + (1 - beta) g,    w <- w - lr * m
        classic:  m <- beta m + g,               w <- w - lr * m

    beta grows linearly from `begin` to `momentum` over `ramp` epochs, then is constant. torch's
    `SGD` has the classic form; with dampening = momentum it is the averaged one from the second
    step on (its first step is lr * g).

    Args:
        lr: learning rate, above 0. Default 0.1.
        momentum: final beta, from 0 to below 1. Default 0.9.
        form: "average" or "classic" (torch's). Default "average".
        begin: beta in the first epoch, from 0 to below 1. Default 0.0.
        ramp: epochs from `begin` to `momentum`, at least 0. Default 0: `momentum` from the start.

    Example:
        >>> import netwise as nw
        >>> rule = nw.Momentum(momentum=0.9, ramp=10)
        >>> [round(rule.beta(epoch), 2) for epoch in (0, 5, 10, 20)]
        [0.0, 0.45, 0.9, 0.9]

    Source: Polyak 1964; the growing beta: Sutskever, Martens, Dahl, Hinton 2013, On the importance
    of initialization and momentum.
    """

    lr: float = number(
        0.1, above=0, because=LR, why="safe for standardised inputs; search it first"
    )
    momentum: float = number(
        0.9, least=0, below=1, because="at 1 the velocity never decays", why="a usual value"
    )
    form: str = text(AVERAGE, among=(AVERAGE, CLASSIC), why="its steps do not grow with beta")
    begin: float = number(
        0.0,
        least=0,
        below=1,
        because="at 1 the velocity never decays",
        why="the gradient alone at first",
    )
    ramp: int = integer(0, least=0, because="it counts epochs", why="no ramp unless asked for")

    def beta(self, epoch: float) -> float:
        """beta in `epoch`."""
        if epoch >= self.ramp:
            return self.momentum
        return self.begin + (self.momentum - self.begin) * epoch / self.ramp

    def group_settings(self, epoch: float) -> Mapping[str, float]:
        return {"momentum": self.beta(epoch)}

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return _Ramped(parameters, self, momentum=self.beta(0))

    def init(self, w: Tensor) -> ParameterState:
        return {"m": torch.zeros_like(w)}

    def step(
        self,
        w: Tensor,
        g: Tensor,
        state: ParameterState,
        t: int,
        lr: float | None = None,
        beta: float | None = None,
    ) -> tuple[Tensor, ParameterState]:
        rate, share = self.lr if lr is None else lr, self.momentum if beta is None else beta
        m = share * state["m"] + ((1 - share) * g if self.form == AVERAGE else g)
        return w - rate * m, {"m": m}


class _Ramped(FormulaOptimizer):
    """Passes the current beta to the formula."""

    rule: Momentum

    def formula_step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, group: dict[str, Any]
    ) -> tuple[Tensor, ParameterState]:
        return self.rule.step(w, g, state, t, group["lr"], group["momentum"])
