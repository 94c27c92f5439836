"""L78: do more data make up for a better method?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import POINTS, digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.overfitting.thousand_settings import SPREAD
from netwise.labs.stacked_training import TEST, train_stack
from netwise.networks import ConvNet
from netwise.part import integer, integers
from netwise.parts.losses import CrossEntropy
from netwise.parts.optimizers import Adam
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg, use_log_scale
from netwise.training.fit import fit

Curves = Mapping[str, Mapping[int, float]]
MLP, SVM, CNN = "MLP", "SVM", "CNN"
TIMES = 10  # the MLP's data are so many times those of the other method
FIRST = 12_000  # training images that are drawn from, or more where more are asked for
MLP_STEPS, CNN_IMAGES = 6000, 10_000  # about, of each run


@dataclass(frozen=True)
class MoreDataSettings(LabSettings):
    """What can be varied in L78.

    Args:
        draws: of the training images, and seeds, at least 2. Default 5.
        images: numbers of them for the support vector machine and the convolutional network; the
            MLP has these and ten times as many. Default 100, 300, 1,000.
        epochs: at most, of each run; fewer where there are many images. Default 100.
    """

    draws: int = integer(5, least=2, most=20, because=SPREAD)
    images: tuple[int, ...] = integers(
        (100, 300, 1000), least=10, most=6000, because="the MLP has ten times as many of 60,000"
    )

    epochs: int = integer(100, least=1, most=1000, because="a run has an epoch")

    @property
    def mlp_images(self) -> tuple[int, ...]:
        return tuple(sorted({*self.images, *(TIMES * n for n in self.images)}))


def drawn(images: int, draw: int) -> data.Data:
    first = max(FIRST, images)  # fewer are read more quickly
    return data.Fewer(data=data.mnist(first=first, valid=0.0), rows=images, draw=draw)


def mlp(images: int, draw: int, most_epochs: int) -> Recipe:
    epochs = min(most_epochs, max(5, 10 * MLP_STEPS // images))
    return digit_network(images, epochs=epochs).but(data=drawn(images, draw), seed=draw)


def cnn(images: int, draw: int, most_epochs: int) -> Recipe:
    return Recipe(
        data=drawn(images, draw),
        network=ConvNet(channels=(8, 16), dropout=0.0, block="CAP"),
        loss=CrossEntropy(),
        optimizer=Adam(lr=0.003),
        batch_size=20,
        epochs=min(most_epochs, max(5, CNN_IMAGES // images)),
        seed=draw,
    )


def data_arms(settings: MoreDataSettings) -> dict[str, Recipe]:
    first = settings.images[0], 0, settings.epochs
    return {MLP: mlp(*first), CNN: cnn(*first)}


def svm_accuracy(images: int, draw: int, _: int) -> float:
    """Test accuracy of a support vector machine with Gaussian kernel."""
    from sklearn.svm import SVC  # heavy

    samples = drawn(images, draw).load()
    train, test = samples.train, samples.test
    machine = SVC(C=10.0).fit(train.x.flatten(1).numpy(), train.y.numpy())
    return float(np.mean(machine.predict(test.x.flatten(1).numpy()) == test.y.numpy()))


def mlp_accuracy(images: int, draw: int, most_epochs: int) -> float:
    recipe = mlp(images, draw, most_epochs)
    trained = train_stack(recipe, [draw], {TEST: [recipe.epochs]})
    return float(trained.curves[TEST].accuracy[-1, 0])


def cnn_accuracy(images: int, draw: int, most_epochs: int) -> float:
    score = fit(cnn(images, draw, most_epochs), watch_every=0).score
    assert score is not None  # MNIST has a test part
    return score.value


def order(curves: Curves, images: int) -> list[str]:
    """The methods from the worst to the best at a number of images."""
    return sorted(curves, key=lambda name: curves[name][images])


def least_lead(curves: Curves, method: str) -> float:
    """How far the MLP with ten times the images is ahead of a method, at the size where it is
    least, in percentage points."""
    return min(curves[MLP][TIMES * n] - accuracy for n, accuracy in curves[method].items())


def more_data_criteria(curves: Curves) -> tuple[Criterion, ...]:
    """Criteria on the accuracy in % of each method by its number of images."""
    sizes = list(curves[SVM])
    crossings = sum(order(curves, n) != order(curves, sizes[0]) for n in sizes)
    return (
        Criterion(
            "with ten times the images the MLP is at least as good as the support vector machine, "
            "at each size (least lead, percentage points)",
            least_lead(curves, SVM),
            least_lead(curves, SVM) >= 0,
        ),
        Criterion(
            "with ten times the images the MLP is at least as good as the convolutional network "
            "(least lead, points)",
            least_lead(curves, CNN),
            least_lead(curves, CNN) >= 0,
            part_of_claim=False,
        ),
        Criterion(
            "the order of the three methods depends on the number of images (sizes with another "
            "order than the smallest)",
            crossings,
            crossings > 0,
            part_of_claim=False,
        ),
    )


def run_l78(settings: MoreDataSettings) -> LabResult:
    draws = range(settings.draws)
    curves: dict[str, dict[int, float]] = {}
    for name, accuracy, sizes in (
        (SVM, svm_accuracy, settings.images),
        (MLP, mlp_accuracy, settings.mlp_images),
        (CNN, cnn_accuracy, settings.images),
    ):
        curves[name] = {
            n: POINTS * fmean(accuracy(n, draw, settings.epochs) for draw in draws) for n in sizes
        }
    numbers: dict[str, float] = {}
    for place, n in enumerate(settings.images, start=1):
        numbers[f"size {place}: images"] = n
        for name, curve in curves.items():
            numbers[f"size {place}: {name}, %"] = curve[n]
        numbers[f"size {place}: MLP with ten times the images, %"] = curves[MLP][TIMES * n]
    return LabResult(
        numbers,
        more_data_criteria(curves),
        _by_images(curves),
        recipe_hashes(data_arms(settings)),
        tuple(draws),
    )


def _by_images(curves: Curves) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
            axis.plot(list(curve), list(curve.values()), "o-", color=colour, label=name)
        use_log_scale(axis, "x")
        axis.set_xlabel("training images")
        axis.set_ylabel("test accuracy, %, mean of the draws")
        axis.set_title("Method and number of images")
        axis.legend()
        return svg(drawing, "Accuracy by method and number of images")


L78 = Lab(
    "L78",
    lab_texts()["L78"],
    run_l78,
    MoreDataSettings(),
    data_arms,
    3,
    {"draws": 2, "images": (10, 20, 30), "epochs": 1},
)
