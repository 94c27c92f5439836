"""Optimizers: from gradients to a step.

Each part builds the `torch.optim` object that the plain step uses, and carries the same rule written as the
formula: a pure pair (`init`, `step`), held equal to torch's by test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from netwise.fields import Part, flag, number

Memory = dict[str, Tensor]  # what a rule remembers of one parameter


class Optimizer(Part):
    """What every optimizer has: a learning rate, torch's object, and the rule as a formula.

    Example:
        >>> import netwise as nw, torch
        >>> rule, w = nw.SGD(lr=0.5), torch.tensor([1.0])
        >>> rule.step(w, torch.tensor([1.0]), rule.init(w), t=1)[0].item()
        0.5
    """

    called: ClassVar[str] = "optimizer"
    lr: float

    def build(self, parameters: list[Tensor]) -> torch.optim.Optimizer:
        """torch's object over these parameters, with fused kernels where torch has them."""
        raise TypeError(f"{type(self).__name__} is an interface: write one of its members, such as Adam()")

    def init(self, w: Tensor) -> Memory:
        """What the rule remembers of the parameter `w` before the first step."""
        return {}

    def step(self, w: Tensor, g: Tensor, memory: Memory, t: int, lr: float | None = None) -> tuple[Tensor, Memory]:
        """(new w, new memory) after step number `t` (from 1) with gradient `g`; nothing is changed in place."""
        raise TypeError(f"{type(self).__name__} is an interface: write one of its members, such as Adam()")


LR = "a negative step climbs"


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum in the classic form.

        v <- momentum * v + g,    w <- w - lr * v        (Nesterov: w <- w - lr * (g + momentum * v))

    The notes' averaged form m <- beta m + (1 - beta) g is this with lr / (1 - beta).

    Args:
        lr: learning rate, above 0. Default 0.1.
        momentum: share of the last step that is kept, from 0 to below 1. Default 0.0.
        nesterov: look ahead along the momentum. Default false.
        weight_decay: adds weight_decay * w to the gradient, at least 0. Default 0.0.

    Example:
        >>> import netwise as nw
        >>> nw.SGD(lr=0.1, momentum=0.9)
        SGD(lr=0.1, momentum=0.9, nesterov=False, weight_decay=0.0)

    Source: Polyak 1964; Nesterov 1983; note 001, claims R06 and O01.
    """

    lr: float = number(0.1, above=0, because=LR, why="safe for standardised inputs; search it first")
    momentum: float = number(0.0, least=0, below=1, because="at 1 steps never die down", why="plain descent")
    nesterov: bool = flag(False, why="plain momentum")
    weight_decay: float = number(0.0, least=0, because="a negative decay grows weights", why="no decay unless asked for")

    def build(self, parameters: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            parameters, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov and self.momentum > 0, weight_decay=self.weight_decay, fused=True
        )

    def init(self, w: Tensor) -> Memory:
        return {"v": torch.zeros_like(w)}

    def step(self, w: Tensor, g: Tensor, memory: Memory, t: int, lr: float | None = None) -> tuple[Tensor, Memory]:
        rate = self.lr if lr is None else lr
        g = g + self.weight_decay * w
        v = self.momentum * memory["v"] + g
        ahead = g + self.momentum * v if self.nesterov else v
        return w - rate * ahead, {"v": v}


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Adam: momentum over a running size of the gradient, each corrected for its start at 0.

        m <- b1 m + (1 - b1) g,    v <- b2 v + (1 - b2) g^2
        w <- w - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)

    Args:
        lr: learning rate, above 0. Default 0.001.
        beta1: memory of the gradient, from 0 to below 1. Default 0.9.
        beta2: memory of its square, from 0 to below 1. Default 0.999.
        epsilon: keeps the division finite, above 0. Default 1e-8.

    Example:
        >>> import netwise as nw
        >>> nw.Adam(lr=0.01).lr
        0.01

    Source: Kingma, Ba 2014, arXiv 1412.6980, algorithm 1; note 001, claim O04.
    """

    lr: float = number(0.001, above=0, because=LR, why="the paper's value")
    beta1: float = number(0.9, least=0, below=1, because="at 1 nothing new is learned", why="the paper's value")
    beta2: float = number(0.999, least=0, below=1, because="at 1 nothing new is learned", why="the paper's value")
    epsilon: float = number(1e-8, above=0, because="it keeps a division finite", why="the paper's value")

    def build(self, parameters: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.epsilon, fused=True)

    def init(self, w: Tensor) -> Memory:
        return {"m": torch.zeros_like(w), "v": torch.zeros_like(w)}

    def step(self, w: Tensor, g: Tensor, memory: Memory, t: int, lr: float | None = None) -> tuple[Tensor, Memory]:
        rate = self.lr if lr is None else lr
        m = self.beta1 * memory["m"] + (1 - self.beta1) * g
        v = self.beta2 * memory["v"] + (1 - self.beta2) * g.square()
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

    weight_decay: float = number(0.01, least=0, because="a negative decay grows weights", why="torch's value")

    def build(self, parameters: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.epsilon, weight_decay=self.weight_decay, fused=True)

    def step(self, w: Tensor, g: Tensor, memory: Memory, t: int, lr: float | None = None) -> tuple[Tensor, Memory]:
        rate = self.lr if lr is None else lr
        return super().step(w * (1 - rate * self.weight_decay), g, memory, t, lr)


@dataclass(frozen=True, kw_only=True)
class RMSProp(Optimizer):
    """RMSProp: the gradient over a running size of itself, as torch has it (epsilon outside the root).

        v <- decay * v + (1 - decay) g^2,    w <- w - lr * g / (sqrt(v) + epsilon)

    Args:
        lr: learning rate, above 0. Default 0.001.
        decay: memory of the squared gradient, from 0 to below 1. Default 0.9 (torch's own default is 0.99).
        epsilon: keeps the division finite, above 0. Default 1e-8.

    Example:
        >>> import netwise as nw
        >>> nw.RMSProp().decay
        0.9

    Source: Tieleman, Hinton 2012, lecture 6.5; note 001, claim O03.
    """

    lr: float = number(0.001, above=0, because=LR, why="the lecture's value")
    decay: float = number(0.9, least=0, below=1, because="at 1 nothing new is learned", why="the lecture's and the notes' value")
    epsilon: float = number(1e-8, above=0, because="it keeps a division finite", why="torch's value")

    def build(self, parameters: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, lr=self.lr, alpha=self.decay, eps=self.epsilon)

    def init(self, w: Tensor) -> Memory:
        return {"v": torch.zeros_like(w)}

    def step(self, w: Tensor, g: Tensor, memory: Memory, t: int, lr: float | None = None) -> tuple[Tensor, Memory]:
        rate = self.lr if lr is None else lr
        v = self.decay * memory["v"] + (1 - self.decay) * g.square()
        return w - rate * g / (v.sqrt() + self.epsilon), {"v": v}


OPTIMIZERS: tuple[type[Optimizer], ...] = (SGD, Adam, AdamW, RMSProp)
