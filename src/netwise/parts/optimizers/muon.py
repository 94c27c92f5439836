"""Muon: momentum, made orthogonal, for the matrices between the first layer and the last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from netwise.part import flag, integer, number
from netwise.parts.optimizers.adaptive import AdamW
from netwise.parts.optimizers.optimizer import (
    DECAY,
    LR,
    FormulaOptimizer,
    Optimizer,
    Parameters,
    ParameterState,
)

A, B, C = (
    3.4445,
    -4.7750,
    2.0315,
)  # the quintic whose iterates go to 1 fastest from near 0 (Jordan et al. 2024)
TINY = 1e-7  # below the norm of any gradient that counts; torch's value


@dataclass(frozen=True, kw_only=True)
class Muon(Optimizer):
    """Momentum whose matrix is brought near the closest orthogonal one, so that all of its
    directions count alike.

        m <- beta m + (1 - beta) g,    u = orthogonal(g + beta (m - g)),    w <- w (1 - lr * weight_decay) - lr * sqrt(max(1, rows / columns)) * u

    By five rounds of a polynomial of the matrix, in bfloat16, as torch's `Muon` does it. Only for
    hidden matrices: the first and the last matrix of a network, biases and norm layers get `AdamW`
    with `rest_lr`. Convolutions count as matrices of (outputs, inputs * height * width).

    Args:
        lr: learning rate of the hidden matrices, above 0. Default 0.02.
        momentum: from 0 to below 1. Default 0.95.
        nesterov: look ahead along the momentum. Default true.
        weight_decay: at least 0. Default 0.0.
        rounds: of the polynomial, from 1 to 99. Default 5.
        rest_lr: of the other parameters, by AdamW without decay, above 0. Default 0.001.

    Example:
        >>> import netwise as nw, torch
        >>> rule, w = nw.Muon(lr=1.0), torch.zeros(3, 3)
        >>> moved = -rule.step(w, torch.diag(torch.tensor([9.0, 1.0, 0.1])), rule.init(w), t=1)[0]
        >>> bool((moved.diagonal() > 0.5).all())  # a gradient 90 times as large moves hardly farther
        True

    Source: Jordan et al. 2024, Muon: an optimizer for hidden layers; torch's `Muon`.
    """

    lr: float = number(0.02, above=0, because=LR, why="the authors' value")
    momentum: float = number(
        0.95, least=0, below=1, because="at 1 steps never die down", why="the authors' value"
    )
    nesterov: bool = flag(True, why="the authors' choice")
    weight_decay: float = number(0.0, least=0, because=DECAY, why="no decay unless asked for")
    rounds: int = integer(
        5, least=1, most=99, because="it counts rounds", why="enough for singular values near 1"
    )
    rest_lr: float = number(0.001, above=0, because=LR, why="Adam's usual value")

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return _Mixed(parameters, self)

    def init(self, w: Tensor) -> ParameterState:
        return {"m": torch.zeros_like(w)}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        m = state["m"].lerp(g, 1 - self.momentum)
        ahead = (g.lerp(m, self.momentum) if self.nesterov else m).flatten(1)
        size = math.sqrt(max(1.0, ahead.shape[0] / ahead.shape[1]))
        u = orthogonal(ahead, self.rounds).reshape(w.shape)
        return (w * (1 - rate * self.weight_decay)).add(u, alpha=-rate * size), {"m": m}


def orthogonal(g: Tensor, rounds: int) -> Tensor:
    """A matrix with the singular vectors of `g` and singular values of about 0.7 to 1.2, in
    bfloat16."""
    wide = g.shape[0] <= g.shape[1]
    x = g.bfloat16() if wide else g.bfloat16().T
    x = x / x.norm().clamp(min=TINY)
    for _ in range(rounds):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=B, alpha=C), x, beta=A)
    return x if wide else x.T


class _Mixed(FormulaOptimizer):
    """Muon for hidden matrices, AdamW for the rest."""

    rule: Muon

    def __init__(self, parameters: Parameters, rule: Muon) -> None:
        super().__init__(parameters, rule)
        matrices = [p for group in self.param_groups for p in group["params"] if p.dim() > 1]
        self.hidden = {id(p) for p in matrices[1:-1]}
        self.other = AdamW(lr=rule.rest_lr, weight_decay=0.0)

    def _move(self, p: Tensor, group: dict[str, Any]) -> None:
        if not self.state[p]:
            rule: Optimizer = self.rule if id(p) in self.hidden else self.other
            self.state[p].update(rule.init(p), t=torch.zeros((), dtype=torch.float64))
        super()._move(p, group)

    def taken(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, group: dict[str, Any]
    ) -> tuple[Tensor, ParameterState]:
        if id(w) in self.hidden:
            return self.rule.step(w, g, state, t, group["lr"])
        return self.other.step(w, g, state, t, group["lr"] / self.rule.lr * self.rule.rest_lr)
