"""Convolutional networks from one block: convolution, batch norm, activation, pooling, dropout
(CBAPD)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from torch import nn

from netwise.errors import Problem
from netwise.networks.layers.pooling import MaxPool2
from netwise.networks.layers.stack import ImageStack
from netwise.networks.network import IMAGES, Network, image_field
from netwise.networks.sizes import SameConv2d, same
from netwise.part import flag, integer, integers, number, part, text
from netwise.parts.activations import Activation, Maxout, ReLU

MAX, MEAN = "max", "mean"
LETTERS = "CBAPD"
RELU = ReLU()


def conv_block(
    ins: int,
    outs: int,
    block: str = LETTERS,
    *,
    kernel: int = 3,
    stride: int = 1,
    activation: Activation = RELU,
    pool: str = MAX,
    dropout: float = 0.25,
    channels: bool = False,
) -> nn.Sequential:
    """One feature extractor: Convolution, Batch norm, Activation, Pooling 2x2, Dropout; each letter
    may be left out or moved.

    Args:
        ins, outs: channels.
        block: letters of CBAPD in the order of the layers, such as "CAP" or "CABP"; "b" is batch
            norm without its scale and shift.
        kernel, stride: of the convolution, which pads so that it keeps the size (SAME).
        activation: of A. With `Maxout` the convolution has `pieces` times as many channels.
        pool: "max" or "mean", of 2x2.
        dropout: share that D drops.
        channels: D drops whole channels instead of single numbers.

    Example:
        >>> import netwise as nw
        >>> [type(layer).__name__ for layer in nw.conv_block(3, 8)]
        ['SameConv2d', 'BatchNorm2d', 'ReLU', 'MaxPool2', 'Dropout']

    Source: note 001, claim N03.
    """
    layers = nn.Sequential()
    maps = outs * activation.pieces if isinstance(activation, Maxout) else outs
    now = ins
    for letter in block:
        if letter == "C":
            layers.add_module(
                "conv", SameConv2d(ins, maps, kernel, stride, bias="B" not in block.upper())
            )  # batch norm subtracts any bias
            now = maps
        elif letter in "Bb":
            layers.add_module("norm", nn.BatchNorm2d(now, affine=letter == "B"))
        elif letter == "A":
            layers.add_module("activation", activation.build())
            now = outs if now == maps else now
        elif letter == "P":
            layers.add_module("pool", MaxPool2() if pool == MAX else nn.AvgPool2d(2))
        elif dropout:
            layers.add_module("dropout", nn.Dropout2d(dropout) if channels else nn.Dropout(dropout))
    return layers


@dataclass(frozen=True, kw_only=True)
class ConvNet(Network):
    """CBAPD blocks, then a head: flattened maps or their means, and linear layers.

    Each number of `channels` is a stage of `convs` blocks, of which the last alone pools and drops.

    Args:
        image: channels, height, width. Default 1, 28, 28.
        classes: outputs. Default 10.
        channels: of each stage. Default 32, 64.
        convs: blocks of a stage, at least 1. Default 1.
        block: letters of "CBAPD" in the order of a block's layers; any may be missing, and "b" is
            batch norm without its scale and shift. Default "CBAPD".
        kernel: side of the convolutions, which keep the size. Default 3.
        stride: of the first convolution. Default 1.
        pool: "max" takes texture, "mean" keeps background. Default "max".
        activation: Default `ReLU()`.
        dropout: share that D drops, from 0 to below 1. Default 0.25.
        drop_channels: D drops whole channels. Default false.
        hidden: units of linear layers before the last, each with activation and `head_dropout`.
            Default none.
        head_dropout: from 0 to below 1. Default 0.0.
        means: the head takes the mean of each map, so images of any size fit. Default false: all
            pixels of the maps.

    Example:
        >>> import netwise as nw
        >>> nw.describe(nw.ConvNet(channels=(8, 16)), (1, 28, 28)).output
        (10,)

    Source: note 001, claims N03, Y01 and Y07.
    """

    input_kind: ClassVar[str] = IMAGES
    gains_from_channels_last: ClassVar[bool] = True
    image: tuple[int, ...] = image_field((1, 28, 28))
    classes: int = integer(
        10, least=1, most=1_000_000, because="a network has outputs", why="ten digits"
    )
    channels: tuple[int, ...] = integers(
        (32, 64), because="each is a stage", why="two stages read a digit"
    )
    convs: int = integer(
        1, least=1, most=100, because="a stage has a convolution", why="the note's block"
    )
    block: str = text(LETTERS, because="its letters are layers", why="the note's order")
    kernel: int = integer(
        3,
        least=1,
        most=99,
        because="a kernel has a side",
        why="two of them see 5x5, with fewer weights",
    )
    stride: int = integer(
        1,
        least=1,
        most=16,
        because="a convolution moves on",
        why="small images have no pixel to spare",
    )
    pool: str = text(MAX, among=(MAX, MEAN), why="it takes texture")
    activation: Activation = part(
        Activation, ReLU(), why="slope 1 where it fires: gradients keep their size"
    )
    dropout: float = number(
        0.25,
        least=0,
        below=1,
        because="it is a share of what is dropped",
        why="light: maps repeat themselves",
    )
    drop_channels: bool = flag(False, why="the note's dropout")
    hidden: tuple[int, ...] = integers(
        (), shortest=0, because="each is a linear layer", why="maps need no more than one"
    )
    head_dropout: float = number(
        0.0,
        least=0,
        below=1,
        because="it is a share of the units",
        why="regularise when overfitting is seen",
    )
    means: bool = flag(False, why="digits differ by where their strokes are")

    def conflicts(self) -> list[Problem]:
        letters = self.block.replace("b", "B")
        if (
            sorted(set(letters)) != sorted(letters)
            or not set(letters) <= set(LETTERS)
            or "C" not in letters
        ):
            return [
                Problem(
                    "block",
                    self.block,
                    "must be letters of CBAPD, each at most once, C among them",
                    '"CBAPD"',
                )
            ]
        pools = len(self.channels) if "P" in self.block else 0
        least = same(min(self.image[1:]), self.stride) >> pools
        if least < 1:
            return [
                Problem(
                    "channels",
                    str(list(self.channels)),
                    f"pool {pools} times, which leaves nothing of {self.image[1]}x{self.image[2]}",
                    "[32, 64]",
                )
            ]
        return []

    def with_batch_norm(self) -> Self | str:
        if "B" in self.block.upper():
            return "the network has batch normalization already"
        return self.but(block=self.block.replace("C", "CB"))

    def widened(self) -> Self | str:
        return self.but(channels=tuple(2 * channels for channels in self.channels))

    def narrowed(self) -> Self | str:
        return self.but(channels=tuple(max(1, channels // 2) for channels in self.channels))

    def build(self) -> nn.Module:
        layers = ImageStack()
        now, (height, width) = self.image[0], self.image[1:]
        inner = "".join(letter for letter in self.block if letter not in "PD")
        for stage, outs in enumerate(self.channels, start=1):
            for i in range(1, self.convs + 1):
                last, stride = i == self.convs, self.stride if stage == i == 1 else 1
                block = conv_block(
                    now,
                    outs,
                    self.block if last else inner,
                    activation=self.activation,
                    pool=self.pool,
                    kernel=self.kernel,
                    stride=stride,
                    dropout=self.dropout,
                    channels=self.drop_channels,
                )
                layers.add_module(
                    f"block{stage}" if self.convs == 1 else f"block{stage}_{i}", block
                )
                now = outs
                height, width = same(height, stride), same(width, stride)
                if last and "P" in self.block:
                    height, width = height // 2, width // 2
        if self.means:
            layers.add_module("mean", nn.AdaptiveAvgPool2d(1))
            height = width = 1
        layers.add_module("flatten", nn.Flatten())
        features = now * height * width
        for i, units in enumerate(self.hidden, start=1):
            outs = units * self.activation.pieces if isinstance(self.activation, Maxout) else units
            layers.add_module(f"layer{i}", nn.Linear(features, outs))
            layers.add_module(f"activation{i}", self.activation.build())
            if self.head_dropout:
                layers.add_module(f"dropout{i}", nn.Dropout(self.head_dropout))
            features = units
        layers.add_module("head", nn.Linear(features, self.classes))
        return layers
