"""Autoencoder (自编码器): a network that learns to give its inputs again, through a code."""

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

LOOKED_AT = 1000  # samples that the numbers at the end of an epoch are taken from
MASKED = 0.25  # of the inputs, where it is tried what a network makes of a part
ALIVE = 1e-3  # spread of a code unit over samples, below which it is called dead
NARROW = 4  # a narrow code is a quarter of the input
KL_ALIVE = 0.01  # nats that a latent unit has to tell of an input on average to count as used


class _Reconstruction(Network):
    """What all autoencoders share."""

    computes_loss: ClassVar[bool] = True

    @property
    def own_task(self) -> str | None:
        return RECONSTRUCTION

    def needs_inputs_from_0_to_1(self, loss: Loss) -> bool:
        return loss.target_range is not None


@dataclass(frozen=True)
class Autoencoder(_Reconstruction):
    """Dense layers down to a code and back: x -> h = f(W x + b) -> g(h), trained so that g(h) is x
    again.

    The layers of the encoder are called as those of an `MLP`, so a classifier starts from them by
    `init=From(...)`, and a `DBN` of equal widths starts this one. Which loss: `MeanSquaredError()`
    for numbers, `BinaryCrossEntropy()` for pixels from 0 to 1; `outputs="sum"` in either gives
    errors per input, as the papers count them. With `corrupt` it is a denoising autoencoder: it
    sees the corrupted input and is asked for the clean one.

    A stack (`layer_by_layer`) trains one layer after the other, each to give back the codes of the
    one before, in equal shares of the epochs; train the whole, or a classifier, with
    `init=From(recipe=...)` of it.

    Args:
        widths: numbers of inputs, of each layer's units, and of the code.
        activation: of the layers of the encoder, and of the decoder's hidden ones. Default
            `Sigmoid()`.
        code: activation of the code, where it is another. Default None: the same.
        output: of the last layer. Default `Identity()`; `BinaryCrossEntropy` takes it so.
        tied: the decoder uses the encoder's weights, transposed. Default true.
        corrupt: what is done to the inputs of a layer in training: one for all layers, or one for
            each. Default none.
        layer_by_layer: train the layers one after the other. Default false.
        sparsity: what the distance of each code unit's mean from `sparsity_target` weighs, at least
            0: beta of beta KL(rho, mean), for codes from 0 to 1. Default 0.0.
        sparsity_target: rho, the share that a code unit should be on. Default 0.05.
        top: only so many code units, the largest of each sample, are kept; 0: all. Default 0.
        contraction: what the squared slope of the code, ||dh/dx||^2, weighs, at least 0. Default
            0.0.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),), network=nw.Autoencoder((64, 16)),
        ...                    loss=nw.BinaryCrossEntropy(), optimizer=nw.Adam(lr=0.01), epochs=20)
        >>> run = nw.fit(recipe)
        >>> run.score.name, run.score.value > 0.5, run.module.encode(nw.data.digits().load().test.x / 16).shape
        ('r2', True, torch.Size([360, 16]))

    Source: note 001, claims N15 to N18; denoising: Vincent et al. 2008; KL: Ng 2011, CS294A notes;
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
    tied: bool = flag(True, why="half of the weights, and none can grow while the other shrinks")
    corrupt: tuple[Augment, ...] = parts(Augment, why="a code smaller than the input needs none")
    layer_by_layer: bool = flag(False, why="a few layers learn together")
    sparsity: float = number(
        0.0,
        least=0,
        because="a negative one rewards distance",
        why="regularise when it is called for",
    )
    sparsity_target: float = number(
        0.05, above=0, below=1, because="it is a share", why="the usual value"
    )
    top: int = integer(0, least=0, because="it counts units", why="all of them")
    contraction: float = number(
        0.0,
        least=0,
        because="a negative one rewards steep codes",
        why="regularise when it is called for",
    )

    def conflicts(self) -> list[Problem]:
        layers, problems = len(self.widths) - 1, []
        if len(self.corrupt) not in (0, 1, layers):
            problems.append(
                Problem(
                    "corrupt",
                    f"{len(self.corrupt)} of them",
                    f"must be one for all layers, or one for each of the {layers}",
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
    """A layer of a decoder; tied, it has biases only and is handed the encoder's weights."""

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


class _Reconstructor(UnsupervisedModule):
    """What the modules of all autoencoders share: `encode`, `decode`, and a cost of their own."""

    loss: Callable[[Tensor, Tensor], Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.link: Callable[[Tensor], Tensor] = _same

    def set_loss(self, loss: Loss) -> None:
        """From here on count the cost by this loss."""
        self.told, self.loss = loss, loss.build()
        self.link = torch.sigmoid if loss.output_activation == "Sigmoid" else _same

    def __getstate__(self) -> dict[str, object]:
        return {
            name: value for name, value in self.__dict__.items() if name != "loss"
        }  # a function that no pickle takes

    def __setstate__(self, state: dict[str, object]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if isinstance(state.get("told"), Loss):
            self.loss = state["told"].build()  # type: ignore[attr-defined]

    def decode(self, code: Tensor) -> Tensor:
        """(samples, inputs): outputs for codes, before the loss's own link (`BinaryCrossEntropy`
        takes logits)."""
        raise interface_error(self, "Autoencoder((64, 16)).build()")

    def reconstruct(self, x: Tensor) -> Tensor:
        """(samples, inputs): the inputs again, in their own units."""
        return self.link(
            self.decode(self.encode(x))
        )  # a module that was built by hand takes its outputs for values

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decode(self.encode(x)) if y is None else self.batch_loss(x, y)

    @torch.no_grad()
    def epoch_signals(self, train: Tensor, valid: Tensor, seed: int) -> dict[str, float]:
        """What it says of itself at the end of an epoch, by the names of signals."""
        part = (valid if len(valid) else train)[:LOOKED_AT]
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
    """Each input's values dealt out anew among the samples: of the same means and spreads, and
    nothing else of the data."""
    return torch.stack(
        [column[torch.randperm(len(flat), generator=g).to(flat.device)] for column in flat.t()], 1
    )


def _explained(given: Tensor, wanted: Tensor) -> float:
    """Share of the variance that is given back, over all inputs together."""
    wrong, spread = (
        (given.flatten(1) - wanted).square().sum(),
        (wanted - wanted.mean(0)).square().sum(),
    )
    return 1 - float(wrong) / max(float(spread), 1e-12)


def _same(x: Tensor) -> Tensor:
    return x


class Reconstructor(_Reconstructor):
    """Dense layers `layer1` ... to a code, `back...1` from it."""

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
        """What layer i gives back, before its activation."""
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
        """Gradients for the layer that learns."""
        for i in range(1, self.count + 1):
            for name in (f"layer{i}", f"back{i}"):
                for p in self.get_submodule(name).parameters():
                    learns = i == int(self.stage) + 1
                    p.requires_grad_(learns)
                    p.grad = (
                        p.grad if learns else None
                    )  # or the optimizer would go on with its last one

    def batch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        if self.stages > 1:
            return self._cost_of_layer(x, int(self.stage) + 1)
        bent = self._corrupted(x, 1)
        if not self.network.contraction:
            code = self.encode(bent)
            return self.loss(self.decode(code), y) + self._price(code)
        bent = bent.flatten(1).detach().requires_grad_(self.count != 1)
        code, slope = self._with_slope(bent)
        return (
            self.loss(self.decode(code), y) + self._price(code) + self.network.contraction * slope
        )

    def _cost_of_layer(self, x: Tensor, i: int) -> Tensor:
        with torch.no_grad():
            h = x.flatten(1)
            for below in range(1, i):
                h = self._up(h, below)
        code = self._up(self._corrupted(h, i), i)
        back = self._down(code, i)
        if i == 1:
            return self.loss(
                self.get_submodule("output")(back) if self.ends else back, h
            ) + self._price(code)
        own = self.network.activation  # the codes of the layer before are what this one gives back
        if self.link is torch.sigmoid and isinstance(own, Sigmoid):
            return self.loss(back, h) + self._price(code)
        given = self.get_submodule(f"unfold{i}")(back)
        lost = (
            F.mse_loss(given, h) if self.link is torch.sigmoid else self.loss(given, h)
        )  # cross-entropy is for codes from 0 to 1
        return lost + self._price(code)

    def _corrupted(self, x: Tensor, i: int) -> Tensor:
        changes = self.network.corrupt
        if not changes or not self.training:
            return x
        change = changes[0] if len(changes) == 1 else changes[i - 1]
        return change.apply(x, torch.default_generator)

    def _price(self, code: Tensor) -> Tensor | float:
        """beta sum_j KL(rho, mean of unit j): of Bernoulli distributions."""
        beta, rho = self.network.sparsity, self.network.sparsity_target
        if not beta:
            return 0.0
        mean = code.mean(0).clamp(1e-6, 1 - 1e-6)
        return beta * (rho * (rho / mean).log() + (1 - rho) * ((1 - rho) / (1 - mean)).log()).sum()

    def _with_slope(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(code, mean of ||dh/dx||^2). Exact for one layer: sum_j f'(z_j)^2 ||W_j||^2; for more by
        a random direction of the code."""
        if not torch.is_grad_enabled():
            return self.encode(x), x.new_zeros(())
        if self.count > 1:
            code = self.encode(x)
            towards = torch.randn_like(code)
            (along,) = torch.autograd.grad(code, x, towards, create_graph=True)
            return code, along.square().sum(1).mean()
        layer: Any = self.get_submodule("layer1")
        z = layer(x)
        code = self.get_submodule("activation1")(z)
        (slope,) = torch.autograd.grad(code.sum(), z, create_graph=True)
        return code, (slope.square() @ layer.weight.square().sum(1)).mean()


def _largest(h: Tensor, count: int) -> Tensor:
    """Only the `count` largest of each sample; the rest 0."""
    kept = torch.zeros_like(h).scatter_(1, h.topk(count, 1).indices, 1.0)
    return h * kept


@dataclass(frozen=True)
class ConvAutoencoder(_Reconstruction):
    """Convolutions of stride 2 down to a code of maps, transposed ones back: for images.

    Each layer halves height and width (rounded up) by 3x3 filters; the way back doubles them. With
    `code` a dense layer makes a code of so many numbers of the smallest maps.

    Args:
        image: channels, height, width. Default (1, 28, 28).
        channels: of each layer. Default (16, 32).
        code: numbers in the code; 0: the maps of the last layer are it. Default 32.
        activation: of the layers. Default `ReLU()`.
        corrupt: what is done to the inputs in training, at most one. Default none.

    Example:
        >>> import netwise as nw
        >>> nw.describe(nw.ConvAutoencoder(), (1, 28, 28)).output
        (784,)

    Source: Masci et al. 2011, "Stacked convolutional auto-encoders"; note 001, claim N15.
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
        because="it counts the numbers of the code",
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
            told = (
                f"halve {self.image[1]}x{self.image[2]} pixels more often than they can be halved"
            )
            return [
                Problem("channels", str(list(self.channels)), told, str(list(self.channels[:1])))
            ]
        return []

    def build(self) -> nn.Module:
        return ConvReconstructor(self)


class ConvReconstructor(_Reconstructor):
    """`layer1` ... convolutions, `code` and `decode` dense, `back...1` transposed convolutions."""

    def __init__(self, network: ConvAutoencoder) -> None:
        super().__init__()
        self.network = network
        sizes = [(network.image[1], network.image[2])]
        for _ in network.channels:
            sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
        down, up = nn.Sequential(), nn.Sequential()
        wide = (network.image[0], *network.channels)
        for i, (ins, outs) in enumerate(pairwise(wide), start=1):
            down.add_module(f"layer{i}", nn.Conv2d(ins, outs, 3, stride=2, padding=1))
            down.add_module(f"activation{i}", network.activation.build())
        maps = (wide[-1], *sizes[-1])
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
                    wide[i],
                    wide[i - 1],
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
class VariationalAutoencoder(_Reconstruction):
    """An autoencoder whose code is a distribution: N(mean(x), variance(x)), pulled towards N(0, 1);
    new samples come from N(0, 1).

    The cost is minus the lower bound of ln p(x) where the loss counts whole inputs:
    `BinaryCrossEntropy(outputs="sum")` for pixels from 0 to 1. With a loss that is a mean over the
    inputs the pull outweighs the data, and the code collapses.

    Args:
        widths: numbers of inputs, of each hidden layer's units, and of the code. Default (784, 400,
            20).
        activation: of the hidden layers. Default `ReLU()`.
        beta: what the pull weighs, at least 0. Default 1.0: the bound.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), preprocess=(nw.MinMax(),), network=nw.VariationalAutoencoder((64, 64, 4)),
        ...                    loss=nw.BinaryCrossEntropy(outputs="sum"), optimizer=nw.Adam(lr=0.005), epochs=10)
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


class VariationalReconstructor(_Reconstructor):
    """`layer1` ..., then `code`, means and logs of variances side by side; `back...1` from a draw
    of it."""

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
            + self.network.beta * _pull(mean, log_variance).sum(1).mean()
        )

    @torch.no_grad()
    def sample(self, count: int, *, seed: int = 0) -> Tensor:
        """(count, inputs): what codes from N(0, 1) are decoded to."""
        g = torch.Generator().manual_seed(seed)
        code = torch.randn(count, self.network.widths[-1], generator=g)
        return self.link(self.decode(code.to(self.code.weight)))

    @torch.no_grad()
    def epoch_signals(self, train: Tensor, valid: Tensor, seed: int) -> dict[str, float]:
        said = super().epoch_signals(train, valid, seed)
        told = _pull(*self.spread((valid if len(valid) else train)[:LOOKED_AT])).mean(0)
        return {
            **said,
            signals.LATENT_KL: float(told.sum()),
            signals.LATENT_UNUSED: float((told < KL_ALIVE).float().mean()),
        }


def _pull(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(samples, code): KL of N(mean, variance) from N(0, 1), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
