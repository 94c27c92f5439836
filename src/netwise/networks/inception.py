"""Inception: kernels of several sizes within one layer; and GoogLeNet (2014), which is made of
them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from netwise.errors import Problem
from netwise.networks.network import IMAGES, Network, image_field, width_field
from netwise.networks.script_source import ScriptSource
from netwise.networks.sizes import SMALL
from netwise.part import flag, integer, number


class Conv(nn.Module):
    """Convolution, batch norm (or none), ReLU; with torchvision's names."""

    def __init__(
        self,
        ins: int,
        outs: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(ins, outs, kernel, stride, padding, bias=not batch_norm)
        self.bn = nn.BatchNorm2d(outs, eps=0.001) if batch_norm else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return torch.relu(x if self.bn is None else self.bn(x))


class InceptionBlock(nn.Module):
    """Four branches, concatenated: 1x1; 1x1 then 3x3; 1x1 then 5x5; pooling then 1x1.

    Args:
        ins: input channels.
        ways: channels of 1x1; of 1x1 and 3x3; of 1x1 and 5x5; of the pooling's 1x1.
        large: side of the third branch's kernel: 5 as published, 3 in
            torchvision's published weights.
        batch_norm: after each convolution.

    Example:
        >>> import netwise as nw, torch
        >>> nw.InceptionBlock(192, (64, 96, 128, 16, 32, 32))(torch.zeros(2, 192, 14, 14)).shape
        torch.Size([2, 256, 14, 14])

    Source: Szegedy et al. 2014, arXiv 1409.4842, figure 2b.
    """

    def __init__(
        self, ins: int, ways: Sequence[int], large: int = 5, batch_norm: bool = True
    ) -> None:
        super().__init__()
        one, before3, three, before5, five, pool = ways
        self.branch1 = Conv(ins, one, 1, batch_norm=batch_norm)
        self.branch2 = nn.Sequential(
            Conv(ins, before3, 1, batch_norm=batch_norm),
            Conv(before3, three, 3, padding=1, batch_norm=batch_norm),
        )
        self.branch3 = nn.Sequential(
            Conv(ins, before5, 1, batch_norm=batch_norm),
            Conv(before5, five, large, padding=large // 2, batch_norm=batch_norm),
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, 1, 1, ceil_mode=True), Conv(ins, pool, 1, batch_norm=batch_norm)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


# Table 1 of the paper: the six widths of each block.
BLOCKS: dict[str, tuple[int, ...]] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class AuxiliaryHead(nn.Module):
    """A classifier on inner maps, which feeds gradient to the early layers; there in training
    only."""

    def __init__(
        self, ins: int, units: int, classes: int, dropout: float, batch_norm: bool, middle: int
    ) -> None:
        super().__init__()
        self.conv = Conv(ins, middle, 1, batch_norm=batch_norm)
        self.fc1 = nn.Linear(middle * 16, units)
        self.fc2 = nn.Linear(units, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(nn.functional.adaptive_avg_pool2d(x, (4, 4)))
        out: Tensor = self.fc2(self.dropout(torch.relu(self.fc1(x.flatten(1)))))
        return out


class GoogLeNetModule(nn.Module):
    """The module of `GoogLeNet`; in training it also gives the outputs of its auxiliary heads."""

    def __init__(
        self,
        channels: int,
        classes: int,
        width: float,
        small: bool,
        auxiliary: bool,
        batch_norm: bool,
        large: int,
        dropout: float,
        aux_dropout: float,
    ) -> None:
        super().__init__()
        self.arguments = (
            channels,
            classes,
            width,
            small,
            auxiliary,
            batch_norm,
            large,
            dropout,
            aux_dropout,
        )

        def wide(units: int) -> int:
            return max(1, round(units * width))

        first, third = wide(64), wide(192)
        self.conv1 = (
            Conv(channels, first, 3, padding=1, batch_norm=batch_norm)
            if small
            else Conv(channels, first, 7, 2, 3, batch_norm)
        )
        self.maxpool1 = nn.Identity() if small else nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = Conv(first, first, 1, batch_norm=batch_norm)
        self.conv3 = Conv(first, third, 3, padding=1, batch_norm=batch_norm)
        self.maxpool2 = nn.Identity() if small else nn.MaxPool2d(3, 2, ceil_mode=True)
        self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.maxpool4 = nn.MaxPool2d(2, 2, ceil_mode=True)
        now = third
        widths = {}
        for name, plan in BLOCKS.items():
            ways = [wide(units) for units in plan]
            self.add_module(f"inception{name}", InceptionBlock(now, ways, large, batch_norm))
            now = ways[0] + ways[2] + ways[4] + ways[5]
            widths[name] = now
        made = auxiliary
        self.aux1 = (
            AuxiliaryHead(widths["4a"], wide(1024), classes, aux_dropout, batch_norm, wide(128))
            if made
            else None
        )
        self.aux2 = (
            AuxiliaryHead(widths["4d"], wide(1024), classes, aux_dropout, batch_norm, wide(128))
            if made
            else None
        )
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(now, classes)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.conv3(self.conv2(self.maxpool1(self.conv1(x))))
        others: list[Tensor] = []
        x = self.maxpool2(x)
        for name in BLOCKS:
            if name == "4a":
                x = self.maxpool3(x)
            elif name == "5a":
                x = self.maxpool4(x)
            x = getattr(self, f"inception{name}")(x)
            if self.training and name == "4a" and self.aux1 is not None:
                others.append(self.aux1(x))
            elif self.training and name == "4d" and self.aux2 is not None:
                others.append(self.aux2(x))
        out: Tensor = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        return (out, *others) if others else out

    def extra_repr(self) -> str:
        return ", ".join(map(repr, self.arguments))


@dataclass(frozen=True, kw_only=True)
class GoogLeNet(Network):
    """Nine Inception blocks, with two auxiliary classifiers of weight 0.3 in training.

    The 2014 net had no batch norm, which came a year later (erratum E19): `batch_norm=False` is the
    published form, with kernels of 5x5. torchvision's published weights have batch norm, and 3x3 in
    the place of 5x5: `batch_norm=True, large_kernel=3`, whose 6,624,904 numbers are without the
    auxiliary heads. Images with sides below 64 skip the first two poolings and begin with 3x3 at
    stride 1.

    Args:
        image: channels, height, width. Default 3, 224, 224.
        classes: outputs. Default 1000.
        batch_norm: after each convolution. Default true.
        large_kernel: of each block's third way: 5 (published) or 3 (torchvision's). Default 3.
        auxiliary: the two heads, in training. Default true.
        auxiliary_weight: weight of each of their losses, at least 0. Default 0.3.
        width: factor on all channels. Default 1.0.
        dropout, auxiliary_dropout: from 0 to below 1. Defaults 0.2 and 0.7.

    Example:
        >>> import netwise as nw
        >>> sum(p.numel() for p in nw.GoogLeNet(auxiliary=False).build().parameters())
        6624904

    Source: Szegedy et al. 2014, arXiv 1409.4842, table 1.
    """

    input_kind: ClassVar[str] = IMAGES
    image: tuple[int, ...] = image_field((3, 224, 224))
    classes: int = integer(
        1000, least=1, most=1_000_000, because="a network has outputs", why="ImageNet's"
    )
    batch_norm: bool = flag(True, why="it learns far sooner, and published weights have it")
    large_kernel: int = integer(
        3, least=3, most=5, because="it is 3 or 5", why="that of published weights"
    )
    auxiliary: bool = flag(True, why="as published")
    auxiliary_weight: float = number(
        0.3, least=0, because="a loss is not rewarded", why="the paper's value"
    )
    width: float = width_field()
    dropout: float = number(
        0.2,
        least=0,
        below=1,
        because="it is a share of the units",
        why="torchvision's; the paper says 0.4",
    )
    auxiliary_dropout: float = number(
        0.7, least=0, below=1, because="it is a share of the units", why="the paper's value"
    )

    def conflicts(self) -> list[Problem]:
        if self.large_kernel == 4:
            return [Problem("large_kernel", "4", "must be 3 or 5", "5")]
        if min(self.image[1:]) < 8:
            return [
                Problem(
                    "image",
                    str(list(self.image)),
                    "is too small: sides of at least 8 are needed",
                    "[3, 32, 32]",
                )
            ]
        return []

    @property
    def has_auxiliary_outputs(self) -> bool:
        return self.auxiliary

    def build(self) -> nn.Module:
        small = min(self.image[1:]) < SMALL
        flags = (small, self.auxiliary, self.batch_norm, self.large_kernel)
        return GoogLeNetModule(
            self.image[0], self.classes, self.width, *flags, self.dropout, self.auxiliary_dropout
        )


SCRIPT_SOURCES = {
    GoogLeNetModule: ScriptSource((f"BLOCKS = {BLOCKS}", Conv, InceptionBlock, AuxiliaryHead))
}
