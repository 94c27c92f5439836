"""Weight initializers. Biases are 0 unless the docstring says otherwise."""

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
    """Interface of initializers: `sample` draws the weights of one layer.

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
        """Adjust the drawn weights to the training inputs `x`, in place; most initializers use no
        data."""


def _normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator) * std


def _biases(size: int, mean: float, std: float, generator: torch.Generator) -> Tensor:
    """N(mean, std^2). With std = 0 nothing is drawn, so that the draws of the weights do not
    change."""
    return mean + _normal((size,), std, generator) if std else torch.full((size,), mean)


def _checked(fan: int, name: str) -> int:
    if fan < 1:
        raise ValueError(
            f"{name} = {fan} must be at least 1, a layer has inputs and outputs:"
            f" pass its number of {'inputs' if name == 'fan_in' else 'outputs'}"
        )
    return fan


@dataclass(frozen=True)
class ModuleDefault(Initializer):
    """Keep the weights that the network's modules draw by themselves, from the recipe's seed. The
    default.

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

    Source: Goodfellow, Bengio, Courville 2016, Deep learning, section 8.4: why units have to
    differ.
    """

    weight: float = number(0.0, why="the all-zero start of a linear model")
    bias: float = number(0.0, why="the all-zero start of a linear model")

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        return torch.full(shape, self.weight)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return torch.full((size,), self.bias)


@dataclass(frozen=True, kw_only=True)
class Normal(Initializer):
    """Normal weights with one standard deviation for all layers: W ~ N(0, std^2).

    Not for deep networks: with a small std the signal shrinks from layer to layer, with a large one
    units saturate. std = 1 with bias_std = 1 saturates the first layer of a usual network.

    Args:
        std: standard deviation of the weights, above 0. Default 0.01.
        bias: mean of the biases. Default 0.0.
        bias_std: standard deviation of the biases, at least 0. Default 0.0: all equal.
        truncated: no draws beyond two standard deviations. Default false.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> w = nw.Normal(std=0.1).sample((300, 300), fan_in=300, fan_out=300, generator=g)
        >>> round(w.std().item(), 2)
        0.1

    Source: Nielsen 2015, Neural networks and deep learning, chapter 3, weight initialization.
    """

    std: float = number(
        0.01,
        above=0,
        because="a standard deviation is positive",
        why="small, as in many older networks",
    )
    bias: float = number(0.0, why="no unit is preferred")
    bias_std: float = number(
        0.0, least=0, because="a standard deviation is not negative", why="no unit is preferred"
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
    """N(0, std^2) restricted to two standard deviations, by the inverse of its distribution
    function."""
    edge = 0.5 * (1 + math.erf(-2 / math.sqrt(2)))
    share = edge + (1 - 2 * edge) * torch.rand(shape, generator=generator, dtype=torch.float64)
    drawn: Tensor = torch.special.ndtri(share).clamp(-2, 2)
    return (std * drawn).float()


@dataclass(frozen=True, kw_only=True)
class Uniform(Initializer):
    """Uniform weights with one range for all layers: W ~ U(-reach, reach).

    Args:
        reach: largest absolute weight, above 0. Default 0.05.
        bias: every bias. Default 0.0.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> w = nw.Uniform(reach=0.5).sample((30, 30), fan_in=30, fan_out=30, generator=g)
        >>> round(w.abs().max().item(), 1)
        0.5
    """

    reach: float = number(
        0.05, above=0, because="weights have to differ", why="small, a usual value"
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
    """Normal weights that keep the variance of a layer's outputs where the activation is near the
    identity.

        W ~ N(0, 1 / fan_in)

    Args:
        bias_std: standard deviation of the biases, at least 0. Default 0.0; Nielsen 2015 has 1.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> w = nw.LeCun().sample((300, 100), fan_in=100, fan_out=300, generator=g)
        >>> round(w.std().item(), 2)  # 1 / sqrt(100)
        0.1

    Source: LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, eq. 16. 1 / sqrt(fan_in) is the
    standard deviation; some texts print it as the variance.
    """

    bias_std: float = number(
        0.0, least=0, because="a standard deviation is not negative", why="no unit is preferred"
    )

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        return _normal(shape, math.sqrt(1 / _checked(fan_in, "fan_in")), generator)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return _biases(size, 0.0, self.bias_std, generator)


@dataclass(frozen=True, kw_only=True)
class Glorot(Initializer):
    """Weights that keep the variance of signals forward and of gradients backward in networks of
    sigmoid or tanh layers (Xavier).

        std = sqrt(2 / (fan_in + fan_out)),    uniform: U(-sqrt(3) std, sqrt(3) std)

    Args:
        shape: "uniform" (the paper's) or "normal". Default "uniform".

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> w = nw.Glorot().sample((300, 100), fan_in=100, fan_out=300, generator=g)
        >>> round(w.max().item(), 3)  # sqrt(6 / 400)
        0.122

    Source: Glorot, Bengio 2010, eq. 16. The formula above is the standard deviation; some texts
    print it as the variance.
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
    """Weights that keep the mean square of the signal through an activation such as ReLU (Kaiming).

        std = gain / sqrt(fan_in * E[f(z)^2]),  z ~ N(0, 1);   ReLU:  std = gain * sqrt(2 / fan_in)

    The 2 compensates for ReLU, which sets half of its inputs to 0. Not for sigmoid or tanh, whose
    outputs shrink for any weights: use `Glorot`.

    Args:
        gain: factor on std, above 0. Default 1.0: the paper's value.
        shape: "normal" (the paper's) or "uniform", U(-sqrt(3) std, sqrt(3) std). Default "normal".
        activation: f, the activation after the layer. Default `ReLU()`.

    Raises:
        ValueError: in `sample`, `fan_in` < 1.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> w = nw.He().sample((100, 200), fan_in=200, fan_out=100, generator=g)
        >>> w.shape, round(w.std().item(), 2)  # sqrt(2 / 200) = 0.1
        (torch.Size([100, 200]), 0.1)

    Source: He, Zhang, Ren, Sun 2015, arXiv 1502.01852, eq. 10.
    """

    gain: float = number(
        1.0, above=0, because="a factor on a standard deviation", why="the paper's value"
    )
    shape: str = text("normal", among=("normal", "uniform"), why="the paper's own")
    activation: Activation = part(Activation, ReLU(), why="the activation of the paper")

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        # ReLU's factor is exact, not the result of a numerical integral.
        square = 2.0 if isinstance(self.activation, ReLU) else gain_of(self.activation) ** 2
        std = self.gain * math.sqrt(square / _checked(fan_in, "fan_in"))
        if self.shape == "normal":
            return _normal(shape, std, generator)
        return (torch.rand(shape, generator=generator) * 2 - 1) * math.sqrt(3) * std


@dataclass(frozen=True, kw_only=True)
class Orthogonal(Initializer):
    """Orthogonal rows (or columns, where there are fewer) of norm `gain`.

    Convolutions are matrices of (outputs, inputs * height * width).

    Args:
        gain: norm of each row or column, above 0. Default 1.0; use sqrt(2) before ReLU.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> w = nw.Orthogonal().sample((3, 5), fan_in=5, fan_out=3, generator=g)
        >>> torch.allclose(w @ w.T, torch.eye(3), atol=1e-6)
        True

    Source: Saxe, McClelland, Ganguli 2013, arXiv 1312.6120.
    """

    gain: float = number(1.0, above=0, because="it is a norm", why="keeps the norm of the signal")

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        rows, columns = shape[0], math.prod(shape[1:])
        q, r = torch.linalg.qr(
            torch.randn(max(rows, columns), min(rows, columns), generator=generator)
        )
        q = q * r.diagonal().sign()  # uniform over orthogonal matrices (Mezzadri 2006)
        weights: Tensor = (q if rows >= columns else q.T).reshape(shape)
        return self.gain * weights


@dataclass(frozen=True, kw_only=True)
class Dirac(Initializer):
    """The identity: each unit outputs one input, each filter the centre pixel of one channel (Dirac
    delta).

    Units beyond the number of inputs get weights of 0. For plain networks of equal widths.

    Args:
        gain: factor on the identity, above 0. Default 1.0.
        noise: standard deviation of normal noise on every weight, at least 0. Default 0.0.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Dirac().sample((2, 2), fan_in=2, fan_out=2, generator=torch.Generator()).tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: Zagoruyko, Komodakis 2017, arXiv 1706.00388; Le, Jaitly, Hinton 2015, arXiv 1504.00941
    (recurrent nets).
    """

    gain: float = number(1.0, above=0, because="a factor on the identity", why="the identity")
    noise: float = number(
        0.0, least=0, because="a standard deviation is not negative", why="the plain identity"
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
    """Layer-sequential unit variance: orthogonal weights, then layer by layer scaled until the
    outputs have variance 1.

    Args:
        gain: norm of the orthogonal rows before scaling, above 0. Default 1.0.
        samples: training inputs to use, at least 2. Default 256.
        tolerance: largest accepted |variance - 1|, above 0. Default 0.02.
        rounds: largest number of scalings of a layer, at least 1. Default 10.

    Example:
        >>> import netwise as nw, torch
        >>> module, x = nw.MLP((10, 50, 50, 3)).build(), 7 * torch.randn(200, 10)
        >>> nw.initialize(module, nw.LSUV(), torch.Generator().manual_seed(0), x)
        >>> round(float(module.layer1(x).detach().std()), 1)
        1.0

    Source: Mishkin, Matas 2015, arXiv 1511.06422, algorithm 1.
    """

    samples: int = integer(
        256, least=2, because="a variance needs two samples", why="about the paper's batch"
    )
    tolerance: float = number(
        0.02,
        above=0,
        because="it is a distance",
        why="the paper has 0.1; one or two more scalings are cheap",
    )
    rounds: int = integer(10, least=1, because="it counts scalings", why="the paper's value")

    def calibrate(self, module: nn.Module, x: Tensor) -> None:
        inputs = x[: self.samples]
        in_order: list[nn.Module] = []  # the layers as the data pass them
        handles = [
            layer.register_forward_hook(
                lambda layer, args, output: (
                    in_order.append(layer) if layer not in in_order else None
                )
            )
            for layer in weight_layers(module)
        ]
        with torch.no_grad(), evaluation_mode(module):
            module(inputs)
            for handle in handles:
                handle.remove()
            for layer in in_order:
                for _ in range(self.rounds):
                    variance = _output_variance(layer, module, inputs)
                    if not variance > 0 or abs(variance - 1) < self.tolerance:
                        break
                    layer.weight.div_(math.sqrt(variance))  # type: ignore[operator]


@dataclass(frozen=True, kw_only=True)
class WithBiases(Initializer):
    """An initializer for the weights, with biases from N(bias, bias_std^2).

    Args:
        weights: initializer of the weights. Default `He()`.
        bias: mean of the biases. Default 0.0.
        bias_std: their standard deviation, at least 0. Default 0.0: all equal.

    Example:
        >>> import netwise as nw, torch
        >>> init = nw.WithBiases(weights=nw.Glorot(), bias=0.1)
        >>> [round(b, 2) for b in init.sample_bias(2, generator=torch.Generator()).tolist()]
        [0.1, 0.1]
    """

    weights: Initializer = part(Initializer, He(), why="ReLU is the usual activation")
    bias: float = number(0.0, why="no unit is preferred")
    bias_std: float = number(
        0.0, least=0, because="a standard deviation is not negative", why="no unit is preferred"
    )

    def sample(
        self, shape: tuple[int, ...], *, fan_in: int, fan_out: int, generator: torch.Generator
    ) -> Tensor:
        return self.weights.sample(shape, fan_in=fan_in, fan_out=fan_out, generator=generator)

    def sample_bias(self, size: int, *, generator: torch.Generator) -> Tensor:
        return _biases(size, self.bias, self.bias_std, generator)

    def calibrate(self, module: nn.Module, x: Tensor) -> None:
        self.weights.calibrate(module, x)


def _output_variance(layer: nn.Module, module: nn.Module, x: Tensor) -> float:
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
    """Draw new weights for every linear, convolutional and recurrent layer of `module`.

    Normalisation layers are not changed; with `ModuleDefault` nothing is.

    Args:
        module: the network, changed in place.
        init: the initializer.
        generator: source of the draws.
        x: training inputs, (samples, ...), for initializers that use data, such as `LSUV`.

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
    """Initialize each gate's matrix by itself: torch stacks them in one parameter."""
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


def weight_layers(module: nn.Module) -> list[nn.Linear | nn.Conv1d | nn.Conv2d]:
    """The linear and convolutional layers of a module."""
    return [
        layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d)
    ]


def fans(layer: nn.Linear | nn.Conv1d | nn.Conv2d) -> tuple[int, int]:
    """(fan_in, fan_out): inputs per output, and outputs per input."""
    outs, ins = layer.weight.shape[:2]
    field = layer.weight[0, 0].numel() if layer.weight.dim() > 2 else 1
    groups = getattr(layer, "groups", 1)
    return ins * field, outs * field // groups
