"""LeNet-5 in its modern form: the opening work of convolutional networks, with ReLU and max pooling."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from netwise.activations import Activation, ReLU
from netwise.fields import integer, integers, part
from netwise.networks.network import Network
from netwise.networks.pooling import MaxPool2


@dataclass(frozen=True)
class LeNet5(Network):
    """Two convolutions with pooling, then three linear layers: 6@5x5, 16@5x5, 120, 84, classes.

    The 1998 net took 32x32; here the first convolution pads by 2, so that 28x28 gives the same maps.

    Args:
        image: channels, height, width. Default 1, 28, 28. Sides of at least 12.
        classes: outputs. Default 10.
        activation: of the hidden layers. Default `ReLU()` (the paper's was a scaled tanh).

    Example:
        >>> import netwise as nw
        >>> sum(p.numel() for p in nw.LeNet5().build().parameters())
        61706

    Source: LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition;
    note 001, claim N04.
    """

    image: tuple[int, ...] = integers((1, 28, 28), shortest=3, longest=3, most=4096, because="channels, height, width", why="MNIST's")
    classes: int = integer(10, least=1, most=1_000_000, because="a network has outputs", why="ten digits")
    activation: Activation = part(Activation, ReLU(), why="the modern form")

    def build(self) -> nn.Module:
        channels, height, width = self.image
        rows, columns = ((side // 2 - 4) // 2 for side in (height, width))
        layers = nn.Sequential()
        layers.add_module("conv1", nn.Conv2d(channels, 6, 5, padding=2))
        layers.add_module("activation1", self.activation.build())
        layers.add_module("pool1", MaxPool2())
        layers.add_module("conv2", nn.Conv2d(6, 16, 5))
        layers.add_module("activation2", self.activation.build())
        layers.add_module("pool2", MaxPool2())
        layers.add_module("flatten", nn.Flatten())
        layers.add_module("layer3", nn.Linear(16 * max(rows, 1) * max(columns, 1), 120))
        layers.add_module("activation3", self.activation.build())
        layers.add_module("layer4", nn.Linear(120, 84))
        layers.add_module("activation4", self.activation.build())
        layers.add_module("layer5", nn.Linear(84, self.classes))
        return layers
