"""AlexNet (2012): as published, in two towers with local response normalisation, and in the form of
torchvision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from netwise.errors import Problem
from netwise.networks.network import IMAGES, Network, image_field, scaled, width_field
from netwise.networks.script_source import ScriptSource
from netwise.networks.sizes import SMALL, adaptive_side
from netwise.part import flag, integer, number

HALF = "the paper's value"


class FeaturesHead(nn.Module):
    """Convolutions, a mean to a fixed size, linear layers; with torchvision's names for its three
    parts."""

    def __init__(
        self, features: nn.Sequential, side: tuple[int, int], classifier: nn.Sequential
    ) -> None:
        super().__init__()
        self.features, self.avgpool, self.classifier = (
            features,
            nn.AdaptiveAvgPool2d(side),
            classifier,
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return out


@dataclass(frozen=True, kw_only=True)
class AlexNet(Network):
    """Five convolutions and three linear layers, the winner of ImageNet 2012.

    The modern form (torchvision's, 61,100,840 numbers) has one tower of 64, 192, 384, 256, 256 maps
    without response normalisation. With `towers` it is the paper's: 96, 256, 384, 384, 256 maps, of
    which conv2, conv4 and conv5 see only their own half, and response normalisation (60,965,224).
    Images with sides below 64 get a first convolution of 3x3 at stride 1, and pooling of 2x2.

    The notes' 16.4 % top-5 error is the paper's average of five such nets; the winning entry had
    15.3 % (erratum E22).

    Args:
        image: channels, height, width. Default 3, 224, 224 (the paper's 227 in truth). Sides of at
            least 16.
        classes: outputs. Default 1000.
        towers: the paper's form. Default false.
        width: factor on all channels and units. Default 1.0.
        dropout: of the linear layers. Default 0.5.

    Example:
        >>> import netwise as nw
        >>> network = nw.AlexNet(image=(3, 32, 32), classes=10, width=0.25)
        >>> sum(p.numel() for p in network.build().parameters())
        2263002

    Source: Krizhevsky, Sutskever, Hinton 2012; Krizhevsky 2014, arXiv 1404.5997 (one tower).
    """

    input_kind: ClassVar[str] = IMAGES
    image: tuple[int, ...] = image_field((3, 224, 224))
    classes: int = integer(
        1000, least=1, most=1_000_000, because="a network has outputs", why="ImageNet's"
    )
    towers: bool = flag(False, why="published weights are of the modern form")
    width: float = width_field()
    dropout: float = number(0.5, least=0, below=1, because="it is a share of the units", why=HALF)

    def conflicts(self) -> list[Problem]:
        if min(self.image[1:]) < 16:
            return [
                Problem(
                    "image",
                    str(list(self.image)),
                    "is too small: three poolings leave nothing of sides below 16",
                    "[3, 32, 32]",
                )
            ]
        return []

    def _norm(self) -> list[nn.Module]:
        """The paper's alpha is 1e-4; torch divides its own by the number of maps that are looked
        at."""
        return [nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)] if self.towers else []

    def build(self) -> nn.Module:
        small = min(self.image[1:]) < SMALL
        towers = 2 if self.towers else 1
        plan = (96, 256, 384, 384, 256) if self.towers else (64, 192, 384, 256, 256)
        one, two, three, four, five = (
            max(2, scaled(channels, self.width) // 2 * 2) for channels in plan
        )
        units = scaled(4096, self.width)
        window = 2 if small else 3
        stem = (
            nn.Conv2d(self.image[0], one, 3, padding=1)
            if small
            else nn.Conv2d(self.image[0], one, 11, 4, padding=0 if self.towers else 2)
        )
        layers: list[nn.Module] = [stem, nn.ReLU(), *self._norm(), nn.MaxPool2d(window, 2)]
        layers += [
            nn.Conv2d(one, two, 5, padding=2, groups=towers),
            nn.ReLU(),
            *self._norm(),
            nn.MaxPool2d(window, 2),
        ]
        layers += [nn.Conv2d(two, three, 3, padding=1), nn.ReLU()]
        layers += [nn.Conv2d(three, four, 3, padding=1, groups=towers), nn.ReLU()]
        layers += [
            nn.Conv2d(four, five, 3, padding=1, groups=towers),
            nn.ReLU(),
            nn.MaxPool2d(window, 2),
        ]
        side = (6, 6) if not small else adaptive_side(self.image[1:], 8)
        head = nn.Sequential(
            nn.Dropout(self.dropout),
            nn.Linear(five * side[0] * side[1], units),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(units, units),
            nn.ReLU(),
            nn.Linear(units, self.classes),
        )
        return FeaturesHead(nn.Sequential(*layers), side, head)


SCRIPT_SOURCES = {
    FeaturesHead: ScriptSource(
        arguments=lambda module: (module.features, module.avgpool.output_size, module.classifier)
    )
}
