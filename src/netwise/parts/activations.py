"""Activations: what a unit makes of its input. Each is a formula with its range, and builds torch's
module."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from netwise.errors import Problem, interface_error
from netwise.part import Part, integer, number


class Activation(Part):
    """What every activation has: a module, a range, and the name by which a watched network knows
    it.

    Attributes:
        lowest, highest: the ends of the range; infinite where it has none.
        saturates: both ends are finite, so a unit can be pinned at them.

    Example:
        >>> import netwise as nw
        >>> nw.Tanh().lowest, nw.Tanh().highest, nw.Tanh().saturates, nw.ReLU().saturates
        (-1.0, 1.0, True, False)
    """

    family_name: ClassVar[str] = "activation"
    lowest: ClassVar[float] = -math.inf
    highest: ClassVar[float] = math.inf

    @property
    def saturates(self) -> bool:
        return math.isfinite(self.lowest) and math.isfinite(self.highest)

    def build(self) -> nn.Module:
        """A fresh torch module."""
        raise interface_error(self, "ReLU()")

    def __call__(self, x: Tensor) -> Tensor:
        """The formula itself, applied to `x`, as in evaluation."""
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
class HardSigmoid(Activation):
    """Hard sigmoid: f(x) = x / 6 + 1/2, cut at 0 and 1: a sigmoid of three straight lines.

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.HardSigmoid()(torch.tensor([-1.0, 2.0])).tolist()]
        [0.3333, 0.8333]

    Source: Howard et al. 2019, arXiv 1905.02244, section 5.2, as torch has it (Courbariaux et al.
    2015 cut at 2.5).
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    def build(self) -> nn.Module:
        return nn.Hardsigmoid()


@dataclass(frozen=True)
class Tanh(Activation):
    """Tanh: f(x) = 2 / (1 + exp(-2x)) - 1, from -1 to 1, slope 1 at 0: a sigmoid, stretched and
    centred.

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
class HardTanh(Activation):
    """Hard tanh: f(x) = x, cut at -1 and 1.

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.HardTanh()(torch.tensor([-1.0, 2.0])).tolist()]
        [-1.0, 1.0]

    Source: Collobert 2004, Large scale machine learning.
    """

    lowest: ClassVar[float] = -1.0
    highest: ClassVar[float] = 1.0

    def build(self) -> nn.Module:
        return nn.Hardtanh()


@dataclass(frozen=True)
class Softsign(Activation):
    """Softsign: f(x) = x / (1 + |x|): as tanh, but slow to saturate.

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.Softsign()(torch.tensor([-1.0, 2.0])).tolist()]
        [-0.5, 0.6667]

    Source: Bergstra et al. 2009; Glorot, Bengio 2010.
    """

    lowest: ClassVar[float] = -1.0
    highest: ClassVar[float] = 1.0

    def build(self) -> nn.Module:
        return nn.Softsign()


@dataclass(frozen=True)
class Softplus(Activation):
    """Softplus: f(x) = ln(1 + exp(x)), a smooth ReLU whose slope is the sigmoid.

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.Softplus()(torch.tensor([-1.0, 2.0])).tolist()]
        [0.3133, 2.1269]

    Source: Glorot, Bordes, Bengio 2011.
    """

    lowest: ClassVar[float] = 0.0

    def build(self) -> nn.Module:
        return nn.Softplus()


@dataclass(frozen=True)
class ReLU(Activation):
    """ReLU: f(x) = max(0, x). Slope 1 or 0, so gradients neither shrink nor grow; a unit can die at
    0.

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
class ReLU6(Activation):
    """ReLU6: f(x) = min(max(0, x), 6): a ReLU with a ceiling, for arithmetic of few bits.

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.ReLU6()(torch.tensor([-1.0, 2.0])).tolist()]
        [0.0, 2.0]

    Source: Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 6.0

    def build(self) -> nn.Module:
        return nn.ReLU6()


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

    slope: float = number(
        0.01, least=0, most=1, because="a leak is a part of the input", why="the usual value"
    )

    def build(self) -> nn.Module:
        return nn.LeakyReLU(self.slope)


@dataclass(frozen=True)
class PReLU(Activation):
    """PReLU: a leaky ReLU whose slope below 0 is learned, one number for a layer.

    Args:
        slope: at the start, from 0 to 1. Default 0.25, the paper's; Keras starts at 0.

    Example:
        >>> import netwise as nw, torch
        >>> nw.PReLU()(torch.tensor([-1.0, 2.0])).tolist()
        [-0.25, 2.0]

    Source: He, Zhang, Ren, Sun 2015, arXiv 1502.01852, section 2.1; note 000, claim A05.
    """

    slope: float = number(
        0.25, least=0, most=1, because="a leak is a part of the input", why="the paper's value"
    )

    def build(self) -> nn.Module:
        return nn.PReLU(init=self.slope)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.nn.functional.leaky_relu(x, self.slope)


@dataclass(frozen=True)
class RReLU(Activation):
    """RReLU: a leaky ReLU whose slope below 0 is drawn from U(lower, upper) for each number while
    it trains.

    In evaluation the slope is the mean of the two.

    Args:
        lower, upper: from 0 to 1. Defaults 1/8 and 1/3.

    Example:
        >>> import netwise as nw, torch
        >>> round(nw.RReLU()(torch.tensor([-1.0])).item(), 4)  # -(1/8 + 1/3) / 2
        -0.2292

    Source: Xu, Wang, Chen, Li 2015, arXiv 1505.00853; note 000, claim A06.
    """

    lower: float = number(
        1 / 8, least=0, most=1, because="a leak is a part of the input", why="the paper's value"
    )
    upper: float = number(
        1 / 3, least=0, most=1, because="a leak is a part of the input", why="the paper's value"
    )

    def conflicts(self) -> list[Problem]:
        if self.lower > self.upper:
            return [
                Problem(
                    "lower",
                    repr(self.lower),
                    f"must be at most upper = {self.upper}",
                    repr(self.upper),
                )
            ]
        return []

    def build(self) -> nn.Module:
        return nn.RReLU(self.lower, self.upper)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.nn.functional.leaky_relu(x, (self.lower + self.upper) / 2)


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

    alpha: float = number(
        1.0, above=0, because="the left side lies at -alpha", why="the paper's value"
    )

    def build(self) -> nn.Module:
        return nn.ELU(self.alpha)


@dataclass(frozen=True)
class SELU(Activation):
    """SELU: f(x) = 1.0507 x above 0, 1.0507 * 1.6733 (exp(x) - 1) below: keeps mean 0 and spread 1
    from layer to layer.

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.SELU()(torch.tensor([-1.0, 2.0])).tolist()]
        [-1.1113, 2.1014]

    Source: Klambauer, Unterthiner, Mayr, Hochreiter 2017, arXiv 1706.02515; with `LeCun` weights.
    """

    lowest: ClassVar[float] = -1.7580993408473766

    def build(self) -> nn.Module:
        return nn.SELU()


@dataclass(frozen=True)
class GELU(Activation):
    """GELU: f(x) = x Phi(x), with the normal distribution function Phi.

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.GELU()(torch.tensor([-1.0, 2.0])).tolist()]
        [-0.1587, 1.9545]

    Source: Hendrycks, Gimpel 2016, arXiv 1606.08415.
    """

    lowest: ClassVar[float] = -0.17

    def build(self) -> nn.Module:
        return nn.GELU()


@dataclass(frozen=True)
class SiLU(Activation):
    """SiLU (swish): f(x) = x / (1 + exp(-x)).

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.SiLU()(torch.tensor([-1.0, 2.0])).tolist()]
        [-0.2689, 1.7616]

    Source: Elfwing, Uchibe, Doya 2017, arXiv 1702.03118; Ramachandran, Zoph, Le 2017, arXiv
    1710.05941.
    """

    lowest: ClassVar[float] = -0.2784645

    def build(self) -> nn.Module:
        return nn.SiLU()


@dataclass(frozen=True)
class HardSwish(Activation):
    """Hard swish: f(x) = x times the hard sigmoid of x.

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.HardSwish()(torch.tensor([-1.0, 2.0])).tolist()]
        [-0.3333, 1.6667]

    Source: Howard et al. 2019, arXiv 1905.02244, section 5.2.
    """

    lowest: ClassVar[float] = -0.375

    def build(self) -> nn.Module:
        return nn.Hardswish()


@dataclass(frozen=True)
class Mish(Activation):
    """Mish: f(x) = x tanh(ln(1 + exp(x))).

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.Mish()(torch.tensor([-1.0, 2.0])).tolist()]
        [-0.3034, 1.944]

    Source: Misra 2019, arXiv 1908.08681.
    """

    lowest: ClassVar[float] = -0.30884

    def build(self) -> nn.Module:
        return nn.Mish()


@dataclass(frozen=True)
class Maxout(Activation):
    """Maxout: each unit gives the largest of `pieces` linear functions, h_i = max_j (x W_ij +
    b_ij).

    A layer before it has `pieces` times as many outputs (`MLP` and `ConvNet` see to that); the
    pieces of a unit stand next to each other along the features (the channels of images). With W_2,
    b_2 ... = 0 it is ReLU.

    Args:
        pieces: linear functions of a unit, at least 2. Default 2.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Maxout(pieces=2)(torch.tensor([[1.0, 3.0, -2.0, -5.0]])).tolist()
        [[3.0, -2.0]]

    Source: Goodfellow, Warde-Farley, Mirza, Courville, Bengio 2013, arXiv 1302.4389; note 000,
    claim A08.
    """

    pieces: int = integer(
        2, least=2, most=1000, because="one piece is a linear unit", why="the fewest that bend"
    )

    def build(self) -> nn.Module:
        return MaxPieces(self.pieces)


class MaxPieces(nn.Module):
    """The maximum over each `pieces` neighbouring features, (samples, units * pieces, ...) ->
    (samples, units, ...)."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        pieces: Tensor = x.reshape(len(x), -1, self.pieces, *x.shape[2:])
        return pieces.amax(2)

    def extra_repr(self) -> str:
        return str(self.pieces)


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


ACTIVATIONS: tuple[type[Activation], ...] = (
    Identity,
    Sigmoid,
    HardSigmoid,
    Tanh,
    HardTanh,
    Softsign,
    Softplus,
    ReLU,
    ReLU6,
    LeakyReLU,
    PReLU,
    RReLU,
    ELU,
    SELU,
    GELU,
    SiLU,
    HardSwish,
    Mish,
    Maxout,
    Softmax,
)


@dataclass(frozen=True)
class ActivationProperties:
    """What can be said of an activation as a function of one number.

    Args:
        name: its class.
        lowest, highest: the ends of its range.
        max_slope: its largest slope, by size.
        below_10_percent, below_1_percent: the |x| beyond which its slope stays below 10 % and 1 % of that; infinite where
            it never does on some side.
        mean, square: the means of f(x) and of f(x)^2 for x ~ N(0, 1).

    Example:
        >>> import netwise as nw
        >>> character = nw.activation_properties(nw.Tanh())
        >>> round(character.below_10_percent, 2), round(character.below_1_percent, 2), character.max_slope
        (1.82, 2.99, 1.0)
    """

    name: str
    lowest: float
    highest: float
    max_slope: float
    below_10_percent: float
    below_1_percent: float
    mean: float
    square: float


def slope(activation: Activation, x: Tensor) -> Tensor:
    """f'(x) for each number of `x`, by autograd; at a corner torch's choice, which for ReLU is 0.

    Example:
        >>> import netwise as nw, torch
        >>> nw.slope(nw.Sigmoid(), torch.tensor([0.0])).item()
        0.25
    """
    with torch.enable_grad():
        at = x.detach().clone().requires_grad_()
        (found,) = torch.autograd.grad(activation(at).sum(), at)
    return found


def activation_properties(activation: Activation) -> ActivationProperties:
    """Range, slopes and mean output of an activation that takes one number; so not of `Softmax` and
    `Maxout`.

    Example:
        >>> import netwise as nw
        >>> sigmoid = nw.activation_properties(nw.Sigmoid())
        >>> sigmoid.max_slope, round(sigmoid.below_1_percent, 2), round(sigmoid.mean, 2)  # erratum E16: twice tanh's 2.99
        (0.25, 5.99, 0.5)

    Raises:
        TypeError: it takes more than one number at a time.
    """
    if isinstance(activation, Softmax | Maxout):
        raise TypeError(
            f"{type(activation).__name__} takes several numbers at a time: it has no slope of its own"
        )
    x = torch.linspace(0, 40, 400_001, dtype=torch.float64)
    sizes = torch.maximum(slope(activation, x).abs(), slope(activation, -x).abs())
    # A side whose slope never falls, such as ReLU's right one, keeps the unit alive however far
    # out.
    max_slope = float(sizes.max())
    below_10_percent, below_1_percent = (
        _beyond(x, sizes, share * max_slope) for share in (0.1, 0.01)
    )
    return ActivationProperties(
        type(activation).__name__,
        activation.lowest,
        activation.highest,
        max_slope,
        below_10_percent,
        below_1_percent,
        *_moments(activation),
    )


def _beyond(x: Tensor, sizes: Tensor, line: float) -> float:
    above = torch.nonzero(sizes >= line)
    last = int(above[-1]) if len(above) else 0
    return math.inf if last == len(x) - 1 else float(x[last])


def _moments(activation: Activation) -> tuple[float, float]:
    """(E f(x), E f(x)^2) for x ~ N(0, 1), by the trapezoid rule, which is exact to many digits for
    such a bell."""
    x = torch.linspace(-12, 12, 240_001, dtype=torch.float64)
    bell = torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)
    f = activation(x)
    return float(torch.trapezoid(bell * f, x)), float(torch.trapezoid(bell * f.square(), x))


def gain(activation: Activation) -> float:
    """1 / sqrt(E f(x)^2) for x ~ N(0, 1): by how much weights must be larger than `LeCun`'s to keep
    the signal's size.

    sqrt(2) for ReLU, 1 for the identity.

    Example:
        >>> import netwise as nw
        >>> round(nw.gain(nw.ReLU()) ** 2, 6)
        2.0
    """
    if isinstance(activation, Softmax | Maxout):
        return 1.0
    return 1 / math.sqrt(_moments(activation)[1])


# Modules that an activation penalty hears, and that a watched layer's activation is known by.
ACTIVATION_MODULES = frozenset(
    [
        "ReLU",
        "ReLU6",
        "LeakyReLU",
        "PReLU",
        "RReLU",
        "ELU",
        "SELU",
        "CELU",
        "GELU",
        "SiLU",
        "Mish",
        "Sigmoid",
        "Tanh",
        "Hardsigmoid",
        "Hardtanh",
        "Hardswish",
        "Softplus",
        "Softsign",
        "Tanhshrink",
        "Softmax",
        "LogSoftmax",
        "LogSigmoid",
        "MaxPieces",
    ]
)

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
