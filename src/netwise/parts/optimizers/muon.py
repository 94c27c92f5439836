"""Muon: orthogonalised momentum for the weight matrices between the first and the last layer."""

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

# The quintic iteration that moves singular values to 1 fastest (Jordan et al. 2024).
A, B, C = 3.4445, -4.7750, 2.0315
TINY = 1e-7  # smallest norm to divide by; torch's value


@dataclass(frozen=True, kw_only=True)
class Muon(Optimizer):
    """Momentum whose matrix is replaced by a nearly orthogonal one, so that all directions have
    steps of similar size.

        m <- beta m + (1 - beta) g,    u = orthogonal(g + beta (m - g))
        w <- w (1 - lr * weight_decay) - lr * sqrt(max(1, rows / columns)) * u

    `orthogonal` is a Newton-Schulz iteration in bfloat16, as in torch's `Muon`. Only for hidden
    matrices: the first and the last matrix of a network, biases and normalisation layers use
    `AdamW` with `rest_lr`. Convolutions are matrices of (outputs, inputs * height * width).

    Args:
        lr: learning rate of the hidden matrices, above 0. Default 0.02.
        momentum: from 0 to below 1. Default 0.95.
        nesterov: Nesterov momentum. Default true.
        weight_decay: at least 0. Default 0.0.
        rounds: iterations, from 1 to 99. Default 5.
        rest_lr: learning rate of the other parameters, above 0. Default 0.001.

    Example:
        >>> import netwise as nw, torch
        >>> rule, w = nw.Muon(lr=1.0), torch.zeros(3, 3)
        >>> g = torch.diag(torch.tensor([9.0, 1.0, 0.1]))
        >>> moved = -rule.step(w, g, rule.init(w), t=1)[0]
        >>> bool((moved.diagonal() > 0.5).all())  # similar steps for gradients of 0.1 to 9
        True

    Source: Jordan et al. 2024, Muon: an optimizer for hidden layers; torch's `Muon`.
    """

    lr: float = number(0.02, above=0, because=LR, why="the authors' value")
    momentum: float = number(
        0.95, least=0, below=1, because="at 1 the average never changes", why="the authors' value"
    )
    nesterov: bool = flag(True, why="the authors' choice")
    weight_decay: float = number(0.0, least=0, because=DECAY, why="no decay unless asked for")
    rounds: int = integer(
        5, least=1, most=99, because="it counts iterations", why="enough for singular values near 1"
    )
    rest_lr: float = number(0.001, above=0, because=LR, why="Adam's usual value")

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return _MuonAndAdamW(parameters, self)

    def init(self, w: Tensor) -> ParameterState:
        return {"m": torch.zeros_like(w)}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        m = state["m"].lerp(g, 1 - self.momentum)
        lookahead = (g.lerp(m, self.momentum) if self.nesterov else m).flatten(1)
        size = math.sqrt(max(1.0, lookahead.shape[0] / lookahead.shape[1]))
        u = orthogonal(lookahead, self.rounds).reshape(w.shape)
        return (w * (1 - rate * self.weight_decay)).add(u, alpha=-rate * size), {"m": m}


def orthogonal(g: Tensor, rounds: int) -> Tensor:
    """A matrix with the singular vectors of `g` and singular values of about 0.7 to 1.2, in
    bfloat16."""
    is_wide = g.shape[0] <= g.shape[1]
    x = g.bfloat16() if is_wide else g.bfloat16().T
    x = x / x.norm().clamp(min=TINY)
    for _ in range(rounds):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=B, alpha=C), x, beta=A)
    return x if is_wide else x.T


class _MuonAndAdamW(FormulaOptimizer):
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

    def formula_step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, group: dict[str, Any]
    ) -> tuple[Tensor, ParameterState]:
        if id(w) in self.hidden:
            return self.rule.step(w, g, state, t, group["lr"])
        return self.other.step(w, g, state, t, group["lr"] / self.rule.lr * self.rule.rest_lr)
