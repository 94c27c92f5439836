"""Optimizers that give each weight a rate of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.part import number
from netwise.parts.optimizers.optimizer import (
    DECAY,
    FINITE,
    FORGETS,
    LR,
    FormulaOptimizer,
    Optimizer,
    Parameters,
    ParameterState,
)


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Adam: momentum over a running size of the gradient, each corrected for its start at 0.

        m <- b1 m + (1 - b1) g,    v <- b2 v + (1 - b2) g^2
        w <- w - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)

    Args:
        lr: learning rate, above 0. Default 0.001.
        beta1: state of the gradient, from 0 to below 1. Default 0.9.
        beta2: state of its square, from 0 to below 1. Default 0.999.
        epsilon: keeps the division finite, above 0. Default 1e-8.

    Example:
        >>> import netwise as nw
        >>> nw.Adam(lr=0.01).lr
        0.01

    Source: Kingma, Ba 2014, arXiv 1412.6980, algorithm 1; note 001, claim O04 (erratum E06: the
    note prints one beta).
    """

    lr: float = number(0.001, above=0, because=LR, why="the paper's value")
    beta1: float = number(0.9, least=0, below=1, because=FORGETS, why="the paper's value")
    beta2: float = number(0.999, least=0, below=1, because=FORGETS, why="the paper's value")
    epsilon: float = number(1e-8, above=0, because=FINITE, why="the paper's value")

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.epsilon, fused=True
        )

    def init(self, w: Tensor) -> ParameterState:
        return {"m": torch.zeros_like(w), "v": torch.zeros_like(w)}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        m = self.beta1 * state["m"] + (1 - self.beta1) * g
        v = self.beta2 * state["v"] + (1 - self.beta2) * g.square()
        m_hat, v_hat = m / (1 - self.beta1**t), v / (1 - self.beta2**t)
        return w - rate * m_hat / (v_hat.sqrt() + self.epsilon), {"m": m, "v": v}


@dataclass(frozen=True, kw_only=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: each step also shrinks w by lr * weight_decay * w.

    Args:
        lr, beta1, beta2, epsilon: as in `Adam`.
        weight_decay: at least 0. Default 0.01.

    Example:
        >>> import netwise as nw
        >>> nw.AdamW().weight_decay
        0.01

    Source: Loshchilov, Hutter 2017, arXiv 1711.05101, algorithm 2.
    """

    weight_decay: float = number(0.01, least=0, because=DECAY, why="torch's value")

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            parameters,
            lr=self.lr,
            betas=(self.beta1, self.beta2),
            eps=self.epsilon,
            weight_decay=self.weight_decay,
            fused=True,
        )

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        return super().step(w * (1 - rate * self.weight_decay), g, state, t, lr)


@dataclass(frozen=True, kw_only=True)
class RMSProp(Optimizer):
    """RMSProp: the gradient over a running size of itself, as torch has it (epsilon outside the
    root).

        v <- decay * v + (1 - decay) g^2,    w <- w - lr * g / (sqrt(v) + epsilon)

    Args:
        lr: learning rate, above 0. Default 0.001.
        decay: state of the squared gradient, from 0 to below 1. Default 0.9 (torch's own default
            is 0.99).
        epsilon: keeps the division finite, above 0. Default 1e-8.

    Example:
        >>> import netwise as nw
        >>> nw.RMSProp().decay
        0.9

    Source: Tieleman, Hinton 2012, lecture 6.5; note 001, claim O03.
    """

    lr: float = number(0.001, above=0, because=LR, why="the lecture's value")
    decay: float = number(
        0.9, least=0, below=1, because=FORGETS, why="the lecture's and the notes' value"
    )
    epsilon: float = number(1e-8, above=0, because=FINITE, why="torch's value")

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, lr=self.lr, alpha=self.decay, eps=self.epsilon)

    def init(self, w: Tensor) -> ParameterState:
        return {"v": torch.zeros_like(w)}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        v = self.decay * state["v"] + (1 - self.decay) * g.square()
        return w - rate * g / (v.sqrt() + self.epsilon), {"v": v}


@dataclass(frozen=True, kw_only=True)
class Adagrad(Optimizer):
    """Adagrad: the gradient over the root of the sum of all its squares so far.

        v <- v + g^2,    w <- w - lr * g / (sqrt(v) + epsilon)

    The sum only grows, so the rate of every weight falls towards 0 (claim O09): for sparse
    features, not for long runs.

    Args:
        lr: learning rate, above 0. Default 0.01.
        epsilon: keeps the division finite, above 0. Default 1e-10.
        start: the sum before the first step, at least 0. Default 0.0, torch's and the notes'; Keras
            has 0.1.

    Example:
        >>> import netwise as nw
        >>> nw.Adagrad().lr
        0.01

    Source: Duchi, Hazan, Singer 2011; note 001, claim O02.
    """

    lr: float = number(0.01, above=0, because=LR, why="torch's value")
    epsilon: float = number(1e-10, above=0, because=FINITE, why="torch's value")
    start: float = number(
        0.0, least=0, because="a sum of squares", why="torch's and the notes' value"
    )

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.Adagrad(
            parameters, lr=self.lr, eps=self.epsilon, initial_accumulator_value=self.start
        )

    def init(self, w: Tensor) -> ParameterState:
        return {"v": torch.full_like(w, self.start)}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        v = state["v"] + g.square()
        return w - rate * g / (v.sqrt() + self.epsilon), {"v": v}


@dataclass(frozen=True, kw_only=True)
class Adadelta(Optimizer):
    """Adadelta: the step in units of the steps so far, over the size of the gradients so far;
    hardly needs a rate.

        v <- rho v + (1 - rho) g^2
        d = sqrt(u + epsilon) / sqrt(v + epsilon) * g,    u <- rho u + (1 - rho) d^2,    w <- w - lr * d

    Args:
        lr: factor on the step, above 0. Default 1.0, the paper's.
        rho: state of both squares, from 0 to below 1. Default 0.9.
        epsilon: above 0; its root is about the size of the first steps. Default 1e-6.

    Example:
        >>> import netwise as nw
        >>> nw.Adadelta().rho
        0.9

    Source: Zeiler 2012, arXiv 1212.5701, algorithm 1.
    """

    lr: float = number(1.0, above=0, because=LR, why="the paper has no rate")
    rho: float = number(0.9, least=0, below=1, because=FORGETS, why="torch's value")
    epsilon: float = number(
        1e-6, above=0, because="without it no step is ever taken", why="the paper's value"
    )

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.Adadelta(parameters, lr=self.lr, rho=self.rho, eps=self.epsilon)

    def init(self, w: Tensor) -> ParameterState:
        return {"v": torch.zeros_like(w), "u": torch.zeros_like(w)}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        v = self.rho * state["v"] + (1 - self.rho) * g.square()
        d = (state["u"] + self.epsilon).sqrt() / (v + self.epsilon).sqrt() * g
        return w - rate * d, {"v": v, "u": self.rho * state["u"] + (1 - self.rho) * d.square()}


@dataclass(frozen=True, kw_only=True)
class AMSGrad(Adam):
    """Adam with the largest running square so far in the denominator, so that no step's rate grows
    again.

        s <- max(s, v),    w <- w - lr * (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + epsilon)

    Args:
        lr, beta1, beta2, epsilon: as in `Adam`.

    Example:
        >>> import netwise as nw
        >>> nw.AMSGrad().beta2
        0.999

    Source: Reddi, Kale, Kumar 2018, arXiv 1904.09237, algorithm 2, with Adam's corrections, as
    torch has it.
    """

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            parameters,
            lr=self.lr,
            betas=(self.beta1, self.beta2),
            eps=self.epsilon,
            amsgrad=True,
            fused=True,
        )

    def init(self, w: Tensor) -> ParameterState:
        return {"m": torch.zeros_like(w), "v": torch.zeros_like(w), "s": torch.zeros_like(w)}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        m = self.beta1 * state["m"] + (1 - self.beta1) * g
        v = self.beta2 * state["v"] + (1 - self.beta2) * g.square()
        s = torch.maximum(state["s"], v)
        return w - rate * (m / (1 - self.beta1**t)) / (
            (s / (1 - self.beta2**t)).sqrt() + self.epsilon
        ), {"m": m, "v": v, "s": s}


@dataclass(frozen=True, kw_only=True)
class NAdam(Adam):
    """Adam with Nesterov's look ahead: the present gradient counts once more in the first moment.

        mu_t = b1 (1 - 0.96^(t psi) / 2),    w <- w - lr * [mu_(t+1) m / (1 - P_(t+1)) + (1 - mu_t) g / (1 - P_t)] / (sqrt(v^) + epsilon)

    with P_t the product of mu_1 ... mu_t and v^ the corrected square.

    Args:
        lr: learning rate, above 0. Default 0.002.
        beta1, beta2, epsilon: as in `Adam`.
        psi: how fast mu grows to b1, at least 0. Default 0.004.

    Example:
        >>> import netwise as nw
        >>> nw.NAdam().lr
        0.002

    Source: Dozat 2016, Incorporating Nesterov momentum into Adam; torch's `NAdam`.
    """

    lr: float = number(0.002, above=0, because=LR, why="the paper's value")
    psi: float = number(0.004, least=0, because="mu grows", why="the paper's value")

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.NAdam(
            parameters,
            lr=self.lr,
            betas=(self.beta1, self.beta2),
            eps=self.epsilon,
            momentum_decay=self.psi,
        )

    def init(self, w: Tensor) -> ParameterState:
        return {
            "m": torch.zeros_like(w),
            "v": torch.zeros_like(w),
            "product": torch.ones(()),
        }  # torch keeps it as float32 too

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        now, ahead = (self.beta1 * (1 - 0.5 * 0.96 ** (step * self.psi)) for step in (t, t + 1))
        product = state["product"] * now
        done = float(product)
        m = self.beta1 * state["m"] + (1 - self.beta1) * g
        v = self.beta2 * state["v"] + (1 - self.beta2) * g.square()
        below = (v / (1 - self.beta2**t)).sqrt() + self.epsilon
        w = (
            w
            - rate * (1 - now) / (1 - done) * g / below
            - rate * ahead / (1 - done * ahead) * m / below
        )
        return w, {"m": m, "v": v, "product": product}


@dataclass(frozen=True, kw_only=True)
class RAdam(Adam):
    """Adam whose first steps, while the running square rests on few gradients, are plain momentum.

        rho_inf = 2 / (1 - b2) - 1,    rho_t = rho_inf - 2 t b2^t / (1 - b2^t)
        rho_t > 5:  w <- w - lr * r_t * m^ / (sqrt(v) / sqrt(1 - b2^t) + ...),    else  w <- w - lr * m^

    Args:
        lr, beta1, beta2, epsilon: as in `Adam`.

    Example:
        >>> import netwise as nw
        >>> nw.RAdam().lr
        0.001

    Source: Liu et al. 2019, arXiv 1908.03265, algorithm 2; torch's `RAdam`.
    """

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.RAdam(
            parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.epsilon
        )

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        m = self.beta1 * state["m"] + (1 - self.beta1) * g
        v = self.beta2 * state["v"] + (1 - self.beta2) * g.square()
        m_hat = m / (1 - self.beta1**t)
        end = 2 / (1 - self.beta2) - 1
        rho = end - 2 * t * self.beta2**t / (1 - self.beta2**t)
        if rho > 5:
            r = math.sqrt((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho))
            m_hat = m_hat * r * math.sqrt(1 - self.beta2**t) / (v.sqrt() + self.epsilon)
        return w - rate * m_hat, {"m": m, "v": v}


@dataclass(frozen=True, kw_only=True)
class Lion(Optimizer):
    """Lion: the sign of a momentum, so every weight moves by the same amount.

        w <- w - lr * (sign(b1 m + (1 - b1) g) + weight_decay * w),    m <- b2 m + (1 - b2) g

    Args:
        lr: learning rate, above 0; a third to a tenth of Adam's. Default 0.0001.
        beta1, beta2: from 0 to below 1. Defaults 0.9 and 0.99.
        weight_decay: at least 0. Default 0.0.

    Example:
        >>> import netwise as nw, torch
        >>> rule, w = nw.Lion(lr=0.1), torch.tensor([1.0, 1.0])
        >>> [round(v, 4) for v in rule.step(w, torch.tensor([5.0, -0.001]), rule.init(w), t=1)[0].tolist()]
        [0.9, 1.1]

    Source: Chen et al. 2023, arXiv 2302.06675, program 1. torch has none: its steps follow the
    formula.
    """

    lr: float = number(0.0001, above=0, because=LR, why="the paper's value")
    beta1: float = number(0.9, least=0, below=1, because=FORGETS, why="the paper's value")
    beta2: float = number(0.99, least=0, below=1, because=FORGETS, why="the paper's value")
    weight_decay: float = number(0.0, least=0, because=DECAY, why="no decay unless asked for")

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return FormulaOptimizer(parameters, self)

    def init(self, w: Tensor) -> ParameterState:
        return {"m": torch.zeros_like(w)}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate, m = self.lr if lr is None else lr, state["m"]
        direction = (self.beta1 * m + (1 - self.beta1) * g).sign()
        return w - rate * (direction + self.weight_decay * w), {
            "m": self.beta2 * m + (1 - self.beta2) * g
        }
