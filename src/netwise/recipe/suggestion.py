"""A recipe to begin with, from the data alone."""

from __future__ import annotations

from netwise.data import Data
from netwise.errors import UnknownName
from netwise.networks import LSTM, MLP, CIFARResNet, ConvNet, LeNet5, Network
from netwise.networks.network import SEQUENCES
from netwise.parts.clipping import Clip
from netwise.parts.initializers import He, ModuleDefault
from netwise.parts.losses import CrossEntropy, MeanSquaredError
from netwise.parts.optimizers import Adam
from netwise.parts.preprocess import Preprocess, Resize, Standardise
from netwise.parts.stopping import Never, Patience, Stopping
from netwise.recipe.recipe import Recipe
from netwise.tasks import task_named

HIDDEN = 128  # units of the one hidden layer: enough for the bundled sets and for MNIST, and quick
SMALLEST_SIDE = 28  # LeNet-5 was made for it
MOST_EPOCHS, UNWATCHED_EPOCHS = 100, 20  # with a validation part to stop on, and without one


def suggest(
    data: Data, network: str | None = None, *, epochs: int | None = None, seed: int = 0
) -> Recipe:
    """A sound recipe for these data: a ReLU network with He's start, Adam, inputs in range.

    Args:
        data: what is to be learned; it is loaded, to see its shape.
        network: "mlp"; for images also "lenet5" (small ones are enlarged to 28x28), "convnet"
            (CBAPD blocks) and "resnet" (20 layers); "lstm" for texts and for images row by row.
            Default: "lstm" for texts, else "mlp".
        epochs: exactly so many. Default: until ten epochs bring no better validation loss, at most
            100, keeping the best; a table of a hundred rows needs many more passes than one of a
            million.
        seed: of the recipe.

    Raises:
        UnknownName: another network.

    Example:
        >>> import netwise as nw
        >>> nw.suggest(nw.data.wine()).network.widths
        (13, 128, 3)
    """
    samples = data.load()
    text = not samples.train.x.is_floating_point()
    chosen = (network or ("lstm" if text else "mlp")).lower()
    steps: list[Preprocess] = []
    shape = samples.shape
    image = shape if len(shape) == 3 else (1, SMALLEST_SIDE, SMALLEST_SIDE)
    built: Network
    if chosen == "mlp":
        built = MLP((samples.train.x[0].numel(), HIDDEN, samples.outputs))
    elif chosen in ("lenet5", "lenet"):
        if len(shape) == 3 and min(shape[1:]) < SMALLEST_SIDE:
            steps.append(Resize(SMALLEST_SIDE, SMALLEST_SIDE))
            image = (shape[0], SMALLEST_SIDE, SMALLEST_SIDE)
        built = LeNet5(image, samples.outputs)
    elif chosen == "convnet":
        pools = 2 if min(image[1:]) >= 16 else 1
        built = ConvNet(
            image=image,
            classes=samples.outputs,
            channels=(32, 64, 128)[: pools + 1],
            means=True,
            dropout=0.1,
        )
        steps.append(Standardise())
    elif chosen == "resnet":
        built = CIFARResNet(image=image, classes=samples.outputs)
        steps.append(Standardise())
    elif chosen == "lstm":
        symbols = len(samples.classes) if text else 0
        features = (
            32
            if text
            else (shape[0] * shape[2] if len(shape) == 3 else shape[-1] if len(shape) == 2 else 1)
        )
        built = LSTM(
            features=features,
            units=HIDDEN,
            outputs=samples.outputs,
            symbols=symbols,
            answers="each" if samples.train.y.dim() > 1 and text else "last",
        )
    else:
        raise UnknownName("network", chosen, ("mlp", "lenet5", "convnet", "resnet", "lstm"))
    x = samples.train.x
    if len(samples.shape) == 1 and not text and not _in_range(float(x.mean()), float(x.std())):
        steps.append(Standardise())
    loss = CrossEntropy() if task_named(samples.task).has_classes else MeanSquaredError()
    recurrent = built.input_kind == SEQUENCES
    stopping: Stopping = Never()
    if epochs is None:
        watched = len(samples.valid) > 0
        epochs = MOST_EPOCHS if watched else UNWATCHED_EPOCHS
        stopping = Patience(10) if watched else Never()
    return Recipe(
        data=data,
        preprocess=tuple(steps),
        network=built,
        init=ModuleDefault() if recurrent else He(),
        loss=loss,
        optimizer=Adam(lr=0.003) if recurrent else Adam(),
        clip=Clip(1.0) if recurrent else None,
        batch_size=32,
        epochs=epochs,
        stopping=stopping,
        seed=seed,
    )


def _in_range(mean: float, spread: float) -> bool:
    return abs(mean) < 0.5 and 0.5 < spread < 2
