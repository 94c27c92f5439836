"""Optimizers with a learning rate for each weight (adaptive methods)."""

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
    """Adam: running mean of the gradient over the root of the running mean of its square, both
    corrected for their start at 0.

        m <- b1 m + (1 - b1) g,    v <- b2 v + (1 - b2) g^2
        w <- w - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)

    Args:
        lr: learning rate, above 0. Default 0.001.
        beta1: decay of the mean gradient, from 0 to below 1. Default 0.9.
        beta2: decay of the mean square, from 0 to below 1. Default 0.999.
        epsilon: added to the denominator, above 0. Default 1e-8.

    Example:
        >>> import netwise as nw
        >>> nw.Adam(lr=0.01).lr
        0.01

    Source: Kingma, Ba 2014, arXiv 1412.6980, algorithm 1.
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
    """Adam with decoupled weight decay: each step also subtracts lr * weight_decay * w.

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
    """RMSProp: the gradient over the root of the running mean of its square, with epsilon outside
    the root as in torch.

        v <- decay * v + (1 - decay) g^2,    w <- w - lr * g / (sqrt(v) + epsilon)

    Args:
        lr: learning rate, above 0. Default 0.001.
        decay: of the mean square, from 0 to below 1. Default 0.9 (torch's own default
            is 0.99).
        epsilon: added to the denominator, above 0. Default 1e-8.

    Example:
        >>> import netwise as nw
        >>> nw.RMSProp().decay
        0.9

    Source: Tieleman, Hinton 2012, Neural networks for machine learning, lecture 6.5.
    """

    lr: float = number(0.001, above=0, because=LR, why="the lecture's value")
    decay: float = number(0.9, least=0, below=1, because=FORGETS, why="the lecture's value")
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

    The sum only grows, so the rate of every weight falls towards 0: for sparse features, not for
    long runs.

    Args:
        lr: learning rate, above 0. Default 0.01.
        epsilon: added to the denominator, above 0. Default 1e-10.
        start: the sum before the first step, at least 0. Default 0.0, as in torch; Keras has
            0.1.

    Example:
        >>> import netwise as nw
        >>> nw.Adagrad().lr
        0.01

    Source: Duchi, Hazan, Singer 2011, Adaptive subgradient methods.
    """

    lr: float = number(0.01, above=0, because=LR, why="torch's value")
    epsilon: float = number(1e-10, above=0, because=FINITE, why="torch's value")
    start: float = number(0.0, least=0, because="a sum of squares", why="torch's value")

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
    """Adadelta: the size of a step is that of the steps before it; its result depends little on
    the learning rate.

        v <- rho v + (1 - rho) g^2,    d = sqrt(u + epsilon) / sqrt(v + epsilon) * g
        u <- rho u + (1 - rho) d^2,    w <- w - lr * d

    Args:
        lr: factor on the step, above 0. Default 1.0, the paper's.
        rho: decay of both mean squares, from 0 to below 1. Default 0.9.
        epsilon: above 0; its root is roughly the size of the first steps. Default 1e-6.

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
    """Adam with the largest mean square so far in the denominator, so that the rate of a weight
    never increases.

        s <- max(s, v),    w <- w - lr * (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + epsilon)

    Args:
        lr, beta1, beta2, epsilon: as in `Adam`.

    Example:
        >>> import netwise as nw
        >>> nw.AMSGrad().beta2
        0.999

    Source: Reddi, Kale, Kumar 2018, arXiv 1904.09237, algorithm 2, with Adam's bias corrections, as
    in torch.
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
    """Adam with Nesterov momentum.

        mu_t = b1 (1 - 0.96^(t psi) / 2)
        m_t = mu_(t+1) m / (1 - P_(t+1)) + (1 - mu_t) g / (1 - P_t)
        w <- w - lr * m_t / (sqrt(v^) + epsilon)

    P_t is the product of mu_1 ... mu_t, v^ the bias-corrected mean square.

    Args:
        lr: learning rate, above 0. Default 0.002.
        beta1, beta2, epsilon: as in `Adam`.
        psi: speed at which mu grows to b1, at least 0. Default 0.004.

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
        product = torch.ones(())  # float32, as in torch
        return {"m": torch.zeros_like(w), "v": torch.zeros_like(w), "product": product}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        rate = self.lr if lr is None else lr
        mu, next_mu = (self.beta1 * (1 - 0.5 * 0.96 ** (step * self.psi)) for step in (t, t + 1))
        product = state["product"] * mu
        p = float(product)
        m = self.beta1 * state["m"] + (1 - self.beta1) * g
        v = self.beta2 * state["v"] + (1 - self.beta2) * g.square()
        root = (v / (1 - self.beta2**t)).sqrt() + self.epsilon
        w = w - rate * (1 - mu) / (1 - p) * g / root - rate * next_mu / (1 - p * next_mu) * m / root
        return w, {"m": m, "v": v, "product": product}


@dataclass(frozen=True, kw_only=True)
class RAdam(Adam):
    """Adam whose first steps are plain momentum, because the mean square of few gradients is
    unreliable.

        rho_inf = 2 / (1 - b2) - 1,    rho_t = rho_inf - 2 t b2^t / (1 - b2^t)
        rho_t > 5:  w <- w - lr * r_t * m^ * sqrt(1 - b2^t) / (sqrt(v) + epsilon)
        otherwise:  w <- w - lr * m^

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
        rho_inf = 2 / (1 - self.beta2) - 1
        rho = rho_inf - 2 * t * self.beta2**t / (1 - self.beta2**t)
        if rho > 5:
            r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            m_hat = m_hat * r * math.sqrt(1 - self.beta2**t) / (v.sqrt() + self.epsilon)
        return w - rate * m_hat, {"m": m, "v": v}


@dataclass(frozen=True, kw_only=True)
class Lion(Optimizer):
    """Lion: the sign of a momentum, so every weight changes by the same amount.

        w <- w - lr * (sign(b1 m + (1 - b1) g) + weight_decay * w),    m <- b2 m + (1 - b2) g

    Args:
        lr: learning rate, above 0; a third to a tenth of Adam's. Default 0.0001.
        beta1, beta2: from 0 to below 1. Defaults 0.9 and 0.99.
        weight_decay: at least 0. Default 0.0.

    Example:
        >>> import netwise as nw, torch
        >>> rule, w, g = nw.Lion(lr=0.1), torch.tensor([1.0, 1.0]), torch.tensor([5.0, -0.001])
        >>> [round(v, 4) for v in rule.step(w, g, rule.init(w), t=1)[0].tolist()]
        [0.9, 1.1]

    Source: Chen et al. 2023, arXiv 2302.06675, program 1. torch lacks it, so training uses the
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
