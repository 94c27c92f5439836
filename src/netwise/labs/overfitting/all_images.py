"""L05 and L06: 784-30-10 on 50,000 images without and with L2, and where the published single runs
lie among ten seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean, stdev

from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import LARGE_START, digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.overfitting.measures import Numbers, interval, percent, summary
from netwise.labs.overfitting.thousand_settings import MNIST_IMAGES, SPREAD
from netwise.labs.stacked_training import TEST, TRAIN, Curve, TrainedStack, train_stack
from netwise.part import integer, number
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, COLOURS, GREY, ORANGE, figure, svg

PUBLISHED = {"no penalty": 95.33, "L2": 96.49}  # best test accuracy of one run each, %


@dataclass(frozen=True)
class AllImagesSettings(LabSettings):
    """What can be varied in L05 and L06.

    Args:
        seeds: runs of each arm, at least 2. Default 10.
        images: of the training part. Default 50,000.
        epochs: of each run. Default 30.
        decay: lambda of L2, in L06. Default 5.
    """

    seeds: int = integer(10, least=2, most=100, because=SPREAD)
    images: int = integer(50_000, least=100, most=MNIST_IMAGES, because="MNIST has 60,000")
    epochs: int = integer(30, least=1, most=1000, because="a run has an epoch")
    decay: float = number(5.0, above=0, because="L06 is about a penalty")


def bare_arm(settings: AllImagesSettings) -> dict[str, Recipe]:
    recipe = digit_network(settings.images, epochs=settings.epochs, init=LARGE_START)
    return {"no penalty": recipe}


def penalty_arms(settings: AllImagesSettings) -> dict[str, Recipe]:
    decayed = digit_network(
        settings.images, epochs=settings.epochs, init=LARGE_START, decay=settings.decay
    )
    return {**bare_arm(settings), "L2": decayed}


@lru_cache(maxsize=2)
def train_arm(recipe: Recipe, seeds: int) -> TrainedStack:
    """The networks of one arm; both labs have the same."""
    every = range(1, recipe.epochs + 1)
    late = [epoch for epoch in every if epoch % 5 == 0 or epoch == recipe.epochs]
    return train_stack(recipe, range(seeds), {TEST: every, TRAIN: late})


def gap(trained: TrainedStack) -> list[float]:
    """Best training accuracy minus best test accuracy of each seed, in percentage points."""
    return percent(trained.curves[TRAIN].best - trained.curves[TEST].best)


def place_of(published: float, values: Sequence[float]) -> dict[str, float]:
    """Where a single published run lies in the distribution of our seeds."""
    return {
        "share of seeds at or below the published run": fmean(v <= published for v in values),
        "published run, standard deviations above our mean": (
            (published - fmean(values)) / max(stdev(values), 1e-9)
        ),
    }


def inside(published: float, values: Sequence[float]) -> bool:
    """Whether the published run is between the lowest and the highest of ours."""
    return min(values) <= published <= max(values)


def gap_criteria(numbers: Numbers, best: Sequence[float]) -> tuple[Criterion, ...]:
    mean = numbers["best training minus best test accuracy, points: mean"]
    published = PUBLISHED["no penalty"]
    return (
        Criterion(
            "the gap between training and test accuracy is 2 to 3 percentage points (mean)",
            mean,
            2 <= mean <= 3,
        ),
        Criterion(
            "no seed has the gap of 1.53 points that the note prints; 97.86 - 95.33 is 2.53 "
            "(least)",
            numbers["best training minus best test accuracy, points: lowest"],
            numbers["best training minus best test accuracy, points: lowest"] > 1.6,
            part_of_claim=False,
        ),
        Criterion(
            "the published run, 95.33 %, is within the range of the seeds (share at or below it)",
            numbers["share of seeds at or below the published run"],
            inside(published, best),
            part_of_claim=False,
        ),
    )


def run_l05(settings: AllImagesSettings) -> LabResult:
    arms = bare_arm(settings)
    trained = train_arm(arms["no penalty"], settings.seeds)
    test, train = trained.curves[TEST], trained.curves[TRAIN]
    best = percent(test.best)
    numbers = {
        **summary("best test accuracy, %", best),
        **summary("best training accuracy, %", percent(train.best)),
        **summary("best training minus best test accuracy, points", gap(trained)),
        **place_of(PUBLISHED["no penalty"], best),
    }
    return LabResult(
        numbers,
        gap_criteria(numbers, best),
        _accuracies(test, train),
        recipe_hashes(arms),
        trained.seeds,
    )


def _accuracies(test: Curve, train: Curve) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for curve, colour, label in ((train, BLUE, "training"), (test, ORANGE, "test")):
            values = 100 * curve.accuracy
            axis.plot(curve.epochs, values.mean(1), ".-", color=colour, label=label)
            axis.fill_between(
                curve.epochs, values.min(1), values.max(1), color=colour, alpha=0.2, linewidth=0
            )
        axis.axhline(PUBLISHED["no penalty"], color=GREY, linestyle="--", linewidth=1)
        axis.annotate("published best, 95.33 %", (1, PUBLISHED["no penalty"]), fontsize=8)
        axis.set_xlabel("epoch")
        axis.set_ylabel("accuracy, %")
        axis.set_title("50,000 images: mean and range of the seeds")
        axis.legend()
        return svg(drawing, "Accuracy on 50,000 images")


def penalty_criteria(numbers: Numbers, best: Sequence[float]) -> tuple[Criterion, ...]:
    gain = numbers["gain of L2, points: mean"]
    low = numbers["gain of L2, points: low"]
    remaining = numbers["L2: best training minus best test accuracy, points: mean"]
    return (
        Criterion("L2 gains 0.5 to 1.5 percentage points (paired mean)", gain, 0.5 <= gain <= 1.5),
        Criterion(
            "with L2 the gap to the training accuracy is below 1.3 points (mean)",
            remaining,
            remaining < 1.3,
        ),
        Criterion(
            "the gain is above 0 (low end of the 95 % interval)", low, low > 0, part_of_claim=False
        ),
        Criterion(
            "the published run, 96.49 %, is within the range of the seeds (share at or below it)",
            numbers["L2: share of seeds at or below the published run"],
            inside(PUBLISHED["L2"], best),
            part_of_claim=False,
        ),
    )


def run_l06(settings: AllImagesSettings) -> LabResult:
    arms = penalty_arms(settings)
    trained = {name: train_arm(recipe, settings.seeds) for name, recipe in arms.items()}
    best = {name: percent(each.curves[TEST].best) for name, each in trained.items()}
    numbers: dict[str, float] = {}
    for name, each in trained.items():
        numbers |= summary(f"{name}: best test accuracy, %", best[name])
        numbers |= summary(f"{name}: best training minus best test accuracy, points", gap(each))
        numbers |= {
            f"{name}: {what}": value
            for what, value in place_of(PUBLISHED[name], best[name]).items()
        }
    numbers |= interval(
        "gain of L2, points",
        [after - before for before, after in zip(best["no penalty"], best["L2"], strict=True)],
    )
    return LabResult(
        numbers,
        penalty_criteria(numbers, best["L2"]),
        _seeds(best),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


def _seeds(best: Mapping[str, Sequence[float]]) -> str:
    with figure(height=2.2) as (drawing, axes):
        axis = axes[0][0]
        for place, ((name, values), colour) in enumerate(zip(best.items(), COLOURS, strict=False)):
            axis.plot(values, [place] * len(values), "o", color=colour, alpha=0.6)
            label = "published run" if place == 0 else None
            axis.plot([PUBLISHED[name]], [place], "|", color=GREY, markersize=24, label=label)
        axis.set_yticks(range(len(best)), list(best))
        axis.set_ylim(len(best) - 0.5, -0.5)
        axis.set_xlabel("best test accuracy, %")
        axis.set_title("Ours (dots) and the published single runs (lines)")
        axis.legend(fontsize=8)
        return svg(drawing, "Best accuracy of each seed")


SMALL = {"seeds": 2, "images": 100, "epochs": 1}
L05 = Lab("L05", lab_texts()["L05"], run_l05, AllImagesSettings(), bare_arm, 3, SMALL)
L06 = Lab("L06", lab_texts()["L06"], run_l06, AllImagesSettings(), penalty_arms, 6, SMALL)
