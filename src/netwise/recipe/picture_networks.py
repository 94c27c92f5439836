"""Networks for pictures: a convolutional one that fits their size, and the one that weights in a
file belong to."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from netwise.data import Samples
from netwise.errors import DataError
from netwise.networks import VGG, AlexNet, CIFARResNet, ConvNet, GoogLeNet, LeNet5, Network, ResNet
from netwise.networks.resnet import IMAGENET
from netwise.networks.vgg import STAGES
from netwise.parts.finetuning import FineTune
from netwise.recipe.origin import From, read_weights
from netwise.recipe.recipe import Recipe

LAST_SIDE = 4  # pixels of the maps before their means are taken
FIRST_CHANNELS, MOST_CHANNELS = 32, 256
LARGE_SIDE = 96  # above it the first convolution takes every second pixel
LEAST_SIDE = 28  # of pictures for the published networks
TRANSFER_SIDE = 128  # of pictures for networks that were trained on larger ones
COPIED_RATE = 0.1  # factor on the rate of layers that are copied: they know something already
CONV = re.compile(r"block(\d+)\.conv\.weight")


def convolutional(samples: Samples) -> ConvNet:
    """A convolutional network that fits the size of pictures: as many stages as halve them to
    about 4 pixels, each with twice the channels of the one before it.

    Example:
        >>> import netwise as nw
        >>> from netwise.recipe.picture_networks import convolutional
        >>> convolutional(nw.data.arrays(torch.zeros(9, 3, 64, 64), [0.0] * 9).load()).channels
        (32, 64, 128, 256)
    """
    side = min(samples.shape[1:])
    stages = max(1, min(5, round(math.log2(max(side, 2) / LAST_SIDE))))
    return ConvNet(
        image=samples.shape,
        classes=samples.outputs,
        channels=tuple(min(MOST_CHANNELS, FIRST_CHANNELS << stage) for stage in range(stages)),
        block="CBAPD" if side > 1 else "CBAD",
        stride=2 if side > LARGE_SIDE else 1,
        means=True,
        dropout=0.1,
    )


def transferred(recipe: Recipe, path: Path, network: Network | None = None) -> Recipe:
    """The recipe with the network of weights in a file, which it begins with. The last layer is new
    where it has other classes; copied layers learn at a tenth of its rate.

    Args:
        recipe: with data of pictures.
        path: of the weights: `.safetensors`, `.pt`, `.pth`, or the folder of a run.
        network: that they belong to. Default: one of netwise's whose layers have the same names
            and shapes.

    Raises:
        DataError: they belong to no such network, or the data are no pictures.
    """
    samples = recipe.data.load()
    if len(samples.shape) != 3:
        raise DataError(
            f"{path}: weights to begin with are for pictures, and a sample has shape "
            f"{samples.shape}: for other data, write init = From(path) in a recipe"
        )
    if network is None:
        network = network_of(read_weights(path), path, samples.shape, samples.outputs)
    own = network.but(image=samples.shape, classes=samples.outputs)
    head = head_of(own)
    anew = () if getattr(network, "classes", None) == samples.outputs else (head,)
    return recipe.but(
        network=own,
        init=From(path=str(path), anew=anew),
        tuning=FineTune(rates=(f"*={COPIED_RATE}", f"{head}=1.0")),
    )


def network_of(
    tensors: Mapping[str, Tensor], path: Path, image: tuple[int, ...], classes: int
) -> Network:
    """The network that weights belong to, for pictures of this shape; it has the classes of its
    weights, or `classes` where these have no last layer.

    Raises:
        DataError: no network of netwise has layers of these names and shapes.
    """
    # The layers of a shallow network are among those of a deep one: the deepest that fits is it.
    fitting = [(_fits(each, tensors), each) for each in _candidates(tensors, image)]
    count, found = max(fitting, key=lambda pair: pair[0], default=(0, None))
    if found is not None and count:
        last = tensors.get(f"{head_of(found)}.weight")
        return found.but(classes=classes if last is None else len(last))
    names = ", ".join(sorted(tensors)[:4])
    raise DataError(
        f"{path}: no network of netwise has layers of these names and shapes for pictures of "
        f"{image} (there are {names}, ...). Known are ResNet, VGG, AlexNet and GoogLeNet in "
        "torchvision's layout, which take colour pictures of at least 64 x 64, and ConvNet and "
        "CIFARResNet of netwise: save the weights of one of them, or write a recipe with "
        "network = CustomNetwork(...) and init = From(path)"
    )


def head_of(network: Network) -> str:
    """The name of the last linear layer."""
    with torch.device("meta"):
        layers = list(network.build().named_modules())
    names: list[str] = [name for name, layer in layers if isinstance(layer, nn.Linear)]
    return names[-1]


def _candidates(tensors: Mapping[str, Tensor], image: tuple[int, ...]) -> Iterator[Network]:
    """Networks that may have these weights."""
    blocks = {int(m[1]): tensors[name].shape for name in tensors if (m := CONV.fullmatch(name))}
    if blocks and "head.weight" in tensors:
        channels = tuple(int(blocks[number][0]) for number in sorted(blocks))
        yield ConvNet(
            image=image,
            channels=channels,
            kernel=int(blocks[min(blocks)][-1]),
            block="CBAPD" if "block1.norm.weight" in tensors else "CAPD",
            means=tensors["head.weight"].shape[1] == channels[-1],
            stride=2 if min(image[1:]) > LARGE_SIDE else 1,
            dropout=0.1,
        )
    if min(image[1:]) < LEAST_SIDE:
        return
    yield LeNet5(image=image)
    if "fc.weight" in tensors:
        yield from (ResNet(depth=depth, image=image) for depth in IMAGENET)
        yield from (CIFARResNet(depth=depth, image=image) for depth in (20, 32, 44, 56, 110))
        yield GoogLeNet(image=image, auxiliary=False)
    if any(name.startswith("classifier.") for name in tensors):
        for norm in (False, True):
            yield from (VGG(depth=depth, batch_norm=norm, image=image) for depth in STAGES)
        yield AlexNet(image=image)


def _fits(network: Network, tensors: Mapping[str, Tensor]) -> int:
    """How many tensors of a network are there with their names and shapes, where that are all but
    those of its last layer; else 0."""
    head = head_of(network)
    with torch.device("meta"):
        own = network.build().state_dict()
    known = [
        name in tensors and tensors[name].shape == value.shape
        for name, value in own.items()
        if not name.startswith(f"{head}.") and value.dim()
    ]
    return len(known) if all(known) else 0


def transfer_side(path: Path) -> int | None:
    """The side of pictures for weights in a file that begin with a convolution of more than 5 x 5,
    as those for ImageNet do; None for others, and for the folder of a run."""
    if not path.is_file():
        return None
    first = next((each for each in read_weights(path).values() if each.dim() == 4), None)
    return TRANSFER_SIDE if first is not None and first.shape[-1] > 5 else None


def described_beginning(recipe: Recipe) -> str:
    """How a recipe for pictures begins, in words for its user.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.images("photos"), network=nw.ConvNet())
        >>> print(described_beginning(recipe).splitlines()[0])
        It begins with a ConvNet for pictures of 28 x 28 pixels, with random weights.
    """
    kind = type(recipe.network).__name__
    sides = getattr(recipe.network, "image", (0, 0, 0))[1:]
    size = f" for pictures of {sides[0]} x {sides[1]} pixels" if all(sides) else ""
    if isinstance(recipe.init, From):
        anew = f", with {', '.join(recipe.init.anew)} anew" if recipe.init.anew else ""
        return f"It begins with a {kind}{size}, with the weights of {recipe.init.path}{anew}."
    return (
        f"It begins with a {kind}{size}, with random weights.\n"
        "If you have weights of a network that knows pictures, such as a ResNet for ImageNet:\n"
        "  netwise train PHOTOS --init weights.safetensors"
    )
