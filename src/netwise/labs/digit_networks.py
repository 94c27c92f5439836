"""The networks of Nielsen 2015, chapter 3, on MNIST: one hidden layer of sigmoid units, trained
by plain SGD on the first images of the training part and tested on all 10,000 test images."""

from __future__ import annotations

from collections.abc import Iterable

from netwise import data
from netwise.networks import MLP
from netwise.parts.activations import Sigmoid
from netwise.parts.initializers import Initializer, LeCun, Normal
from netwise.parts.losses import BinaryCrossEntropy
from netwise.parts.optimizers import SGD
from netwise.parts.penalties import L2
from netwise.recipe.recipe import Recipe

POINTS = 100  # percentage points of accuracy in 1
LARGE_START = Normal(std=1.0, bias_std=1.0)  # the source's first, which saturates hidden units
SCALED_START = LeCun(bias_std=1.0)  # the source's later one: weights of 1 / sqrt(inputs)
BATCH = 10


def digit_network(
    images: int,
    *,
    epochs: int,
    rate: float = 0.5,
    hidden: int = 30,
    decay: float = 0.0,
    init: Initializer = SCALED_START,
    validated: bool = False,
) -> Recipe:
    """One network of the family.

    Args:
        images: of the training part, the first so many.
        epochs: passes over them.
        rate: the learning rate eta.
        hidden: units of the hidden layer.
        decay: lambda of L2; the penalty is lambda / (2 images) times the sum of squared weights.
        init: of the weights and biases.
        validated: train on 5 of 6 of the images and validate on the rest. Default: train on all.
    """
    samples = data.mnist(first=images) if validated else data.mnist(first=images, valid=0.0)
    return Recipe(
        data=samples,
        network=MLP((784, hidden, 10), activation=Sigmoid()),
        init=init,
        loss=BinaryCrossEntropy(),
        penalty=L2.by_lambda(decay, samples=images) if decay else None,
        optimizer=SGD(lr=rate),
        batch_size=BATCH,
        epochs=epochs,
    )


def sparse_epochs(epochs: int, dense: int, every: int) -> list[int]:
    """Epochs to measure after: each of the first `dense`, then one of `every`, and the last.

    Example:
        >>> from netwise.labs.digit_networks import sparse_epochs
        >>> sparse_epochs(12, dense=3, every=4)
        [1, 2, 3, 4, 8, 12]
    """
    later: Iterable[int] = range(every, epochs + 1, every)
    return sorted({*range(1, min(dense, epochs) + 1), *later, epochs})
