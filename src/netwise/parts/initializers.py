"""Initializers: where the weights start. Biases start at 0 unless the docstring says otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from netwise.errors import interface_error
from netwise.module_modes import evaluation_mode
from netwise.part import Part, flag, integer, number, part, text
from netwise.parts.activations import Activation, ReLU, gain as gain_of


class Initializer(Part):
    """What every initializer has: `sample` draws the weights of one layer.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> nw.Constant(0.5).sample((1, 2), fan_in=2, fan_out=1, generator=g).tolist()
        [[0.5, 0.5]]
    """

    family_name: ClassVar[str] = "initializer"

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        """float32 weights of `shape`: `(out, in)` or `(out, in, height, width)`."""
        raise interface_error(self, "He()")

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        """float32 biases of one layer: 0."""
        return torch.zeros(size)

    def calibrate(self, module: nn.Module, x: Tensor) -> None:
        """Adjust drawn weights to the training inputs `x`, in place; most starts look at no
        data."""


def _normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator) * std


def _biases(size: int, mean: float, std: float, generator: torch.Generator) -> Tensor:
    """N(mean, std^2); without a spread nothing is drawn, so that the weights' draws stay where they
    are."""
    return mean + _normal((size,), std, generator) if std else torch.full((size,), mean)


def _checked(fan: int, name: str) -> int:
    if fan < 1:
        raise ValueError(f"{name} = {fan} must be at least 1: a layer has inputs and outputs")
    return fan


@dataclass(frozen=True)
class ModuleDefault(Initializer):
    """Leave the start to the network's own modules, drawn from the recipe's seed. The default.

    torch's `nn.Linear` and `nn.Conv2d` draw weights and biases from U(-1/sqrt(fan_in),
    1/sqrt(fan_in)).

    Example:
        >>> import netwise as nw
        >>> nw.ModuleDefault()
        ModuleDefault()
    """

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        """torch's default for `nn.Linear`: U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
        limit = 1 / math.sqrt(_checked(fan_in, "fan_in"))
        return torch.rand(shape, generator=generator) * 2 * limit - limit


@dataclass(frozen=True)
class Constant(Initializer):
    """The same number everywhere. Only for a single neuron or a linear model: equal units stay
    equal.

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

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        return torch.full(shape, self.weight)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return torch.full((size,), self.bias)


@dataclass(frozen=True, kw_only=True)
class Normal(Initializer):
    """Normal weights of one spread, whatever the layer's size: W ~ N(0, std^2).

    Right for no depth: too small and the signal dies with the layers, too large and units saturate.
    With std = 1 and bias_std = 1 it is the large start of the notes, which saturates the first
    layer.

    Args:
        std: spread of the weights, above 0. Default 0.01.
        bias: mean of the biases. Default 0.0.
        bias_std: spread of the biases, at least 0. Default 0.0: all equal.
        truncated: draws beyond two spreads are drawn again. Default false.

    Example:
        >>> import netwise as nw, torch
        >>> w = nw.Normal(std=0.1).sample((300, 300), fan_in=300, fan_out=300, generator=torch.Generator().manual_seed(0))
        >>> round(w.std().item(), 2)
        0.1

    Source: note 000, claim I02; note 004's first start.
    """

    std: float = number(
        0.01,
        above=0,
        because="a spread is positive",
        why="the smallest of the three that the notes try",
    )
    bias: float = number(0.0, why="no unit is preferred")
    bias_std: float = number(
        0.0, least=0, because="a spread is not negative", why="no unit is preferred"
    )
    truncated: bool = flag(
        False, why="the plain normal distribution, as torch has it; Keras truncates"
    )

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        if self.truncated:
            return truncated_normal(shape, self.std, generator)
        return _normal(shape, self.std, generator)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return _biases(size, self.bias, self.bias_std, generator)


def truncated_normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    """N(0, std^2) without what lies beyond two spreads, by the inverse of its distribution
    function."""
    edge = 0.5 * (1 + math.erf(-2 / math.sqrt(2)))
    share = edge + (1 - 2 * edge) * torch.rand(shape, generator=generator, dtype=torch.float64)
    drawn: Tensor = torch.special.ndtri(share).clamp(-2, 2)
    return (std * drawn).float()


@dataclass(frozen=True, kw_only=True)
class Uniform(Initializer):
    """Uniform weights of one reach: W ~ U(-reach, reach).

    Args:
        reach: above 0. Default 0.05.
        bias: every bias. Default 0.0.

    Example:
        >>> import netwise as nw, torch
        >>> w = nw.Uniform(reach=0.5).sample((30, 30), fan_in=30, fan_out=30, generator=torch.Generator().manual_seed(0))
        >>> round(w.abs().max().item(), 1)
        0.5
    """

    reach: float = number(
        0.05,
        above=0,
        because="weights have to differ",
        why="small, as is usual where nothing is known",
    )
    bias: float = number(0.0, why="no unit is preferred")

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        return (torch.rand(shape, generator=generator) * 2 - 1) * self.reach

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return torch.full((size,), self.bias)


@dataclass(frozen=True)
class LeCun(Initializer):
    """Normal weights that keep a layer's spread when the activation is near the identity.

        W ~ N(0, 1 / fan_in)

    Args:
        bias_std: spread of the biases, at least 0. Default 0.0; the notes' better start has 1:
            `LeCun(bias_std=1)`.

    Example:
        >>> import netwise as nw, torch
        >>> w = nw.LeCun().sample((300, 100), fan_in=100, fan_out=300, generator=torch.Generator().manual_seed(0))
        >>> round(w.std().item(), 2)  # 1 / sqrt(100)
        0.1

    Source: LeCun, Bottou, Orr, Müller 1998, Efficient BackProp; note 004, claim I03; note 001,
        claim I04 (erratum E03:
    1 / sqrt(fan_in) is the standard deviation, where the note prints variance).
    """

    bias_std: float = number(
        0.0, least=0, because="a spread is not negative", why="no unit is preferred"
    )

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        return _normal(shape, math.sqrt(1 / _checked(fan_in, "fan_in")), generator)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return _biases(size, 0.0, self.bias_std, generator)


@dataclass(frozen=True, kw_only=True)
class Glorot(Initializer):
    """Weights that carry signals forward and gradients back through sigmoid or tanh layers alike
    (Xavier).

        std = sqrt(2 / (fan_in + fan_out)),    uniform: U(-sqrt(3) std, sqrt(3) std)

    Args:
        shape: "uniform" (the paper's) or "normal". Default "uniform".

    Example:
        >>> import netwise as nw, torch
        >>> w = nw.Glorot().sample((300, 100), fan_in=100, fan_out=300, generator=torch.Generator().manual_seed(0))
        >>> round(w.max().item(), 3)  # sqrt(6 / 400)
        0.122

    Source: Glorot, Bengio 2010, eq. 16; note 000, claim I05 (erratum E01: this is the standard
    deviation, not the variance).
    """

    shape: str = text("uniform", among=("uniform", "normal"), why="the paper's own")

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        std = math.sqrt(2 / (_checked(fan_in, "fan_in") + _checked(fan_out, "fan_out")))
        if self.shape == "normal":
            return _normal(shape, std, generator)
        return (torch.rand(shape, generator=generator) * 2 - 1) * math.sqrt(3) * std


@dataclass(frozen=True, kw_only=True)
class He(Initializer):
    """Weights that carry a layer's signal through its activation to the next layer at equal
    strength.

        std = gain / sqrt(fan_in * E[f(z)^2]),  z ~ N(0, 1);   for ReLU:  std = gain * sqrt(2 / fan_in)

    The 2 makes up for ReLU, which zeroes half of its inputs. Not for sigmoid or tanh, whose outputs
    shrink whatever the weights: use `Glorot`.

    Args:
        gain: factor on std, above 0. Default 1.0: the paper's value.
        shape: "normal" (the paper's) or "uniform", U(-sqrt(3) std, sqrt(3) std). Default "normal".
        activation: the one that follows. Default `ReLU()`.

    Raises:
        ValueError: in `sample`, `fan_in` < 1.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> w = nw.He().sample((100, 200), fan_in=200, fan_out=100, generator=g)
        >>> w.shape, round(w.std().item(), 2)  # sqrt(2 / 200) = 0.1
        (torch.Size([100, 200]), 0.1)

    Source: He, Zhang, Ren, Sun 2015, arXiv 1502.01852, eq. 10; note 000, claim I06 (erratum E02:
    std, not variance).
    """

    gain: float = number(1.0, above=0, because="a factor on a spread", why="the paper's value")
    shape: str = text("normal", among=("normal", "uniform"), why="the paper's own")
    activation: Activation = part(Activation, ReLU(), why="what it was made for")

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        # ReLU's factor is written out, so that no rounding of an integral changes its draws.
        square = 2.0 if isinstance(self.activation, ReLU) else gain_of(self.activation) ** 2
        std = self.gain * math.sqrt(square / _checked(fan_in, "fan_in"))
        if self.shape == "normal":
            return _normal(shape, std, generator)
        return (torch.rand(shape, generator=generator) * 2 - 1) * math.sqrt(3) * std


@dataclass(frozen=True, kw_only=True)
class Orthogonal(Initializer):
    """Weights whose rows (or columns, where there are fewer) are at right angles and of length
    `gain`: no direction is lost.

    Convolutions count as matrices of (outputs, inputs * height * width).

    Args:
        gain: length of each, above 0. Default 1.0; sqrt(2) before ReLU.

    Example:
        >>> import netwise as nw, torch
        >>> w = nw.Orthogonal().sample((3, 5), fan_in=5, fan_out=3, generator=torch.Generator().manual_seed(0))
        >>> torch.allclose(w @ w.T, torch.eye(3), atol=1e-6)
        True

    Source: Saxe, McClelland, Ganguli 2013, arXiv 1312.6120.
    """

    gain: float = number(1.0, above=0, because="a length", why="keeps lengths")

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        rows, columns = shape[0], math.prod(shape[1:])
        q, r = torch.linalg.qr(
            torch.randn(max(rows, columns), min(rows, columns), generator=generator)
        )
        q = q * r.diagonal().sign()  # makes the draw uniform over all such matrices (Mezzadri 2006)
        turned: Tensor = (q if rows >= columns else q.T).reshape(shape)
        return self.gain * turned


@dataclass(frozen=True, kw_only=True)
class Dirac(Initializer):
    """The identity: each unit passes one input on, a convolution the middle of one channel (Dirac's
    delta).

    Where there are more units than inputs, the rest start at 0. For plain networks of equal widths.

    Args:
        gain: what is passed on, not 0. Default 1.0.
        noise: spread of normal noise on every weight, at least 0. Default 0.0.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Dirac().sample((2, 2), fan_in=2, fan_out=2, generator=torch.Generator()).tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: Zagoruyko, Komodakis 2017, arXiv 1706.00388; Le, Jaitly, Hinton 2015, arXiv 1504.00941
    (recurrent nets).
    """

    gain: float = number(1.0, above=0, because="what is passed on", why="the identity")
    noise: float = number(
        0.0, least=0, because="a spread is not negative", why="the plain identity"
    )

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        w = torch.zeros(shape)
        nn.init.dirac_(w) if len(shape) > 2 else nn.init.eye_(w)
        w = self.gain * w
        return w + _normal(shape, self.noise, generator) if self.noise else w


@dataclass(frozen=True, kw_only=True)
class LSUV(Orthogonal):
    """Layer-sequential unit variance: orthogonal weights, then each layer in turn scaled until its
    outputs have spread 1.

    Looks at up to `samples` training inputs.

    Args:
        gain: length of the orthogonal rows before scaling, above 0. Default 1.0.
        samples: training inputs that are looked at, at least 2. Default 256.
        tolerance: how near to 1 the variance has to come, above 0. Default 0.02.
        rounds: of scaling for each layer, at most, at least 1. Default 10.

    Example:
        >>> import netwise as nw, torch
        >>> module, x = nw.MLP((10, 50, 50, 3)).build(), 7 * torch.randn(200, 10)
        >>> nw.initialize(module, nw.LSUV(), torch.Generator().manual_seed(0), x)
        >>> round(float(module.layer1(x).detach().std()), 1)
        1.0

    Source: Mishkin, Matas 2015, arXiv 1511.06422, algorithm 1; note 000, claim I08.
    """

    samples: int = integer(
        256, least=2, because="a spread needs two samples", why="the paper's batch, about"
    )
    tolerance: float = number(
        0.02,
        above=0,
        because="it is a distance",
        why="the paper's is 0.1; a scaling or two more is cheap",
    )
    rounds: int = integer(10, least=1, because="it counts scalings", why="the paper's value")

    def calibrate(self, module: nn.Module, x: Tensor) -> None:
        few = x[: self.samples]
        seen: list[nn.Module] = []
        handles = [
            layer.register_forward_hook(
                lambda layer, args, output: seen.append(layer) if layer not in seen else None
            )
            for layer in weighted(module)
        ]
        with torch.no_grad(), evaluation_mode(module):
            module(few)
            for handle in handles:
                handle.remove()
            for layer in seen:
                for _ in range(self.rounds):
                    variance = _variance_of(layer, module, few)
                    if not variance > 0 or abs(variance - 1) < self.tolerance:
                        break
                    layer.weight.div_(math.sqrt(variance))  # type: ignore[operator]


@dataclass(frozen=True, kw_only=True)
class WithBiases(Initializer):
    """Any start for the weights, and biases of their own: N(bias, bias_std^2).

    Args:
        weights: the start of the weights. Default `He()`.
        bias: mean of the biases. Default 0.0.
        bias_std: their spread, at least 0. Default 0.0: all equal.

    Example:
        >>> import netwise as nw, torch
        >>> init = nw.WithBiases(weights=nw.Glorot(), bias=0.1)
        >>> [round(b, 2) for b in init.sample_bias(2, generator=torch.Generator()).tolist()]
        [0.1, 0.1]
    """

    weights: Initializer = part(Initializer, He(), why="ReLU is the usual activation")
    bias: float = number(0.0, why="no unit is preferred")
    bias_std: float = number(
        0.0, least=0, because="a spread is not negative", why="no unit is preferred"
    )

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        return self.weights.sample(shape, fan_in=fan_in, fan_out=fan_out, generator=generator)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return _biases(size, self.bias, self.bias_std, generator)

    def calibrate(self, module: nn.Module, x: Tensor) -> None:
        self.weights.calibrate(module, x)


def _variance_of(layer: nn.Module, module: nn.Module, x: Tensor) -> float:
    kept: list[Tensor] = []
    handle = layer.register_forward_hook(lambda layer, args, output: kept.append(output))
    try:
        module(x)
    finally:
        handle.remove()
    return float(kept[0].var())


INITIALIZERS: tuple[type[Initializer], ...] = (
    ModuleDefault,
    Constant,
    Normal,
    Uniform,
    LeCun,
    Glorot,
    He,
    Orthogonal,
    Dirac,
    LSUV,
    WithBiases,
)


def initialize(
    module: nn.Module, init: Initializer, generator: torch.Generator, x: Tensor | None = None
) -> None:
    """Draw the weights of every linear, convolutional and recurrent layer of `module` anew; norm
    layers keep theirs.

    `ModuleDefault` leaves everything as the modules made it. `x` are training inputs, for starts that
    look at them.

    Example:
        >>> import netwise as nw, torch
        >>> module = nw.MLP((2, 1)).build()
        >>> nw.initialize(module, nw.Constant(weight=0.5), torch.Generator())
        >>> module.layer1.weight.tolist()
        [[0.5, 0.5]]
    """
    if isinstance(init, ModuleDefault):
        return
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.RNNBase):
                _recurrent(layer, init, generator)
            elif isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d):
                fan_in, fan_out = fans(layer)
                drawn = init.sample(
                    tuple(layer.weight.shape), fan_in=fan_in, fan_out=fan_out, generator=generator
                )
                layer.weight.copy_(drawn)
                if layer.bias is not None:
                    layer.bias.copy_(init.sample_bias(len(layer.bias), generator=generator))
    if x is not None:
        init.calibrate(module, x)


def _recurrent(layer: nn.RNNBase, init: Initializer, generator: torch.Generator) -> None:
    """Each gate's matrix on its own: gates are layers side by side."""
    gates = {"LSTM": 4, "GRU": 3}.get(layer.mode, 1)
    for p in layer.parameters():
        for piece in p.chunk(gates):
            if p.dim() > 1:
                piece.copy_(
                    init.sample(
                        tuple(piece.shape),
                        fan_in=piece.shape[1],
                        fan_out=piece.shape[0],
                        generator=generator,
                    )
                )
            else:
                piece.copy_(init.sample_bias(len(piece), generator=generator))


def weighted(module: nn.Module) -> list[nn.Linear | nn.Conv1d | nn.Conv2d]:
    """The linear and convolutional layers of a module."""
    return [
        layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d)
    ]


def fans(layer: nn.Linear | nn.Conv1d | nn.Conv2d) -> tuple[int, int]:
    """(fan_in, fan_out): how many numbers each output sees, and how many outputs see each input."""
    outs, ins = layer.weight.shape[:2]
    field = layer.weight[0, 0].numel() if layer.weight.dim() > 2 else 1
    groups = getattr(layer, "groups", 1)
    return ins * field, outs * field // groups
