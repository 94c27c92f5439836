"""A first recipe, chosen from the data alone."""

from __future__ import annotations

from torch import Tensor

from netwise import networks
from netwise.data import Data, Samples
from netwise.data.streams.row_plan import looked_at
from netwise.errors import UnknownName
from netwise.networks import MLP, Network
from netwise.networks.network import SEQUENCES
from netwise.parts.clipping import Clip
from netwise.parts.initializers import He, ModuleDefault
from netwise.parts.losses import CrossEntropy, MeanSquaredError
from netwise.parts.optimizers import Adam, AdamW
from netwise.parts.preprocess import ClipInputs, Preprocess, Resize, Standardise
from netwise.parts.schedules import OneCycle
from netwise.parts.stopping import Never, Patience, Stopping
from netwise.recipe import table_settings
from netwise.recipe.recipe import Recipe
from netwise.tasks import task_named

HIDDEN = 128  # units of the one hidden layer: enough for the bundled sets and for MNIST, and quick
LENET_SIDE = 28  # pixels; LeNet-5 was made for images of this size
MAX_EPOCHS, EPOCHS_WITHOUT_VALIDATION = 100, 20
ENSEMBLE = "ensemble"
NETWORKS = ("mlp", ENSEMBLE, "lenet5", "convnet", "resnet", "lstm")


def suggest(
    data: Data, network: str | None = None, *, epochs: int | None = None, seed: int = 0
) -> Recipe:
    """A sensible first recipe for these data: a ReLU network with He initialisation and Adam, and
    inputs standardised where they need it.

    Args:
        data: what to learn; it is loaded, for its shape and task.
        network: "mlp"; for rows of numbers also "ensemble" (networks that share their weight
            matrices, with embeddings of numbers: slower and better); for images also "lenet5"
            (small ones are enlarged to 28x28), "convnet" (CBAPD blocks) and "resnet" (20 layers);
            "lstm" for texts and for images row by row. Default: "lstm" for texts, "convnet" for
            files of pictures, "ensemble" for tables of files, else "mlp".
        epochs: exactly so many. Default: of an ensemble by the number of samples; else until ten
            epochs bring no better validation loss, at most 100, keeping the best; without a
            validation part 20.
        seed: of the recipe. Default 0.

    Raises:
        UnknownName: another network.

    Example:
        >>> import netwise as nw
        >>> nw.suggest(nw.data.wine()).network.widths
        (13, 128, 3)
    """
    samples = data.load()
    is_text = not samples.train.x.is_floating_point()
    chosen = (network or _usual(data, samples)).lower()
    if chosen == ENSEMBLE:
        return _ensemble(data, samples, epochs, seed)
    built, preprocess = _network(chosen, samples)
    if len(samples.shape) == 1 and not is_text and not _in_range(looked_at(samples.train.x)):
        preprocess = (*preprocess, Standardise())
    recurrent = built.input_kind == SEQUENCES
    stopping: Stopping = Never()
    if epochs is None:
        validated = len(samples.valid) > 0
        epochs = MAX_EPOCHS if validated else EPOCHS_WITHOUT_VALIDATION
        stopping = Patience(10) if validated else Never()
    return Recipe(
        data=data,
        preprocess=preprocess,
        network=built,
        init=ModuleDefault() if recurrent else He(),
        loss=CrossEntropy() if task_named(samples.task).has_classes else MeanSquaredError(),
        optimizer=Adam(lr=0.003) if recurrent else Adam(),
        clip=Clip(1.0) if recurrent else None,
        batch_size=32,
        epochs=epochs,
        stopping=stopping,
        seed=seed,
    )


def _usual(data: Data, samples: Samples) -> str:
    """The network for data where none is named."""
    if not samples.train.x.is_floating_point():
        return "lstm"
    kind = data.innermost.kind
    if kind == "images" and len(samples.shape) == 3:  # those of bundled sets have a quick network
        return "convnet"
    is_table = kind == "csv" and len(samples.shape) == 1
    return ENSEMBLE if is_table else "mlp"


def _ensemble(data: Data, samples: Samples, epochs: int | None, seed: int) -> Recipe:
    """An ensemble of MLPs with the settings of `NetClassifier` but without its label smoothing; it
    keeps the best epoch."""
    x, hidden = looked_at(samples.train.x).flatten(1), table_settings.HIDDEN
    rows = len(samples.train)
    batch_size = table_settings.batch_size_for(rows)
    epochs = epochs or table_settings.epochs_for(rows, batch_size)
    has_classes = task_named(samples.task).has_classes
    return Recipe(
        data=data,
        preprocess=(Standardise(), ClipInputs(table_settings.INPUT_LIMIT)),
        network=MLP(
            (x.shape[1], *hidden, samples.outputs),
            dropout=table_settings.dropout_for(rows, hidden),
            members=table_settings.MEMBERS,
            periodic=table_settings.embedded_inputs(x, hidden),
        ),
        init=He(),
        loss=CrossEntropy() if has_classes else MeanSquaredError(),
        optimizer=AdamW(
            lr=table_settings.LEARNING_RATE, weight_decay=table_settings.weight_decay_for(rows)
        ),
        schedule=OneCycle(),
        batch_size=batch_size,
        epochs=epochs,
        stopping=Patience(epochs) if len(samples.valid) else Never(),
        seed=seed,
    )


def _network(chosen: str, samples: Samples) -> tuple[Network, tuple[Preprocess, ...]]:
    """The network of this name for the shape of the data, and the preprocessing that it needs."""
    shape, outputs = samples.shape, samples.outputs
    image = shape if len(shape) == 3 else (1, LENET_SIDE, LENET_SIDE)
    if chosen == "mlp":
        return MLP((samples.train.x[0].numel(), HIDDEN, outputs)), ()
    if chosen in ("lenet5", "lenet"):
        if len(shape) == 3 and min(shape[1:]) < LENET_SIDE:
            enlarged = (shape[0], LENET_SIDE, LENET_SIDE)
            return networks.LeNet5(enlarged, outputs), (Resize(LENET_SIDE, LENET_SIDE),)
        return networks.LeNet5(image, outputs), ()
    if chosen == "convnet" and len(shape) == 3 and not 8 <= min(shape[1:]) <= 32:
        from netwise.recipe.picture_networks import convolutional  # heavy

        return convolutional(samples), (Standardise(),)
    if chosen == "convnet":
        channels = (32, 64, 128) if min(image[1:]) >= 16 else (32, 64)
        network = networks.ConvNet(
            image=image, classes=outputs, channels=channels, means=True, dropout=0.1
        )
        return network, (Standardise(),)
    if chosen == "resnet":
        return networks.CIFARResNet(image=image, classes=outputs), (Standardise(),)
    if chosen == "lstm":
        return _lstm(samples), ()
    raise UnknownName("network", chosen, NETWORKS)


def _lstm(samples: Samples) -> networks.LSTM:
    """For texts one that predicts each next character; for images one that reads row by row."""
    shape = samples.shape
    if not samples.train.x.is_floating_point():
        return networks.LSTM(
            features=32,
            units=HIDDEN,
            outputs=samples.outputs,
            symbols=len(samples.classes),
            answers="each" if samples.train.y.dim() > 1 else "last",
        )
    if len(shape) == 3:
        features = shape[0] * shape[2]
    else:
        features = shape[-1] if len(shape) == 2 else 1
    return networks.LSTM(features=features, units=HIDDEN, outputs=samples.outputs, answers="last")


def _in_range(x: Tensor) -> bool:
    """Whether inputs need no standardisation."""
    return abs(float(x.mean())) < 0.5 and 0.5 < float(x.std()) < 2
