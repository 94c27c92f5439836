"""L03 and L04: 784-30-10 on 1,000 images overfits, and L2 gains 5 points."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import LARGE_START, POINTS, digit_network, sparse_epochs
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.labs.overfitting.measures import Numbers, accuracy_by_epoch, interval, percent, summary
from netwise.labs.overfitting.thousand_settings import ThousandSettings
from netwise.labs.stacked_training import TEST, TRAIN, Curve, TrainedStack, train_stack
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg

LATE = 0.7  # share of a run: 280 of 400 epochs
DENSE, EVERY = 25, 10  # epochs that are all measured, and one of so many of the later ones
DENSE_TRAINING = 120  # the same for the training part


@lru_cache(maxsize=6)
def train_arm(recipe: Recipe, seeds: int) -> TrainedStack:
    """The networks of one arm; several labs have the same."""
    epochs = sparse_epochs(recipe.epochs, DENSE, EVERY)
    training = sparse_epochs(recipe.epochs, DENSE_TRAINING, EVERY)
    return train_stack(recipe, range(seeds), {TEST: epochs, TRAIN: training})


# L03: overfitting


def bare_arm(settings: ThousandSettings) -> dict[str, Recipe]:
    recipe = digit_network(
        settings.images, epochs=settings.epochs, rate=settings.rate, init=LARGE_START
    )
    return {"no penalty": recipe}


def first_at(curve: Curve, accuracy: float) -> list[float]:
    """The first measured epoch of each seed with this accuracy; one after the last where there is
    none."""
    reached = curve.accuracy >= accuracy
    epochs = np.array([*curve.epochs, curve.epochs[-1] + 1])
    return [float(epochs[np.append(column, True).argmax()]) for column in reached.T]


def late_gain(curve: Curve) -> list[float]:
    """Percentage points that the best accuracy of each seed gains in the last 30 % of a run."""
    early = [i for i, epoch in enumerate(curve.epochs) if epoch <= LATE * curve.epochs[-1]]
    return percent(curve.best - curve.accuracy[: len(early)].max(0))


def overfitting_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    best = numbers["best test accuracy, %: mean"]
    low, high = (numbers[f"epoch of the lowest test cost: {end}"] for end in ("lowest", "highest"))
    learned = numbers["epoch at which all training images are right: highest"]
    gain = numbers["gain in the last 30 % of the epochs, points: highest"]
    rise = numbers["final test cost / lowest: lowest"]
    return (
        Criterion("the best test accuracy is 80.5 to 84.5 % (mean)", best, 80.5 <= best <= 84.5),
        Criterion(
            "the test cost is lowest between the epochs 10 and 20 for each seed (latest)",
            high,
            low >= 10 and high <= 20,
        ),
        Criterion(
            "all training images are right before epoch 120 for each seed (latest)",
            learned,
            learned < 120,
        ),
        Criterion(
            "the best accuracy gains less than 0.5 percentage points in the last 30 % of the "
            "epochs (largest)",
            gain,
            gain < 0.5,
        ),
        Criterion(
            "the test cost ends at more than 1.2 times its lowest value for each seed (least)",
            rise,
            rise > 1.2,
            part_of_claim=False,
        ),
    )


def run_l03(settings: ThousandSettings) -> LabResult:
    arms = bare_arm(settings)
    trained = train_arm(arms["no penalty"], settings.seeds)
    test, train = trained.curves[TEST], trained.curves[TRAIN]
    lowest = [float(test.epochs[i]) for i in test.loss.argmin(0)]
    numbers = {
        **summary("best test accuracy, %", percent(test.best)),
        **summary("final test accuracy, %", percent(test.accuracy[-1])),
        **summary("epoch of the lowest test cost", lowest),
        **summary("final test cost / lowest", [*map(float, test.loss[-1] / test.loss.min(0))]),
        **summary("epoch at which all training images are right", first_at(train, 1.0)),
        **summary("gain in the last 30 % of the epochs, points", late_gain(test)),
    }
    return LabResult(
        numbers,
        overfitting_criteria(numbers),
        _cost_and_accuracy(test, train),
        recipe_hashes(arms),
        trained.seeds,
    )


def _cost_and_accuracy(test: Curve, train: Curve) -> str:
    with figure(columns=2, width=7.5) as (drawing, axes):
        cost, accuracy = axes[0]
        for curve, colour, label in ((train, BLUE, "training"), (test, ORANGE, "test")):
            cost.plot(curve.epochs, curve.loss.mean(1), color=colour, label=label)
            accuracy.plot(curve.epochs, POINTS * curve.accuracy.mean(1), color=colour, label=label)
        cost.set_title("Cost, mean over seeds")
        cost.set_ylabel("cross-entropy")
        accuracy.set_title("Accuracy, mean over seeds")
        accuracy.set_ylabel("%")
        for axis in axes[0]:
            axis.set_xlabel("epoch")
            axis.legend()
        return svg(drawing, "Cost and accuracy on 1,000 images")


# L04: L2


def penalty_arms(settings: ThousandSettings) -> dict[str, Recipe]:
    def arm(decay: float) -> Recipe:
        return digit_network(
            settings.images,
            epochs=settings.epochs,
            rate=settings.rate,
            init=LARGE_START,
            decay=decay,
        )

    return {"no penalty": arm(0.0), "L2": arm(settings.decay)}


def penalty_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    least = numbers["gain of L2, points: lowest"]
    best = numbers["L2: best test accuracy, %: mean"]
    final = numbers["gain of L2 after the last epoch, points: low"]
    return (
        Criterion("L2 gains more than 3 percentage points for each seed (least)", least, least > 3),
        Criterion(
            "the best test accuracy with L2 is 86.5 to 88.5 % (mean)", best, 86.5 <= best <= 88.5
        ),
        Criterion(
            "the gain after the last epoch, which is no choice on test data, is above 3 points "
            "(low end of the 95 % interval)",
            final,
            final > 3,
            part_of_claim=False,
        ),
    )


def run_l04(settings: ThousandSettings) -> LabResult:
    arms = penalty_arms(settings)
    curves = {name: train_arm(recipe, settings.seeds).curves[TEST] for name, recipe in arms.items()}
    bare, decayed = curves.values()
    numbers = {
        **summary("no penalty: best test accuracy, %", percent(bare.best)),
        **summary("L2: best test accuracy, %", percent(decayed.best)),
        **summary("gain of L2, points", percent(decayed.best - bare.best)),
        **interval(
            "gain of L2 after the last epoch, points",
            percent(decayed.accuracy[-1] - bare.accuracy[-1]),
        ),
    }
    return LabResult(
        numbers,
        penalty_criteria(numbers),
        accuracy_by_epoch(curves, "L2 on 1,000 images"),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


SMALL = {"seeds": 2, "epochs": 2}
L03 = Lab("L03", lab_texts()["L03"], run_l03, ThousandSettings(), bare_arm, 0.5, SMALL)
L04 = Lab("L04", lab_texts()["L04"], run_l04, ThousandSettings(), penalty_arms, 1, SMALL)
