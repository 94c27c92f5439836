"""Activation functions: each is a formula with its range, and builds the module of torch."""

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
    """Interface of activations: a module and a range.

    Attributes:
        lowest, highest: the ends of the range; infinite where it is unbounded.
        saturates: both ends are finite, so the slope tends to 0 on both sides.

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
        """The function applied to `x`, in evaluation mode."""
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

    In deep networks this is one reason for vanishing gradients: prefer `ReLU` in hidden layers.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Sigmoid()(torch.tensor([0.0, 4.0])).tolist()
        [0.5, 0.9820137619972229]

    Source: Goodfellow, Bengio, Courville 2016, Deep learning, section 6.3.2.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    def build(self) -> nn.Module:
        return nn.Sigmoid()


@dataclass(frozen=True)
class HardSigmoid(Activation):
    """Hard sigmoid: f(x) = x / 6 + 1/2, clipped to 0 and 1: a piecewise linear sigmoid.

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.HardSigmoid()(torch.tensor([-1.0, 2.0])).tolist()]
        [0.3333, 0.8333]

    Source: Howard et al. 2019, arXiv 1905.02244, section 5.2, as torch has it (Courbariaux et al.
    2015 clip at 2.5).
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    def build(self) -> nn.Module:
        return nn.Hardsigmoid()


@dataclass(frozen=True)
class Tanh(Activation):
    """Tanh: f(x) = 2 / (1 + exp(-2x)) - 1, from -1 to 1, slope 1 at 0: a scaled and
    centred sigmoid.

    Example:
        >>> import netwise as nw, torch
        >>> round(nw.Tanh()(torch.tensor([1.0])).item(), 4)
        0.7616

    Source: LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.4.
    """

    lowest: ClassVar[float] = -1.0
    highest: ClassVar[float] = 1.0

    def build(self) -> nn.Module:
        return nn.Tanh()


@dataclass(frozen=True)
class HardTanh(Activation):
    """Hard tanh: f(x) = x, clipped to -1 and 1.

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
    """Softsign: f(x) = x / (1 + |x|): like tanh, but saturates slowly.

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
    """ReLU: f(x) = max(0, x). Slope 1 or 0, so gradients neither shrink nor grow; a unit whose
    input is negative for all samples gets no gradient (dead unit).

    Example:
        >>> import netwise as nw, torch
        >>> nw.ReLU()(torch.tensor([-1.0, 2.0])).tolist()
        [0.0, 2.0]

    Source: Nair, Hinton 2010, Rectified linear units improve restricted Boltzmann machines.
    """

    lowest: ClassVar[float] = 0.0

    def build(self) -> nn.Module:
        return nn.ReLU()


@dataclass(frozen=True)
class ReLU6(Activation):
    """ReLU6: f(x) = min(max(0, x), 6): a ReLU with an upper limit, for low-precision arithmetic.

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
    """Leaky ReLU: f(x) = x above 0, slope * x below: the gradient is never 0.

    Args:
        slope: factor below 0, from 0 to 1. Default 0.01, the usual value.

    Example:
        >>> import netwise as nw, torch
        >>> nw.LeakyReLU(slope=0.25)(torch.tensor([-1.0, 2.0])).tolist()
        [-0.25, 2.0]

    Source: Maas, Hannun, Ng 2013, Rectifier nonlinearities improve neural network acoustic models.
    """

    slope: float = number(
        0.01, least=0, most=1, because="a leak is a part of the input", why="the usual value"
    )

    def build(self) -> nn.Module:
        return nn.LeakyReLU(self.slope)


@dataclass(frozen=True)
class PReLU(Activation):
    """PReLU: a leaky ReLU whose slope below 0 is learned, one value per layer.

    Args:
        slope: at the start, from 0 to 1. Default 0.25, the paper's; Keras starts at 0.

    Example:
        >>> import netwise as nw, torch
        >>> nw.PReLU()(torch.tensor([-1.0, 2.0])).tolist()
        [-0.25, 2.0]

    Source: He, Zhang, Ren, Sun 2015, arXiv 1502.01852, section 2.1.
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
    """RReLU: a leaky ReLU whose slope below 0 is drawn from U(lower, upper) for each value
    during training.

    In evaluation the slope is the mean of the two.

    Args:
        lower, upper: from 0 to 1. Defaults 1/8 and 1/3.

    Example:
        >>> import netwise as nw, torch
        >>> round(nw.RReLU()(torch.tensor([-1.0])).item(), 4)  # -(1/8 + 1/3) / 2
        -0.2292

    Source: Xu, Wang, Chen, Li 2015, arXiv 1505.00853.
    """

    lower: float = number(
        1 / 8, least=0, most=1, because="a leak is a part of the input", why="the paper's value"
    )
    upper: float = number(
        1 / 3, least=0, most=1, because="a leak is a part of the input", why="the paper's value"
    )

    def conflicts(self) -> list[Problem]:
        if self.lower > self.upper:
            reason = f"must be at most upper = {self.upper}"
            return [Problem("lower", repr(self.lower), reason, repr(self.upper))]
        return []

    def build(self) -> nn.Module:
        return nn.RReLU(self.lower, self.upper)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.nn.functional.leaky_relu(x, (self.lower + self.upper) / 2)


@dataclass(frozen=True)
class ELU(Activation):
    """ELU: f(x) = x above 0, alpha (exp(x) - 1) below: saturates smoothly for x < 0, mean near 0.

    Args:
        alpha: the limit for x -> -infinity is -alpha; above 0. Default 1.0, the paper's value.

    Example:
        >>> import netwise as nw, torch
        >>> round(nw.ELU()(torch.tensor([-1.0])).item(), 4)
        -0.6321

    Source: Clevert, Unterthiner, Hochreiter 2015, arXiv 1511.07289.
    """

    alpha: float = number(
        1.0, above=0, because="the lower limit is -alpha", why="the paper's value"
    )

    def build(self) -> nn.Module:
        return nn.ELU(self.alpha)


@dataclass(frozen=True)
class SELU(Activation):
    """SELU: f(x) = 1.0507 x above 0, 1.0507 * 1.6733 (exp(x) - 1) below: keeps mean 0 and
    standard deviation 1 from layer to layer.

    Example:
        >>> import netwise as nw, torch
        >>> [round(v, 4) for v in nw.SELU()(torch.tensor([-1.0, 2.0])).tolist()]
        [-1.1113, 2.1014]

    Source: Klambauer, Unterthiner, Mayr, Hochreiter 2017, arXiv 1706.02515; use with
    `LeCun` weights.
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
    """Maxout: each unit is the maximum of `pieces` linear functions, h_i = max_j (x W_ij + b_ij).

    A layer before it has `pieces` times as many outputs (`MLP` and `ConvNet` provide them); the
    pieces of a unit are neighbours along the features (the channels of images). With W_2,
    b_2 ... = 0 it is ReLU.

    Args:
        pieces: linear functions per unit, at least 2. Default 2.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Maxout(pieces=2)(torch.tensor([[1.0, 3.0, -2.0, -5.0]])).tolist()
        [[3.0, -2.0]]

    Source: Goodfellow, Warde-Farley, Mirza, Courville, Bengio 2013, arXiv 1302.4389.
    """

    pieces: int = integer(
        2,
        least=2,
        most=1000,
        because="one piece is a linear unit",
        why="the smallest number that is not linear",
    )

    def build(self) -> nn.Module:
        return MaxPieces(self.pieces)


class MaxPieces(nn.Module):
    """Maximum over groups of `pieces` neighbouring features.

    (samples, units * pieces, ...) -> (samples, units, ...).
    """

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

    Not before `CrossEntropy`, which takes logits and includes the softmax.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Softmax()(torch.tensor([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]

    Source: Bridle 1990, Probabilistic interpretation of feedforward classification network outputs.
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
    """Properties of an activation as a function of one number.

    Args:
        name: its class.
        lowest, highest: the ends of its range.
        max_slope: its largest absolute slope.
        below_10_percent, below_1_percent: the |x| beyond which its slope stays below 10 % and 1 %
            of `max_slope`; infinite where it does not on one side or both.
        mean, mean_square: the expected values of f(x) and f(x)^2 for x ~ N(0, 1).

    Example:
        >>> import netwise as nw
        >>> tanh = nw.activation_properties(nw.Tanh())
        >>> round(tanh.below_10_percent, 2), round(tanh.below_1_percent, 2), tanh.max_slope
        (1.82, 2.99, 1.0)
    """

    name: str
    lowest: float
    highest: float
    max_slope: float
    below_10_percent: float
    below_1_percent: float
    mean: float
    mean_square: float


def slope(activation: Activation, x: Tensor) -> Tensor:
    """f'(x) for each element of `x`, by autograd; at a kink torch's choice, which for ReLU is 0.

    Example:
        >>> import netwise as nw, torch
        >>> nw.slope(nw.Sigmoid(), torch.tensor([0.0])).item()
        0.25
    """
    with torch.enable_grad():
        at = x.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(activation(at).sum(), at)
    return gradient


def activation_properties(activation: Activation) -> ActivationProperties:
    """Range, slopes and mean output of an activation that maps one number to one number: of all but
    `Softmax` and `Maxout`.

    Example:
        >>> import netwise as nw
        >>> sigmoid = nw.activation_properties(nw.Sigmoid())
        >>> sigmoid.max_slope, round(sigmoid.below_1_percent, 2), round(sigmoid.mean, 2)
        (0.25, 5.99, 0.5)

    Raises:
        TypeError: the activation is `Softmax` or `Maxout`.
    """
    if isinstance(activation, Softmax | Maxout):
        raise TypeError(
            f"{type(activation).__name__} maps several numbers to one, so it has no slope:"
            " pass another activation, such as ReLU()"
        )
    x = torch.linspace(0, 40, 400_001, dtype=torch.float64)
    sizes = torch.maximum(slope(activation, x).abs(), slope(activation, -x).abs())
    # The larger slope of x and -x: where one side never falls, as with ReLU, the unit still learns.
    max_slope = float(sizes.max())
    below_10, below_1 = (_last_above(x, sizes, share * max_slope) for share in (0.1, 0.01))
    return ActivationProperties(
        type(activation).__name__,
        activation.lowest,
        activation.highest,
        max_slope,
        below_10,
        below_1,
        *_moments(activation),
    )


def _last_above(x: Tensor, sizes: Tensor, limit: float) -> float:
    """The last of the increasing `x` at which `sizes` is at least `limit`; infinite at the end."""
    above = torch.nonzero(sizes >= limit)
    last = int(above[-1]) if len(above) else 0
    return math.inf if last == len(x) - 1 else float(x[last])


def _moments(activation: Activation) -> tuple[float, float]:
    """(E f(x), E f(x)^2) for x ~ N(0, 1), by the trapezoid rule, whose error is far below float32
    for a Gaussian weight."""
    x = torch.linspace(-12, 12, 240_001, dtype=torch.float64)
    density = torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)
    f = activation(x)
    return float(torch.trapezoid(density * f, x)), float(torch.trapezoid(density * f.square(), x))


def gain(activation: Activation) -> float:
    """1 / sqrt(E f(x)^2) for x ~ N(0, 1): the factor on `LeCun` weights that keeps the mean square
    of the signal from layer to layer.

    sqrt(2) for ReLU, 1 for the identity.

    Example:
        >>> import netwise as nw
        >>> round(nw.gain(nw.ReLU()) ** 2, 6)
        2.0
    """
    if isinstance(activation, Softmax | Maxout):
        return 1.0
    return 1 / math.sqrt(_moments(activation)[1])


# Classes of modules that are activations: their outputs are what an activity penalty uses, and
# their name is the activation recorded for a watched layer.
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

# Formulas that identify the activation of a watched layer by comparison with its observed outputs.
# Identity comes first: an output that equals the input went through no activation.
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
