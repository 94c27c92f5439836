"""Optimizers as combinations of a rule for the first moment of the gradient and one for the
second."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.part import flag, number, text
from netwise.parts.optimizers.optimizer import (
    FINITE,
    FORGETS,
    LR,
    FormulaOptimizer,
    Optimizer,
    Parameters,
    ParameterState,
)

GRADIENT, AVERAGE, ONE, SUM = "gradient", "average", "one", "sum"


@dataclass(frozen=True, kw_only=True)
class MomentOptimizer(Optimizer):
    """An optimizer combined from a rule for each of the two moments of the gradient.

        m_t = g_t                          first = "gradient"
              beta1 m + (1 - beta1) g_t    first = "average"
        V_t = 1                            second = "one"
              V + g_t^2                    second = "sum"
              beta2 V + (1 - beta2) g_t^2  second = "average"
        w  <- w - lr * m_t / (sqrt(V_t) + epsilon)

    "gradient" and "one" is plain descent, "average" and "one" `Momentum`, "gradient" and "sum"
    `Adagrad`, "gradient" and "average" `RMSProp`, "average" and "average" with `corrected` `Adam`.
    With "one" there is no epsilon.

    Args:
        lr: learning rate, above 0. Default 0.01.
        first, second: the two rules. Defaults "average" and "average".
        beta1, beta2: decay of the averages, from 0 to below 1. Defaults 0.9 and 0.999.
        corrected: divide each average by 1 - beta^t, which corrects its start at 0. Default
            true.
        epsilon: added to the denominator, above 0. Default 1e-8.

    Example:
        >>> import netwise as nw, torch
        >>> w = torch.tensor([1.0])
        >>> rule = nw.MomentOptimizer(lr=0.5, first="gradient", second="one")
        >>> rule.step(w, torch.tensor([1.0]), rule.init(w), t=1)[0].item()
        0.5

    Source: Reddi, Kale, Kumar 2018, arXiv 1904.09237, algorithm 1 (generic adaptive method).
    """

    lr: float = number(0.01, above=0, because=LR, why="between Adam's and descent's usual rates")
    first: str = text(AVERAGE, among=(GRADIENT, AVERAGE), why="Adam's")
    second: str = text(AVERAGE, among=(ONE, SUM, AVERAGE), why="Adam's")
    beta1: float = number(0.9, least=0, below=1, because=FORGETS, why="Adam's value")
    beta2: float = number(0.999, least=0, below=1, because=FORGETS, why="Adam's value")
    corrected: bool = flag(True, why="as in Adam")
    epsilon: float = number(1e-8, above=0, because=FINITE, why="the Adam paper's value")

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return FormulaOptimizer(parameters, self)

    def init(self, w: Tensor) -> ParameterState:
        return {"m": torch.zeros_like(w), "V": torch.zeros_like(w)}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        m = g if self.first == GRADIENT else self.beta1 * state["m"] + (1 - self.beta1) * g
        V = self._second_moment(g, state["V"])
        m_hat = m / (1 - self.beta1**t) if self.corrected and self.first == AVERAGE else m
        return w - self.rates({"m": m, "V": V}, t, lr) * m_hat, {"m": m, "V": V}

    def _second_moment(self, g: Tensor, V: Tensor) -> Tensor:
        if self.second == ONE:
            return torch.ones_like(g)
        return (
            V + g.square() if self.second == SUM else self.beta2 * V + (1 - self.beta2) * g.square()
        )

    def rates(self, state: ParameterState, t: int, lr: float | None = None) -> Tensor:
        """The learning rate of each weight in step `t`, of the shape of the weight; with "sum"
        rates fall to 0.

        Args:
            state: after the step.
            t: number of the step, from 1.
            lr: learning rate of the step; None: the optimizer's own.
        """
        rate, V = self.lr if lr is None else lr, state["V"]
        if self.second == ONE:
            return rate * V
        if self.corrected and self.second == AVERAGE:
            V = V / (1 - self.beta2**t)
        return rate / (V.sqrt() + self.epsilon)
