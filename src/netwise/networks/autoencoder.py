"""Autoencoder (自编码器): a network trained to reconstruct its inputs from a code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise import signals
from netwise.data.dataset import Samples
from netwise.errors import Problem, interface_error
from netwise.module_modes import evaluation_mode
from netwise.networks.network import IMAGES, Network, image_field, wrong_inputs
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.part import flag, integer, integers, number, part, parts
from netwise.parts.activations import Activation, Identity, LeakyReLU, ReLU, Sigmoid
from netwise.parts.augment import Augment
from netwise.parts.losses import Loss
from netwise.tasks import RECONSTRUCTION

SIGNAL_ROWS = 1000  # samples that the signals at the end of an epoch are measured on
MASKED = 0.25  # share of the inputs that are set to 0 for the signal MASKED_R2
ALIVE = 1e-3  # standard deviation over samples below which a code unit counts as dead
NARROW = 4  # a narrow code is a quarter of the input
KL_ALIVE = 0.01  # mean KL divergence in nats below which a latent unit is unused


class AutoencoderNetwork(Network):
    """What the networks of all autoencoders share: the inputs are the targets."""

    computes_loss: ClassVar[bool] = True

    @property
    def own_task(self) -> str | None:
        return RECONSTRUCTION

    def needs_inputs_from_0_to_1(self, loss: Loss) -> bool:
        return loss.target_range is not None


@dataclass(frozen=True)
class Autoencoder(AutoencoderNetwork):
    """Dense encoder and decoder: x -> h = f(W x + b) -> g(h), trained so that g(h) is close to x.

    The layers of the encoder have the names of an `MLP`'s, so `init=From(...)` initializes a
    classifier from them, or this network from a `DBN` of equal widths. Use `MeanSquaredError()` for
    numbers and `BinaryCrossEntropy()` for pixels from 0 to 1; with `outputs="sum"` both are errors
    per input, as in the papers. With `corrupt` it is a denoising autoencoder: the input is
    corrupted, the target is not.

    With `layer_by_layer` the layers are trained one after the other, each to reconstruct the codes
    of the one before, in equal shares of the epochs; then train the whole, or a classifier, with
    `init=From(recipe=...)`.

    Args:
        widths: numbers of inputs, of each layer's units, and of the code.
        activation: of the layers of the encoder, and of the decoder's hidden ones. Default
            `Sigmoid()`.
        code: activation of the code. Default None: that of the other layers.
        output: activation of the last layer. Default `Identity()`, as `BinaryCrossEntropy` needs.
        tied: the decoder uses the encoder's weights, transposed. Default true.
        corrupt: corruption of the inputs of a layer in training: one for all layers, or one for
            each layer. Default none.
        layer_by_layer: train the layers one after the other. Default false.
        sparsity: weight beta of the penalty beta KL(rho, mean) of each code unit, at least 0, for
            codes from 0 to 1. Default 0.0.
        sparsity_target: rho, the mean that a code unit should have. Default 0.05.
        top: number of code units that are kept, the largest of each sample; 0: all. Default 0.
        contraction: weight of the penalty ||dh/dx||^2 on the code's Jacobian, at least 0. Default
            0.0.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),),
        ...                    network=nw.Autoencoder((64, 16)), loss=nw.BinaryCrossEntropy(),
        ...                    optimizer=nw.Adam(lr=0.01), epochs=20)
        >>> run = nw.fit(recipe)
        >>> run.score.name, run.score.value > 0.5
        ('r2', True)
        >>> run.codes(nw.data.digits().load().test).shape
        torch.Size([360, 16])

    Source: denoising: Vincent et al. 2008; KL: Ng 2011, CS294A notes;
    top: Makhzani, Frey 2013, "k-sparse autoencoders"; contraction: Rifai et al. 2011, "Contractive
    auto-encoders".
    """

    declares_shape: ClassVar[bool] = True
    widths: tuple[int, ...] = integers(
        (784, 500),
        shortest=2,
        longest=100,
        because="inputs, layers, code",
        why="MNIST, and the papers' usual layer",
    )
    activation: Activation = part(
        Activation,
        Sigmoid(),
        why="the notes' and the papers': codes from 0 to 1 are inputs for the next layer",
    )
    code: Activation | None = part(Activation, None, optional=True, why="one activation for all")
    output: Activation = part(Activation, Identity(), why="losses take logits or plain values")
    tied: bool = flag(True, why="half of the weights, and encoder and decoder stay on one scale")
    corrupt: tuple[Augment, ...] = parts(Augment, why="a code smaller than the input needs none")
    layer_by_layer: bool = flag(False, why="a few layers can be trained together")
    sparsity: float = number(
        0.0,
        least=0,
        because="a negative one rewards distance",
        why="regularise when the identity is learned",
    )
    sparsity_target: float = number(
        0.05, above=0, below=1, because="it is a share", why="the usual value"
    )
    top: int = integer(0, least=0, because="it is a number of units", why="all of them")
    contraction: float = number(
        0.0,
        least=0,
        because="a negative one rewards steep codes",
        why="regularise when the identity is learned",
    )

    def conflicts(self) -> list[Problem]:
        layers, problems = len(self.widths) - 1, []
        if len(self.corrupt) not in (0, 1, layers):
            problems.append(
                Problem(
                    "corrupt",
                    f"{len(self.corrupt)} of them",
                    f"must be one for all layers, or one for each of the {layers}",
                    "(Mask(share=0.25),)",
                )
            )
        if any(change.mixes or change.enlarges for change in self.corrupt):
            problems.append(
                Problem(
                    "corrupt",
                    str(self.corrupt),
                    "must change single samples",
                    "(Mask(share=0.25),)",
                )
            )
        if self.top > self.widths[-1]:
            problems.append(
                Problem(
                    "top",
                    str(self.top),
                    f"is more than the code has: {self.widths[-1]} units",
                    str(self.widths[-1]),
                )
            )
        if self.sparsity and (self._code.lowest < 0 or self._code.highest > 1):
            problems.append(
                Problem(
                    "sparsity",
                    str(self.sparsity),
                    "compares shares: the code must be from 0 to 1",
                    "code = Sigmoid()",
                )
            )
        return problems

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        features = samples.train.x[0].numel()
        return wrong_inputs(self.widths, features, [features, *self.widths[1:]])

    def with_narrower_code(self) -> Self | str:
        width = max(1, self.widths[0] // NARROW)
        if self.widths[-1] <= width:
            return "the code is at most a quarter as wide as the input already"
        return self.but(widths=(*self.widths[:-1], width), top=min(self.top, width))

    def with_livelier_code(self) -> Self | str:
        if self.top:
            more = min(self.widths[-1], max(2 * self.top, self.widths[-1] // 5))
            if more <= self.top:
                return "all units of the code are kept already"
            return self.but(top=more)
        if self.sparsity:
            return self.but(sparsity=self.sparsity / 10)
        if isinstance(self._code, LeakyReLU | Sigmoid):
            return "the code's activation passes gradients everywhere already"
        return self.but(activation=LeakyReLU(), code=None)

    @property
    def _code(self) -> Activation:
        return self.activation if self.code is None else self.code

    def build(self) -> nn.Module:
        return Reconstructor(self)


class Back(nn.Linear):
    """A layer of a decoder; if tied, it has biases only and is called with encoder weights."""

    def __init__(self, ins: int, outs: int, tied: bool) -> None:
        super().__init__(ins, outs)
        self.tied = tied
        if tied:
            del self.weight
            self.register_parameter("weight", None)

    def reset_parameters(self) -> None:
        super().reset_parameters()
        nn.init.zeros_(self.bias)

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Tensor:
        return F.linear(
            h, weight.t() if self.tied and weight is not None else self.weight, self.bias
        )


class AutoencoderModule(UnsupervisedModule):
    """What the modules of all autoencoders share: `encode`, `decode` and `batch_loss`."""

    loss: Callable[[Tensor, Tensor], Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.output_function: Callable[[Tensor], Tensor] = _identity

    def set_loss(self, loss: Loss) -> None:
        """Train by this loss from here on; its output activation is that of `reconstruct`."""
        self.loss_part, self.loss = loss, loss.build()
        self.output_function = torch.sigmoid if loss.output_activation == "Sigmoid" else _identity

    def __getstate__(self) -> dict[str, object]:
        return {
            name: value for name, value in self.__dict__.items() if name != "loss"
        }  # a function, which cannot be pickled

    def __setstate__(self, state: dict[str, object]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        loss = state.get("loss_part")
        if isinstance(loss, Loss):
            self.loss = loss.build()

    def decode(self, code: Tensor) -> Tensor:
        """(samples, inputs): outputs for codes, as the loss takes them (`BinaryCrossEntropy` takes
        logits)."""
        raise interface_error(self, "Autoencoder((64, 16)).build()")

    def reconstruct(self, x: Tensor) -> Tensor:
        """(samples, inputs): the inputs again, in their own units."""
        return self.output_function(
            self.decode(self.encode(x))
        )  # without a loss the outputs are taken as values

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decode(self.encode(x)) if y is None else self.batch_loss(x, y)

    @torch.no_grad()
    def epoch_signals(self, train: Tensor, valid: Tensor, seed: int) -> dict[str, float]:
        """Measurements at the end of an epoch, by the names of signals."""
        part = (valid if len(valid) else train)[:SIGNAL_ROWS]
        g = torch.Generator().manual_seed(seed)
        flat = part.flatten(1)
        foreign = permute_columns(flat, g)
        masked = part * (torch.rand(part.shape, generator=g) >= MASKED).to(part)
        with evaluation_mode(self):
            return self._epoch_signals(part, flat, masked, foreign)

    def _epoch_signals(
        self, part: Tensor, flat: Tensor, masked: Tensor, foreign: Tensor
    ) -> dict[str, float]:
        code = self.encode(part)
        return {
            signals.MASKED_R2: _explained(self.reconstruct(masked), flat),
            signals.FOREIGN_R2: _explained(self.reconstruct(foreign.reshape(part.shape)), foreign),
            signals.OWN_R2: _explained(self.reconstruct(part), flat),
            signals.CODE_DEAD: float((code.flatten(1).std(0, correction=0) < ALIVE).float().mean())
            if len(part) > 1
            else 0.0,
            signals.CODE_MEAN: float(code.mean()),
            signals.CODE_WIDTH: code[0].numel() / flat[0].numel(),
        }


def permute_columns(flat: Tensor, g: torch.Generator) -> Tensor:
    """(samples, inputs): each column permuted on its own: means and variances are kept, and no
    dependence between the inputs."""
    return torch.stack(
        [column[torch.randperm(len(flat), generator=g).to(flat.device)] for column in flat.t()], 1
    )


def _explained(output: Tensor, target: Tensor) -> float:
    """Share of the variance that is explained, over all inputs together."""
    errors, spread = (
        (output.flatten(1) - target).square().sum(),
        (target - target.mean(0)).square().sum(),
    )
    return 1 - float(errors) / max(float(spread), 1e-12)


def _identity(x: Tensor) -> Tensor:
    return x


class Reconstructor(AutoencoderModule):
    """The module of an `Autoencoder`: dense layers `layer1` ... to the code, `back...1` from it."""

    stage: Tensor

    def __init__(self, network: Autoencoder) -> None:
        super().__init__()
        self.network, self.count = network, len(network.widths) - 1
        for i, (ins, outs) in enumerate(pairwise(network.widths), start=1):
            self.add_module(f"layer{i}", nn.Linear(ins, outs))
            last = i == self.count and network.code is not None
            self.add_module(
                f"activation{i}",
                (network.code if last and network.code is not None else network.activation).build(),
            )
        for i in range(self.count, 0, -1):
            self.add_module(
                f"back{i}", Back(network.widths[i], network.widths[i - 1], network.tied)
            )
            if i > 1:
                self.add_module(f"unfold{i}", network.activation.build())
        self.ends = not isinstance(network.output, Identity)
        if self.ends:
            self.add_module("output", network.output.build())
        self.stages = self.count if network.layer_by_layer else 1
        if self.stages > 1:
            self.register_buffer("stage", torch.zeros((), dtype=torch.int64))

    def _up(self, x: Tensor, i: int) -> Tensor:
        h: Tensor = self.get_submodule(f"activation{i}")(self.get_submodule(f"layer{i}")(x))
        return _largest(h, self.network.top) if i == self.count and self.network.top else h

    def _down(self, h: Tensor, i: int) -> Tensor:
        """The inputs of layer i reconstructed from its outputs, before the activation."""
        y: Tensor = self.get_submodule(f"back{i}")(h, self.get_submodule(f"layer{i}").weight)
        return y

    def encode(self, x: Tensor) -> Tensor:
        h = x.flatten(1)
        for i in range(1, self.count + 1):
            h = self._up(h, i)
        return h

    def decode(self, code: Tensor) -> Tensor:
        h = code
        for i in range(self.count, 0, -1):
            h = self._down(h, i)
            if i > 1:
                h = self.get_submodule(f"unfold{i}")(h)
        return self.get_submodule("output")(h) if self.ends else h

    def first_filters(self) -> Tensor | None:
        layer: Any = self.get_submodule("layer1")
        weight: Tensor = layer.weight
        return weight

    def start_stage(self, stage: int, x: Tensor) -> None:
        """Train layer `stage` (from 0) from here on, and no other."""
        self.stage.fill_(stage)
        self.enable_stage_gradients()

    def enable_stage_gradients(self) -> None:
        """Enable the gradients of the layer that is being trained."""
        for i in range(1, self.count + 1):
            for name in (f"layer{i}", f"back{i}"):
                for p in self.get_submodule(name).parameters():
                    trained = i == int(self.stage) + 1
                    p.requires_grad_(trained)
                    p.grad = (
                        p.grad if trained else None
                    )  # otherwise the optimizer would apply its last gradient again

    def batch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        if self.stages > 1:
            return self._layer_loss(x, int(self.stage) + 1)
        corrupted = self._corrupted(x, 1)
        if not self.network.contraction:
            code = self.encode(corrupted)
            return self.loss(self.decode(code), y) + self._sparsity_penalty(code)
        corrupted = corrupted.flatten(1).detach().requires_grad_(self.count != 1)
        code, slope = self._with_slope(corrupted)
        return (
            self.loss(self.decode(code), y)
            + self._sparsity_penalty(code)
            + self.network.contraction * slope
        )

    def _layer_loss(self, x: Tensor, i: int) -> Tensor:
        with torch.no_grad():
            h = x.flatten(1)
            for below in range(1, i):
                h = self._up(h, below)
        code = self._up(self._corrupted(h, i), i)
        back = self._down(code, i)
        if i == 1:
            return self.loss(
                self.get_submodule("output")(back) if self.ends else back, h
            ) + self._sparsity_penalty(code)
        activation = self.network.activation  # of the codes of the layer before, the targets
        if self.output_function is torch.sigmoid and isinstance(activation, Sigmoid):
            return self.loss(back, h) + self._sparsity_penalty(code)
        output = self.get_submodule(f"unfold{i}")(back)
        loss = (
            F.mse_loss(output, h) if self.output_function is torch.sigmoid else self.loss(output, h)
        )  # cross-entropy is for codes from 0 to 1
        return loss + self._sparsity_penalty(code)

    def _corrupted(self, x: Tensor, i: int) -> Tensor:
        changes = self.network.corrupt
        if not changes or not self.training:
            return x
        change = changes[0] if len(changes) == 1 else changes[i - 1]
        return change.apply(x, torch.default_generator)

    def _sparsity_penalty(self, code: Tensor) -> Tensor | float:
        """beta sum_j KL(rho, mean of unit j): of Bernoulli distributions."""
        beta, rho = self.network.sparsity, self.network.sparsity_target
        if not beta:
            return 0.0
        mean = code.mean(0).clamp(1e-6, 1 - 1e-6)
        return beta * (rho * (rho / mean).log() + (1 - rho) * ((1 - rho) / (1 - mean)).log()).sum()

    def _with_slope(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(code, mean of ||dh/dx||^2). Exact for one layer: sum_j f'(z_j)^2 ||W_j||^2; for more
        layers estimated by a random direction of the code."""
        if not torch.is_grad_enabled():
            return self.encode(x), x.new_zeros(())
        if self.count > 1:
            code = self.encode(x)
            direction = torch.randn_like(code)
            (product,) = torch.autograd.grad(code, x, direction, create_graph=True)
            return code, product.square().sum(1).mean()
        layer: Any = self.get_submodule("layer1")
        z = layer(x)
        code = self.get_submodule("activation1")(z)
        (slope,) = torch.autograd.grad(code.sum(), z, create_graph=True)
        return code, (slope.square() @ layer.weight.square().sum(1)).mean()


def _largest(h: Tensor, count: int) -> Tensor:
    """The `count` largest of each sample, and 0 for the others."""
    kept = torch.zeros_like(h).scatter_(1, h.topk(count, 1).indices, 1.0)
    return h * kept


@dataclass(frozen=True)
class ConvAutoencoder(AutoencoderNetwork):
    """Encoder of convolutions with stride 2, decoder of transposed ones: for images.

    Each layer of 3x3 filters halves height and width (rounded up); the decoder doubles them. With
    `code` a dense layer makes a code of that size from the smallest maps.

    Args:
        image: channels, height, width. Default (1, 28, 28).
        channels: of each layer. Default (16, 32).
        code: size of the code; 0: the code is the maps of the last layer. Default 32.
        activation: of the layers. Default `ReLU()`.
        corrupt: corruption of the inputs in training, at most one. Default none.

    Example:
        >>> import netwise as nw
        >>> nw.describe(nw.ConvAutoencoder(), (1, 28, 28)).output
        (784,)

    Source: Masci et al. 2011, "Stacked convolutional auto-encoders".
    """

    image: tuple[int, ...] = image_field((1, 28, 28))
    channels: tuple[int, ...] = integers(
        (16, 32),
        shortest=1,
        longest=10,
        most=4096,
        because="one number for each layer",
        why="small images have few parts",
    )
    code: int = integer(
        32,
        least=0,
        most=1_000_000,
        because="it is a number of units",
        why="a twenty-fifth of MNIST's pixels",
    )
    activation: Activation = part(
        Activation, ReLU(), why="slope 1 where it fires: gradients keep their size"
    )
    corrupt: tuple[Augment, ...] = parts(Augment, why="a code smaller than the input needs none")
    input_kind: ClassVar[str] = IMAGES

    def conflicts(self) -> list[Problem]:
        if len(self.corrupt) > 1 or any(change.mixes or change.enlarges for change in self.corrupt):
            return [
                Problem(
                    "corrupt",
                    str(self.corrupt),
                    "must be one change of single samples, or none",
                    "(Mask(share=0.25),)",
                )
            ]
        if min(self.image[1:]) < 2 ** len(self.channels):
            reason = (
                f"halve {self.image[1]}x{self.image[2]} pixels more often than they can be halved"
            )
            return [
                Problem("channels", str(list(self.channels)), reason, str(list(self.channels[:1])))
            ]
        return []

    def build(self) -> nn.Module:
        return ConvReconstructor(self)


class ConvReconstructor(AutoencoderModule):
    """The module of a `ConvAutoencoder`: convolutions `layer1` ..., dense `code` and `decode`,
    transposed convolutions `back...1`."""

    def __init__(self, network: ConvAutoencoder) -> None:
        super().__init__()
        self.network = network
        sizes = [(network.image[1], network.image[2])]
        for _ in network.channels:
            sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
        down, up = nn.Sequential(), nn.Sequential()
        channels = (network.image[0], *network.channels)
        for i, (ins, outs) in enumerate(pairwise(channels), start=1):
            down.add_module(f"layer{i}", nn.Conv2d(ins, outs, 3, stride=2, padding=1))
            down.add_module(f"activation{i}", network.activation.build())
        maps = (channels[-1], *sizes[-1])
        numbers = maps[0] * maps[1] * maps[2]
        if network.code:
            down.add_module("flatten", nn.Flatten())
            down.add_module("code", nn.Linear(numbers, network.code))
            up.add_module("decode", nn.Linear(network.code, numbers))
            up.add_module("activation", network.activation.build())
            up.add_module("unflatten", nn.Unflatten(1, maps))
        for i in range(len(network.channels), 0, -1):
            odd = tuple(
                int(full == 2 * half) for full, half in zip(sizes[i - 1], sizes[i], strict=True)
            )
            up.add_module(
                f"back{i}",
                nn.ConvTranspose2d(
                    channels[i],
                    channels[i - 1],
                    3,
                    stride=2,
                    padding=1,
                    output_padding=odd,  # type: ignore[arg-type]
                ),
            )
            if i > 1:
                up.add_module(f"unfold{i}", network.activation.build())
        self.down, self.up = down, up

    def encode(self, x: Tensor) -> Tensor:
        code: Tensor = self.down(x)
        return code

    def decode(self, code: Tensor) -> Tensor:
        image: Tensor = self.up(code)
        return image.flatten(1)

    def batch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        if self.network.corrupt and self.training:
            x = self.network.corrupt[0].apply(x, torch.default_generator)
        return self.loss(self.decode(self.encode(x)), y)


@dataclass(frozen=True)
class VariationalAutoencoder(AutoencoderNetwork):
    """Autoencoder whose code is a distribution N(mean(x), variance(x)) with the prior N(0, 1); new
    samples are decoded from draws of the prior.

    The loss is minus the lower bound of ln p(x) if the reconstruction loss is a sum over the
    inputs: `BinaryCrossEntropy(outputs="sum")` for pixels from 0 to 1. With a mean over the inputs
    the KL divergence outweighs the data, and the code collapses to the prior.

    Args:
        widths: numbers of inputs, of each hidden layer's units, and of the code. Default (784, 400,
            20).
        activation: of the hidden layers. Default `ReLU()`.
        beta: weight of the KL divergence from the prior, at least 0. Default 1.0: the bound.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),),
        ...                    network=nw.VariationalAutoencoder((64, 64, 4)),
        ...                    loss=nw.BinaryCrossEntropy(outputs="sum"),
        ...                    optimizer=nw.Adam(lr=0.005), epochs=10)
        >>> nw.fit(recipe).module.sample(3).shape
        torch.Size([3, 64])

    Source: Kingma, Welling 2013, arXiv 1312.6114; beta: Higgins et al. 2017. Beyond the notes.
    """

    declares_shape: ClassVar[bool] = True
    has_code_prior: ClassVar[bool] = True
    widths: tuple[int, ...] = integers(
        (784, 400, 20),
        shortest=3,
        longest=100,
        because="inputs, hidden layers, code",
        why="the usual one on MNIST",
    )
    activation: Activation = part(
        Activation, ReLU(), why="slope 1 where it fires: gradients keep their size"
    )
    beta: float = number(
        1.0, least=0, because="a negative one rewards distance", why="the lower bound itself"
    )

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        features = samples.train.x[0].numel()
        return wrong_inputs(self.widths, features, [features, *self.widths[1:]])

    def with_weaker_prior(self) -> Self | str:
        if self.beta <= 0.01:
            return f"the weight of the KL divergence is {self.beta:g} already"
        return self.but(beta=self.beta / 10)

    def build(self) -> nn.Module:
        return VariationalReconstructor(self)


class VariationalReconstructor(AutoencoderModule):
    """The module of a `VariationalAutoencoder`: `layer1` ..., then `code`, means and logs of
    variances side by side; `back...1` decode a draw of it."""

    def __init__(self, network: VariationalAutoencoder) -> None:
        super().__init__()
        self.network = network
        widths, count = network.widths, len(network.widths) - 1
        self.encoder, self.decoder = nn.Sequential(), nn.Sequential()
        for i, (ins, outs) in enumerate(pairwise(widths[:-1]), start=1):
            self.encoder.add_module(f"layer{i}", nn.Linear(ins, outs))
            self.encoder.add_module(f"activation{i}", network.activation.build())
        self.code = nn.Linear(widths[-2], 2 * widths[-1])  # means, then logs of variances
        for i in range(count, 0, -1):
            self.decoder.add_module(f"back{i}", nn.Linear(widths[i], widths[i - 1]))
            if i > 1:
                self.decoder.add_module(f"unfold{i}", network.activation.build())

    def first_filters(self) -> Tensor | None:
        layer: Any = self.encoder.get_submodule("layer1")
        weight: Tensor = layer.weight
        return weight

    def picture_samples(self, count: int, steps: int) -> tuple[Tensor, str] | None:
        return self.sample(count), "codes from N(0, 1), decoded"

    def spread(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(mean, log of the variance) of the code of each input, (samples, code) both."""
        mean, log_variance = self.code(self.encoder(x.flatten(1))).chunk(2, 1)
        return mean, log_variance

    def encode(self, x: Tensor) -> Tensor:
        return self.spread(x)[0]

    def decode(self, code: Tensor) -> Tensor:
        y: Tensor = self.decoder(code)
        return y

    def batch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        mean, log_variance = self.spread(x)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return (
            self.loss(self.decode(code), y)
            + self.network.beta * _kl_from_prior(mean, log_variance).sum(1).mean()
        )

    @torch.no_grad()
    def sample(self, count: int, *, seed: int = 0) -> Tensor:
        """(count, inputs): decoded draws of the prior N(0, 1)."""
        g = torch.Generator().manual_seed(seed)
        code = torch.randn(count, self.network.widths[-1], generator=g)
        return self.output_function(self.decode(code.to(self.code.weight)))

    @torch.no_grad()
    def epoch_signals(self, train: Tensor, valid: Tensor, seed: int) -> dict[str, float]:
        values = super().epoch_signals(train, valid, seed)
        kl = _kl_from_prior(*self.spread((valid if len(valid) else train)[:SIGNAL_ROWS])).mean(0)
        return {
            **values,
            signals.LATENT_KL: float(kl.sum()),
            signals.LATENT_UNUSED: float((kl < KL_ALIVE).float().mean()),
        }


def _kl_from_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(samples, code): KL of N(mean, variance) from N(0, 1), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
