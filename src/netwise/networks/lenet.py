"""LeNet-5 (1998), the first widely used convolutional network: in its modern form, and as
published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from netwise.errors import Problem
from netwise.networks.layers.pooling import MaxPool2
from netwise.networks.network import IMAGES, Network, image_field, scaled, width_field
from netwise.networks.script_source import ScriptSource
from netwise.part import integer, integers, part
from netwise.parts.activations import Activation, ReLU


@dataclass(frozen=True)
class LeNet5(Network):
    """Two convolutions with pooling, then three linear layers: 6@5x5, 16@5x5, 120, 84, classes.

    The 1998 net took 32x32; here the first convolution pads by 2, so that 28x28 gives the same
    maps. As published: `LeNet5Paper`.

    Args:
        image: channels, height, width. Default 1, 28, 28. Sides of at least 12.
        classes: outputs. Default 10.
        activation: of the hidden layers. Default `ReLU()` (the paper's was a scaled tanh).
        width: factor on all channels and units. Default 1.0.

    Example:
        >>> import netwise as nw
        >>> sum(p.numel() for p in nw.LeNet5().build().parameters())
        61706

    Source: LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document
    recognition.
    """

    input_kind: ClassVar[str] = IMAGES
    gains_from_channels_last: ClassVar[bool] = True
    image: tuple[int, ...] = integers(
        (1, 28, 28),
        shortest=3,
        longest=3,
        most=4096,
        because="channels, height, width",
        why="MNIST's",
    )
    classes: int = integer(
        10, least=1, most=1_000_000, because="a network has outputs", why="ten digits"
    )
    activation: Activation = part(Activation, ReLU(), why="the modern form")
    width: float = width_field()

    def build(self) -> nn.Module:
        channels, height, width = self.image
        first, second, third, fourth = (scaled(units, self.width) for units in (6, 16, 120, 84))
        rows, columns = ((side // 2 - 4) // 2 for side in (height, width))
        layers = nn.Sequential()
        layers.add_module("conv1", nn.Conv2d(channels, first, 5, padding=2))
        layers.add_module("activation1", self.activation.build())
        layers.add_module("pool1", MaxPool2())
        layers.add_module("conv2", nn.Conv2d(first, second, 5))
        layers.add_module("activation2", self.activation.build())
        layers.add_module("pool2", MaxPool2())
        layers.add_module("flatten", nn.Flatten())
        layers.add_module("layer3", nn.Linear(second * max(rows, 1) * max(columns, 1), third))
        layers.add_module("activation3", self.activation.build())
        layers.add_module("layer4", nn.Linear(third, fourth))
        layers.add_module("activation4", self.activation.build())
        layers.add_module("layer5", nn.Linear(fourth, self.classes))
        return layers


# Table I of the paper: the maps of S2 that each map of C3 is connected to.
CONNECTIONS: tuple[tuple[int, ...], ...] = (
    (0, 1, 2),
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
    (0, 4, 5),
    (0, 1, 5),
    (0, 1, 2, 3),
    (1, 2, 3, 4),
    (2, 3, 4, 5),
    (0, 3, 4, 5),
    (0, 1, 4, 5),
    (0, 1, 2, 5),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)

# Bitmaps of digits on 7x12, as the targets of the paper's output units: similar digits have similar
# ones.
# Drawn for netwise.
GLYPHS = tuple(
    f"{rows} ......."  # the last row of each is empty
    for rows in (
        ".#####. ##...## ##...## ##...## ##...## ##...## ##...## ##...## ##...## ##...## .#####.",
        "...##.. ..###.. .####.. ...##.. ...##.. ...##.. ...##.. ...##.. ...##.. ...##.. .######",
        ".#####. ##...## ##...## .....## .....## ....##. ...##.. ..##... .##.... ##..... #######",
        ".#####. ##...## .....## .....## .....## ..####. .....## .....## .....## ##...## .#####.",
        "....##. ...###. ..####. .##.##. ##..##. ##..##. ####### ....##. ....##. ....##. ....##.",
        "####### ##..... ##..... ##..... ######. .....## .....## .....## .....## ##...## .#####.",
        ".#####. ##...## ##..... ##..... ######. ##...## ##...## ##...## ##...## ##...## .#####.",
        "####### .....## .....## ....##. ....##. ...##.. ...##.. ..##... ..##... .##.... .##....",
        ".#####. ##...## ##...## ##...## ##...## .#####. ##...## ##...## ##...## ##...## .#####.",
        ".#####. ##...## ##...## ##...## ##...## .###### .....## .....## .....## ##...## .#####.",
    )
)


class ScaledTanh(nn.Module):
    """f(a) = 1.7159 tanh(2 a / 3): f(1) = 1 and f(-1) = -1, where its bend is greatest (appendix A
    of the paper)."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsample(nn.Module):
    """The sum over 2x2 times a coefficient plus a bias, both trained, one of each per map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.full((channels, 1, 1), 0.25))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.avg_pool2d(x, 2) * 4 * self.weight + self.bias

    def extra_repr(self) -> str:
        return str(self.channels)


class PartlyConnected(nn.Module):
    """A convolution of 5x5 whose maps see only some of the maps below, by the paper's table."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.ModuleList(nn.Conv2d(len(inputs), 1, 5) for inputs in CONNECTIONS)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(
            [conv(x[:, list(inputs)]) for conv, inputs in zip(self.maps, CONNECTIONS, strict=True)],
            1,
        )


class Distances(nn.Module):
    """Radial basis functions: how far the 84 units are from each class's picture, sum_j (x_j -
    w_ij)^2; fixed, negated.

    The negative distances serve as logits: with `CrossEntropy` that is the paper's criterion (eq.
    9) but for its constant.
    """

    codes: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.register_buffer("codes", class_codes(classes))

    def forward(self, x: Tensor) -> Tensor:
        return -(x[:, None, :] - self.codes).square().sum(2)

    def extra_repr(self) -> str:
        return str(self.classes)


def class_codes(classes: int) -> Tensor:
    """(classes, 84) of -1 and 1: pictures of digits, and beyond ten a fixed draw."""
    drawn = [[1.0 if mark == "#" else -1.0 for mark in glyph.replace(" ", "")] for glyph in GLYPHS]
    more = (
        torch.randint(
            0, 2, (max(classes - len(GLYPHS), 0), 84), generator=torch.Generator().manual_seed(84)
        ).float()
        * 2
        - 1
    )
    return torch.cat([torch.tensor(drawn), more])[:classes]


@dataclass(frozen=True)
class LeNet5Paper(Network):
    """LeNet-5 as published: trainable subsampling, the connection table of C3, scaled tanh,
    distances to pictures at the end.

    60,000 trainable numbers: C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164. The paper's
    bitmaps are redrawn.

    Args:
        image: 1, height, width; padded with zeros to 32x32. Default 1, 28, 28.
        classes: outputs. Default 10.

    Example:
        >>> import netwise as nw
        >>> sum(p.numel() for p in nw.LeNet5Paper().build().parameters())
        60000

    Source: LeCun, Bottou, Bengio, Haffner 1998, section II.B.
    """

    input_kind: ClassVar[str] = IMAGES
    image: tuple[int, ...] = image_field((1, 28, 28))
    classes: int = integer(
        10, least=1, most=1_000_000, because="a network has outputs", why="ten digits"
    )

    def conflicts(self) -> list[Problem]:
        channels, height, width = self.image
        if channels != 1 or max(height, width) > 32 or (32 - height) % 2 or (32 - width) % 2:
            return [
                Problem(
                    "image",
                    str(list(self.image)),
                    "must be one channel of at most 32x32, of even sides: the table is of six maps",
                    "[1, 28, 28]",
                )
            ]
        return []

    def build(self) -> nn.Module:
        _, height, width = self.image
        rows, columns = (32 - height) // 2, (32 - width) // 2
        layers = nn.Sequential()
        if rows or columns:
            layers.add_module("pad", nn.ZeroPad2d((columns, columns, rows, rows)))
        layers.add_module("c1", nn.Conv2d(1, 6, 5))
        layers.add_module("squash1", ScaledTanh())
        layers.add_module("s2", Subsample(6))
        layers.add_module("squash2", ScaledTanh())
        layers.add_module("c3", PartlyConnected())
        layers.add_module("squash3", ScaledTanh())
        layers.add_module("s4", Subsample(16))
        layers.add_module("squash4", ScaledTanh())
        layers.add_module("c5", nn.Conv2d(16, 120, 5))
        layers.add_module("squash5", ScaledTanh())
        layers.add_module("flatten", nn.Flatten())
        layers.add_module("f6", nn.Linear(120, 84))
        layers.add_module("squash6", ScaledTanh())
        layers.add_module("output", Distances(self.classes))
        return layers


SCRIPT_SOURCES = {
    ScaledTanh: ScriptSource(),
    Subsample: ScriptSource(),
    PartlyConnected: ScriptSource((f"CONNECTIONS = {CONNECTIONS}",)),
    Distances: ScriptSource((f"GLYPHS = {GLYPHS}", class_codes)),
}
