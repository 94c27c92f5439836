"""Initializers: where the weights start. Biases start at 0 unless the docstring says otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from netwise.fields import Part, number, text


class Initializer(Part):
    """What every initializer has: `sample` draws the weights of one layer.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> nw.Constant(0.5).sample((1, 2), fan_in=2, fan_out=1, generator=g).tolist()
        [[0.5, 0.5]]
    """

    called: ClassVar[str] = "initializer"

    def sample(self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
        """float32 weights of `shape`: `(out, in)` or `(out, in, height, width)`."""
        raise TypeError(f"{type(self).__name__} is an interface: write one of its members, such as He()")

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        """float32 biases of one layer: 0."""
        return torch.zeros(size)


def _normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator) * std


def _checked(fan: int, name: str) -> int:
    if fan < 1:
        raise ValueError(f"{name} = {fan} must be at least 1: a layer has inputs and outputs")
    return fan


@dataclass(frozen=True)
class ByNetwork(Initializer):
    """Leave the start to the network's own modules, drawn from the recipe's seed. The default.

    torch's `nn.Linear` and `nn.Conv2d` draw weights and biases from U(-1/sqrt(fan_in), 1/sqrt(fan_in)).

    Example:
        >>> import netwise as nw
        >>> nw.ByNetwork()
        ByNetwork()
    """

    def sample(self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
        """torch's default for `nn.Linear`: U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
        limit = 1 / math.sqrt(_checked(fan_in, "fan_in"))
        return torch.rand(shape, generator=generator) * 2 * limit - limit


@dataclass(frozen=True)
class Constant(Initializer):
    """The same number everywhere. Only for a single neuron or a linear model: equal units stay equal.

    Args:
        weight: every weight. Default 0.0.
        bias: every bias. Default 0.0.

    Example:
        >>> import netwise as nw
        >>> nw.Constant(weight=0.6, bias=0.9)
        Constant(weight=0.6, bias=0.9)

    Source: note 000, claim I01.
    """

    weight: float = number(0.0, why="the all-zero start of the notes")
    bias: float = number(0.0, why="the all-zero start of the notes")

    def sample(self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
        return torch.full(shape, self.weight)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return torch.full((size,), self.bias)


@dataclass(frozen=True, kw_only=True)
class Normal(Initializer):
    """Normal weights of one spread, whatever the layer's size: W ~ N(0, std^2).

    Right for no depth: too small and the signal dies with the layers, too large and units saturate.

    Args:
        std: spread of the weights, above 0. Default 0.01.
        bias: every bias. Default 0.0.

    Example:
        >>> import netwise as nw, torch
        >>> w = nw.Normal(std=0.1).sample((300, 300), fan_in=300, fan_out=300, generator=torch.Generator().manual_seed(0))
        >>> round(w.std().item(), 2)
        0.1

    Source: note 000, claim I02.
    """

    std: float = number(0.01, above=0, because="a spread is positive", why="the smallest of the three that the notes try")
    bias: float = number(0.0, why="no unit is preferred")

    def sample(self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
        return _normal(shape, self.std, generator)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return torch.full((size,), self.bias)


@dataclass(frozen=True)
class LeCun(Initializer):
    """Normal weights that keep a layer's spread when the activation is near the identity.

        W ~ N(0, 1 / fan_in)

    Example:
        >>> import netwise as nw, torch
        >>> w = nw.LeCun().sample((300, 100), fan_in=100, fan_out=300, generator=torch.Generator().manual_seed(0))
        >>> round(w.std().item(), 2)  # 1 / sqrt(100)
        0.1

    Source: LeCun, Bottou, Orr, Müller 1998, Efficient BackProp; note 004, claim I03 (whose biases are N(0, 1)).
    """

    def sample(self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
        return _normal(shape, math.sqrt(1 / _checked(fan_in, "fan_in")), generator)


@dataclass(frozen=True, kw_only=True)
class Glorot(Initializer):
    """Weights that carry signals forward and gradients back through sigmoid or tanh layers alike (Xavier).

        std = sqrt(2 / (fan_in + fan_out)),    uniform: U(-sqrt(3) std, sqrt(3) std)

    Args:
        shape: "uniform" (the paper's) or "normal". Default "uniform".

    Example:
        >>> import netwise as nw, torch
        >>> w = nw.Glorot().sample((300, 100), fan_in=100, fan_out=300, generator=torch.Generator().manual_seed(0))
        >>> round(w.max().item(), 3)  # sqrt(6 / 400)
        0.122

    Source: Glorot, Bengio 2010, eq. 16; note 000, claim I05.
    """

    shape: str = text("uniform", among=("uniform", "normal"), why="the paper's own")

    def sample(self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
        std = math.sqrt(2 / (_checked(fan_in, "fan_in") + _checked(fan_out, "fan_out")))
        if self.shape == "normal":
            return _normal(shape, std, generator)
        return (torch.rand(shape, generator=generator) * 2 - 1) * math.sqrt(3) * std


@dataclass(frozen=True, kw_only=True)
class He(Initializer):
    """Normal weights that carry a ReLU layer's signal to the next layer at equal strength.

        W[i, j] ~ N(0, std^2),    std = gain * sqrt(2 / fan_in)

    The 2 makes up for ReLU, which zeroes half of its inputs. Not for sigmoid or tanh, which halve
    nothing: use `Glorot`.

    Args:
        gain: factor on std, above 0. Default 1.0: the paper's value.

    Raises:
        ValueError: in `sample`, `fan_in` < 1.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> w = nw.He().sample((100, 200), fan_in=200, fan_out=100, generator=g)
        >>> w.shape, round(w.std().item(), 2)  # sqrt(2 / 200) = 0.1
        (torch.Size([100, 200]), 0.1)

    Source: He, Zhang, Ren, Sun 2015, arXiv 1502.01852, eq. 10; note 000, claim I06.
    """

    gain: float = number(1.0, above=0, because="a factor on a spread", why="the paper's value")

    def sample(self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
        return _normal(shape, self.gain * math.sqrt(2 / _checked(fan_in, "fan_in")), generator)


INITIALIZERS: tuple[type[Initializer], ...] = (ByNetwork, Constant, Normal, LeCun, Glorot, He)


def initialize(module: nn.Module, init: Initializer, generator: torch.Generator) -> None:
    """Draw the weights of every linear and convolutional layer of `module` anew; norm layers keep theirs.

    `ByNetwork` leaves everything as the modules made it.
    """
    if isinstance(init, ByNetwork):
        return
    with torch.no_grad():
        for layer in module.modules():
            if not isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d):
                continue
            fan_in, fan_out = fans(layer)
            drawn = init.sample(tuple(layer.weight.shape), fan_in=fan_in, fan_out=fan_out, generator=generator)
            layer.weight.copy_(drawn)
            if layer.bias is not None:
                layer.bias.copy_(init.sample_bias(len(layer.bias), generator=generator))


def fans(layer: nn.Linear | nn.Conv1d | nn.Conv2d) -> tuple[int, int]:
    """(fan_in, fan_out): how many numbers each output sees, and how many outputs see each input."""
    outs, ins = layer.weight.shape[:2]
    field = layer.weight[0, 0].numel() if layer.weight.dim() > 2 else 1
    groups = getattr(layer, "groups", 1)
    return ins * field, outs * field // groups
