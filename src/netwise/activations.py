"""Activations: what a unit makes of its input. Each is a formula with its range, and builds torch's module."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from netwise.fields import Part, number


class Activation(Part):
    """What every activation has: a module, a range, and the name by which a watched network knows it.

    Attributes:
        lowest, highest: the ends of the range; infinite where it has none.
        saturates: both ends are finite, so a unit can be pinned at them.

    Example:
        >>> import netwise as nw
        >>> nw.Tanh().lowest, nw.Tanh().highest, nw.Tanh().saturates, nw.ReLU().saturates
        (-1.0, 1.0, True, False)
    """

    called: ClassVar[str] = "activation"
    lowest: ClassVar[float] = -math.inf
    highest: ClassVar[float] = math.inf

    @property
    def saturates(self) -> bool:
        return math.isfinite(self.lowest) and math.isfinite(self.highest)

    def build(self) -> nn.Module:
        """A fresh torch module."""
        raise TypeError(f"{type(self).__name__} is an interface: write one of its members, such as ReLU()")

    def __call__(self, x: Tensor) -> Tensor:
        """The formula itself, applied to each number of `x`."""
        result: Tensor = self.build()(x)
        return result


@dataclass(frozen=True)
class Identity(Activation):
    """Identity: f(x) = x. The output of a regression, and of a classifier whose loss takes logits.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Identity()(torch.tensor([-1.0, 2.0])).tolist()
        [-1.0, 2.0]
    """

    def build(self) -> nn.Module:
        return nn.Identity()


@dataclass(frozen=True)
class Sigmoid(Activation):
    """Sigmoid: f(x) = 1 / (1 + exp(-x)), from 0 to 1; its slope f (1 - f) is never above 1/4.

    In deep stacks that quarter is why gradients vanish: prefer `ReLU` in hidden layers.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Sigmoid()(torch.tensor([0.0, 4.0])).tolist()
        [0.5, 0.9820137619972229]

    Source: note 003, claim A01.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    def build(self) -> nn.Module:
        return nn.Sigmoid()


@dataclass(frozen=True)
class Tanh(Activation):
    """Tanh: f(x) = 2 / (1 + exp(-2x)) - 1, from -1 to 1, slope 1 at 0: a sigmoid, stretched and centred.

    Example:
        >>> import netwise as nw, torch
        >>> round(nw.Tanh()(torch.tensor([1.0])).item(), 4)
        0.7616

    Source: note 003, claim A02.
    """

    lowest: ClassVar[float] = -1.0
    highest: ClassVar[float] = 1.0

    def build(self) -> nn.Module:
        return nn.Tanh()


@dataclass(frozen=True)
class ReLU(Activation):
    """ReLU: f(x) = max(0, x). Slope 1 or 0, so gradients neither shrink nor grow; a unit can die at 0.

    Example:
        >>> import netwise as nw, torch
        >>> nw.ReLU()(torch.tensor([-1.0, 2.0])).tolist()
        [0.0, 2.0]

    Source: note 003, claim A03.
    """

    lowest: ClassVar[float] = 0.0

    def build(self) -> nn.Module:
        return nn.ReLU()


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """Leaky ReLU: f(x) = x above 0, slope * x below: no unit is ever without a gradient.

    Args:
        slope: factor below 0, from 0 to 1. Default 0.01, the usual value.

    Example:
        >>> import netwise as nw, torch
        >>> nw.LeakyReLU(slope=0.25)(torch.tensor([-1.0, 2.0])).tolist()
        [-0.25, 2.0]

    Source: note 000, claim A04; Maas, Hannun, Ng 2013.
    """

    slope: float = number(0.01, least=0, most=1, because="a leak is a part of the input", why="the usual value")

    def build(self) -> nn.Module:
        return nn.LeakyReLU(self.slope)


@dataclass(frozen=True)
class ELU(Activation):
    """ELU: f(x) = x above 0, alpha (exp(x) - 1) below: softly saturated on the left, mean near 0.

    Args:
        alpha: depth of the left side, above 0. Default 1.0, the paper's value.

    Example:
        >>> import netwise as nw, torch
        >>> round(nw.ELU()(torch.tensor([-1.0])).item(), 4)
        -0.6321

    Source: Clevert, Unterthiner, Hochreiter 2015, arXiv 1511.07289; note 000, claim A07.
    """

    alpha: float = number(1.0, above=0, because="the left side lies at -alpha", why="the paper's value")

    def build(self) -> nn.Module:
        return nn.ELU(self.alpha)


@dataclass(frozen=True)
class Softmax(Activation):
    """Softmax over the last axis: positive outputs that sum to 1.

    Not before `CrossEntropy`, which takes logits and does this itself.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Softmax()(torch.tensor([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]

    Source: note 004, claim A09.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    def build(self) -> nn.Module:
        return nn.Softmax(dim=-1)


ACTIVATIONS: tuple[type[Activation], ...] = (Identity, Sigmoid, Tanh, ReLU, LeakyReLU, ELU, Softmax)

# What a watched layer's activation can be told apart by: its formula, compared with what was seen.
# The identity comes first: what was passed on unchanged went through nothing.
KNOWN_FORMULAS: dict[str, Callable[[Tensor], Tensor]] = {
    "Identity": lambda x: x,
    "ReLU": torch.relu,
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "Softmax": lambda x: torch.softmax(x, dim=-1) if x.dim() > 1 else x,
    "LogSoftmax": lambda x: torch.log_softmax(x, dim=-1) if x.dim() > 1 else x,
    "ELU": torch.nn.functional.elu,
    "GELU": torch.nn.functional.gelu,
    "SiLU": torch.nn.functional.silu,
}

# Modules whose output has limits at both ends, and where those lie.
BOUNDED: dict[str, tuple[float, float]] = {
    "Sigmoid": (0.0, 1.0),
    "Tanh": (-1.0, 1.0),
    "Hardsigmoid": (0.0, 1.0),
    "Hardtanh": (-1.0, 1.0),
    "Softsign": (-1.0, 1.0),
}
RECTIFIERS = ("ReLU", "ReLU6")  # modules whose output is exactly 0 over half of the line
