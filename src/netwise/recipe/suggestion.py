"""A recipe to begin with, from the data alone."""

from __future__ import annotations

from netwise.data import Data
from netwise.errors import UnknownName
from netwise.initializers import He
from netwise.losses import CLASSIFICATION, CrossEntropy, MeanSquaredError
from netwise.networks import MLP, LeNet5, Network
from netwise.optimizers import Adam
from netwise.preprocess import Preprocess, Resize, Standardise
from netwise.recipe.recipe import Recipe
from netwise.stopping import Never, Patience, Stopping

HIDDEN = 128  # units of the one hidden layer: enough for the bundled sets and for MNIST, and quick
SMALLEST_SIDE = 28  # LeNet-5 was made for it
MOST_EPOCHS, UNWATCHED_EPOCHS = 100, 20  # with a validation part to stop on, and without one


def suggest(data: Data, network: str = "mlp", *, epochs: int | None = None, seed: int = 0) -> Recipe:
    """A sound recipe for these data: a ReLU network with He's start, Adam, inputs in range.

    Args:
        data: what is to be learned; it is loaded, to see its shape.
        network: "mlp", or "lenet5" for images (small ones are enlarged to 28x28).
        epochs: exactly so many. Default: until ten epochs bring no better validation loss, at most 100, keeping the best;
            a table of a hundred rows needs many more passes than one of a million.
        seed: of the recipe.

    Raises:
        UnknownName: another network.

    Example:
        >>> import netwise as nw
        >>> nw.suggest(nw.data.wine()).network.widths
        (13, 128, 3)
    """
    samples = data.load()
    steps: list[Preprocess] = []
    built: Network
    if network.lower() == "mlp":
        features = samples.train.x[0].numel()
        built = MLP((features, HIDDEN, samples.outputs))
    elif network.lower() in ("lenet5", "lenet"):
        shape = samples.shape
        if len(shape) == 3 and min(shape[1:]) < SMALLEST_SIDE:
            steps.append(Resize(SMALLEST_SIDE, SMALLEST_SIDE))
            shape = (shape[0], SMALLEST_SIDE, SMALLEST_SIDE)
        built = LeNet5(shape if len(shape) == 3 else (1, SMALLEST_SIDE, SMALLEST_SIDE), samples.outputs)
    else:
        raise UnknownName("network", network, ("mlp", "lenet5"))
    x = samples.train.x
    if len(samples.shape) == 1 and not _in_range(float(x.mean()), float(x.std())):
        steps.append(Standardise())
    loss = CrossEntropy() if samples.task == CLASSIFICATION else MeanSquaredError()
    stopping: Stopping = Never()
    if epochs is None:
        watched = len(samples.valid) > 0
        epochs = MOST_EPOCHS if watched else UNWATCHED_EPOCHS
        stopping = Patience(10) if watched else Never()
    return Recipe(
        data=data, preprocess=tuple(steps), network=built, init=He(), loss=loss, optimizer=Adam(), batch_size=32, epochs=epochs, stopping=stopping, seed=seed
    )


def _in_range(mean: float, spread: float) -> bool:
    return abs(mean) < 0.5 and 0.5 < spread < 2
