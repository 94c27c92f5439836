"""ResNet (2015): residual networks for ImageNet and for CIFAR, and their plain counterparts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.errors import Problem
from netwise.networks.layers.residual import stochastic_depth
from netwise.networks.network import IMAGES, Network, image_field, scaled, width_field
from netwise.networks.script_source import ScriptSource
from netwise.networks.sizes import SMALL
from netwise.part import flag, integer, number, text

AFTER, BEFORE = "after", "before"


class Shortcut(nn.Module):
    """Option A of the paper: every second pixel, and zeros for the additional channels; no
    parameters."""

    def __init__(self, ins: int, outs: int, stride: int) -> None:
        super().__init__()
        self.arguments = (ins, outs, stride)
        self.more, self.stride = outs - ins, stride

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(
            x[:, :, :: self.stride, :: self.stride],
            (0, 0, 0, 0, self.more // 2, self.more - self.more // 2),
        )

    def extra_repr(self) -> str:
        return ", ".join(map(repr, self.arguments))


class ResidualBlock(nn.Module):
    """y = f(x + F(x)), F of two convolutions of 3x3 (basic) or of 1x1, 3x3, 1x1 (bottleneck), each
    with batch norm.

    With `order` "before" (pre-activation) batch norm and ReLU come before each convolution, and
    y = x + F(x). `plain` leaves the shortcut out, for the plain network that shows degradation.
    `drop` is the probability that F is left out in training.
    """

    def __init__(
        self,
        ins: int,
        outs: int,
        stride: int = 1,
        bottleneck: bool = False,
        option: str = "B",
        order: str = AFTER,
        plain: bool = False,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.plain, self.order, self.drop, self.bottleneck = plain, order, drop, bottleneck
        inner = outs // 4 if bottleneck else outs
        before = order == BEFORE
        if bottleneck:
            self.conv1 = nn.Conv2d(ins, inner, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(ins if before else inner)
            self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(inner)
            self.conv3 = nn.Conv2d(inner, outs, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(inner if before else outs)
        else:
            self.conv1 = nn.Conv2d(ins, inner, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(ins if before else inner)
            self.conv2 = nn.Conv2d(inner, outs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(inner if before else outs)
        self.relu = nn.ReLU()
        self.downsample: nn.Module | None = None
        if not plain and (stride != 1 or ins != outs):
            if option == "A":
                self.downsample = Shortcut(ins, outs, stride)
            else:
                conv = nn.Conv2d(ins, outs, 1, stride, bias=False)
                self.downsample = conv if before else nn.Sequential(conv, nn.BatchNorm2d(outs))

    def forward(self, x: Tensor) -> Tensor:
        return self._before(x) if self.order == BEFORE else self._after(x)

    def _after(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.bottleneck:
            y = self.bn3(self.conv3(self.relu(y)))
        if not self.plain:
            y = stochastic_depth(y, self.drop, self.training) + (
                x if self.downsample is None else self.downsample(x)
            )
        out: Tensor = self.relu(y)
        return out

    def _before(self, x: Tensor) -> Tensor:
        ready = self.relu(self.bn1(x))
        y = self.conv2(self.relu(self.bn2(self.conv1(ready))))
        if self.bottleneck:
            y = self.conv3(self.relu(self.bn3(y)))
        if self.plain:
            return y  # type: ignore[no-any-return]
        return stochastic_depth(y, self.drop, self.training) + (
            x if self.downsample is None else self.downsample(ready)
        )


class ResNetModule(nn.Module):
    """The module of `ResNet` and `CIFARResNet`, with torchvision's names; images are laid out
    channels last, unless that is switched off."""

    channels_last = True

    def __init__(
        self,
        channels: int,
        classes: int,
        widths: tuple[int, ...],
        blocks: tuple[int, ...],
        stem: int,
        bottleneck: bool,
        option: str,
        order: str,
        plain: bool,
        drop: float,
        small: bool,
    ) -> None:
        super().__init__()
        self.arguments = (
            channels,
            classes,
            widths,
            blocks,
            stem,
            bottleneck,
            option,
            order,
            plain,
            drop,
            small,
        )
        self.conv1 = (
            nn.Conv2d(channels, stem, 3, 1, 1, bias=False)
            if small
            else nn.Conv2d(channels, stem, 7, 2, 3, bias=False)
        )
        self.bn1 = nn.BatchNorm2d(stem) if order == AFTER else None
        self.relu = nn.ReLU()
        self.maxpool = None if small else nn.MaxPool2d(3, 2, 1)
        now, done, count = stem, 0, sum(blocks)
        for stage, (wide, number_of) in enumerate(zip(widths, blocks, strict=True), start=1):
            layers = nn.Sequential()
            for i in range(number_of):
                done += 1
                stride = 2 if i == 0 and stage > 1 else 1
                layers.append(
                    ResidualBlock(
                        now, wide, stride, bottleneck, option, order, plain, drop * done / count
                    )
                )
                now = wide
            self.add_module(f"layer{stage}", layers)
        self.stages = len(widths)
        self.bn2 = nn.BatchNorm2d(now) if order == BEFORE else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(now, classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        x = self.conv1(x)
        if self.bn1 is not None:
            x = self.relu(self.bn1(x))
        if self.maxpool is not None:
            x = self.maxpool(x)
        for stage in range(1, self.stages + 1):
            x = getattr(self, f"layer{stage}")(x)
        if self.bn2 is not None:
            x = self.relu(self.bn2(x))
        out: Tensor = self.fc(self.avgpool(x).flatten(1))
        return out

    def extra_repr(self) -> str:
        return ", ".join(map(repr, self.arguments))


# Blocks of the four stages, by depth; from 50 on they are bottlenecks.
IMAGENET = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
DROP = "it is a chance"


@dataclass(frozen=True, kw_only=True)
class ResNet(Network):
    """ResNet-18, -34, -50, -101, -152 in torchvision's layout and names, starting from He's weights
    by fan_out.

    The gradient of x + F(x) is 1 + F', so it is kept away from 0; it is not always above 1, as note
    000 has it (erratum E18). Images with sides below 64 begin with a convolution of 3x3 at stride
    1, without pooling.

    Args:
        depth: 18, 34, 50, 101 or 152. Default 18.
        image: channels, height, width. Default 3, 224, 224.
        classes: outputs. Default 1000.
        width: factor on all channels. Default 1.0.
        order: "after": batch norm and ReLU follow each convolution; "before": pre-activation.
            Default "after".
        plain: without shortcuts: the twin that shows degradation. Default false.
        stochastic_depth: chance that the last block's branch is left out in training, rising from
            the first. Default 0.0.

    Example:
        >>> import netwise as nw
        >>> sum(p.numel() for p in nw.ResNet(depth=50).build().parameters())
        25557032

    Source: He, Zhang, Ren, Sun 2015, arXiv 1512.03385, table 1; pre-activation: 2016, arXiv
    1603.05027.
    """

    input_kind: ClassVar[str] = IMAGES
    gains_from_channels_last: ClassVar[bool] = True
    depth: int = integer(
        18, least=18, most=152, because="the paper has 18, 34, 50, 101 and 152", why="the quickest"
    )
    image: tuple[int, ...] = image_field((3, 224, 224))
    classes: int = integer(
        1000, least=1, most=1_000_000, because="a network has outputs", why="ImageNet's"
    )
    width: float = width_field()
    order: str = text(AFTER, among=(AFTER, BEFORE), why="that of published weights")
    plain: bool = flag(False, why="shortcuts are what it is about")
    stochastic_depth: float = number(
        0.0, least=0, below=1, because=DROP, why="regularise when overfitting is seen"
    )

    def conflicts(self) -> list[Problem]:
        if self.depth not in IMAGENET:
            return [Problem("depth", str(self.depth), "must be one of 18, 34, 50, 101, 152", "18")]
        return []

    def with_shortcuts(self) -> Self | str:
        return (
            self.but(plain=False) if self.plain else "the network has residual connections already"
        )

    def build(self) -> nn.Module:
        deep = self.depth >= 50
        stem = scaled(64, self.width)
        widths = tuple(
            4 * scaled(c, self.width) if deep else scaled(c, self.width)
            for c in (64, 128, 256, 512)
        )
        small = min(self.image[1:]) < SMALL
        return ResNetModule(
            self.image[0],
            self.classes,
            widths,
            IMAGENET[self.depth],
            stem,
            deep,
            "B",
            self.order,
            self.plain,
            self.stochastic_depth,
            small,
        )


@dataclass(frozen=True, kw_only=True)
class CIFARResNet(Network):
    """The thin ResNets for small images: 6n + 2 layers, of 16, 32 and 64 maps, with shortcuts that
    learn nothing (option A).

    269,722 numbers at depth 20, 1,727,962 at 110.

    Args:
        depth: 6n + 2: 20, 32, 44, 56, 110 ... Default 20.
        image: channels, height, width. Default 3, 32, 32.
        classes: outputs. Default 10.
        width: factor on all channels. Default 1.0.
        order: "after": batch norm and ReLU follow each convolution; "before": pre-activation.
            Default "after".
        plain: without shortcuts: the twin that shows degradation. Default false.
        stochastic_depth: chance that the last block's branch is left out in training, rising from
            the first. Default 0.0.

    Example:
        >>> import netwise as nw
        >>> sum(p.numel() for p in nw.CIFARResNet(depth=20).build().parameters())
        269722

    Source: He, Zhang, Ren, Sun 2015, arXiv 1512.03385, section 4.2; stochastic depth: Huang et al.
    2016, arXiv 1603.09382.
    """

    input_kind: ClassVar[str] = IMAGES
    gains_from_channels_last: ClassVar[bool] = True
    depth: int = integer(20, least=8, most=2000, because="it is 6n + 2", why="the paper's smallest")
    image: tuple[int, ...] = image_field((3, 32, 32))
    classes: int = integer(
        10, least=1, most=1_000_000, because="a network has outputs", why="CIFAR-10's"
    )
    width: float = width_field()
    order: str = text(AFTER, among=(AFTER, BEFORE), why="the first paper's")
    plain: bool = flag(False, why="shortcuts are what it is about")
    stochastic_depth: float = number(
        0.0, least=0, below=1, because=DROP, why="regularise when overfitting is seen"
    )

    def conflicts(self) -> list[Problem]:
        if self.depth % 6 != 2:
            return [
                Problem(
                    "depth", str(self.depth), "must be 6n + 2", str(max(8, self.depth // 6 * 6 + 2))
                )
            ]
        return []

    def with_shortcuts(self) -> Self | str:
        return (
            self.but(plain=False) if self.plain else "the network has residual connections already"
        )

    def build(self) -> nn.Module:
        n = (self.depth - 2) // 6
        widths = tuple(scaled(channels, self.width) for channels in (16, 32, 64))
        return ResNetModule(
            self.image[0],
            self.classes,
            widths,
            (n, n, n),
            widths[0],
            False,
            "A",
            self.order,
            self.plain,
            self.stochastic_depth,
            True,
        )


SCRIPT_SOURCES = {
    ResNetModule: ScriptSource(
        ('AFTER, BEFORE = "after", "before"', stochastic_depth, Shortcut, ResidualBlock)
    )
}
