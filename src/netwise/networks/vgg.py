"""VGG (2014): up to sixteen convolutions of 3x3, then three linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from netwise.errors import Problem
from netwise.networks.alexnet import FeaturesHead
from netwise.networks.network import IMAGES, Network, image_field, scaled, width_field
from netwise.networks.sizes import SMALL
from netwise.part import flag, integer, number

# Convolutions of each of the five stages, by the number of layers with weights.
STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)


@dataclass(frozen=True, kw_only=True)
class VGG(Network):
    """Stages of 3x3 convolutions with pooling between: two of them see 5x5, three see 7x7, with
    fewer weights.

    In torchvision's layout and names. The five poolings round sizes up, so that 28x28 passes; below
    64 the linear layers see the maps that are left instead of 7x7.

    Args:
        depth: layers with weights: 11, 13, 16 or 19. Default 16.
        image: channels, height, width. Default 3, 224, 224.
        classes: outputs. Default 1000.
        batch_norm: after each convolution. Default false, as published.
        width: factor on all channels and units. Default 1.0.
        dropout: of the linear layers. Default 0.5.

    Example:
        >>> import netwise as nw
        >>> network = nw.VGG(depth=11, image=(1, 28, 28), classes=10, width=0.125)
        >>> sum(p.numel() for p in network.build().parameters())
        445482

    Source: Simonyan, Zisserman 2014, arXiv 1409.1556, table 1.
    """

    input_kind: ClassVar[str] = IMAGES
    depth: int = integer(
        16,
        least=11,
        most=19,
        because="the paper has 11, 13, 16 and 19",
        why="the best known of the paper's",
    )
    image: tuple[int, ...] = image_field((3, 224, 224))
    classes: int = integer(
        1000, least=1, most=1_000_000, because="a network has outputs", why="ImageNet's"
    )
    batch_norm: bool = flag(False, why="as published; deep ones need it to start")
    width: float = width_field()
    dropout: float = number(
        0.5, least=0, below=1, because="it is a share of the units", why="the paper's value"
    )

    def conflicts(self) -> list[Problem]:
        if self.depth not in STAGES:
            return [Problem("depth", str(self.depth), "must be one of 11, 13, 16, 19", "16")]
        return []

    def build(self) -> nn.Module:
        layers: list[nn.Module] = []
        now = self.image[0]
        sides = list(self.image[1:])
        for convs, channels in zip(STAGES[self.depth], CHANNELS, strict=True):
            maps = scaled(channels, self.width)
            for _ in range(convs):
                layers.append(nn.Conv2d(now, maps, 3, padding=1))
                if self.batch_norm:
                    layers.append(nn.BatchNorm2d(maps))
                layers.append(nn.ReLU())
                now = maps
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
            sides = [-(-side // 2) for side in sides]
        side = (7, 7) if min(self.image[1:]) >= SMALL else (sides[0], sides[1])
        units = scaled(4096, self.width)
        head = nn.Sequential(
            nn.Linear(now * side[0] * side[1], units),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(units, units),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(units, self.classes),
        )
        return FeaturesHead(nn.Sequential(*layers), side, head)
