"""The network of the batch-norm paper's experiment on digits: three hidden layers of sigmoid units,
with and without batch normalization."""

from __future__ import annotations

from netwise import data
from netwise.networks import MLP
from netwise.parts.activations import Sigmoid
from netwise.parts.initializers import Normal
from netwise.parts.optimizers import SGD
from netwise.recipe.recipe import Recipe

BATCH = 60


def digit_network(
    batch_norm: bool, rate: float, *, images: int, width: int, epochs: int, seed: int
) -> Recipe:
    """784, three hidden layers and 10, as in section 4.1 of Ioffe, Szegedy 2015: sigmoid units,
    small normal weights, batches of 60; on some of MNIST's training images, a fifth of which are
    for validation."""
    return Recipe(
        data=data.mnist(first=images, valid=0.2),
        network=MLP((784, width, width, width, 10), activation=Sigmoid(), batch_norm=batch_norm),
        init=Normal(std=0.1),
        optimizer=SGD(lr=rate),
        batch_size=BATCH,
        epochs=epochs,
        seed=seed,
    )
