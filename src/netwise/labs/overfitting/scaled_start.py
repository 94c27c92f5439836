"""L10: weights of 1 / sqrt(inputs) at the start in place of 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import (
    LARGE_START,
    POINTS,
    SCALED_START,
    digit_network,
    sparse_epochs,
)
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.overfitting.measures import Numbers, interval, percent
from netwise.labs.overfitting.thousand_settings import MNIST_IMAGES, SPREAD
from netwise.labs.stacked_training import TEST, Curve, train_stack
from netwise.part import integer, number
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg

STARTS = {"N(0, 1)": LARGE_START, "1 / sqrt(n)": SCALED_START}
SHRINK = 10_000  # images for each unit of lambda: 5 for 50,000
UNITS = (30, 100)


@dataclass(frozen=True)
class ScaledSettings(LabSettings):
    """What can be varied in L10.

    Args:
        seeds: runs of each arm, at least 2. Default 5.
        images: of the training part; lambda is 1 for each 10,000. Default 50,000.
        epochs: with 30 hidden units; with 100 a third. Default 30.
        rate: the learning rate. Default 0.1.
    """

    seeds: int = integer(5, least=2, most=100, because=SPREAD)
    images: int = integer(50_000, least=100, most=MNIST_IMAGES, because="MNIST has 60,000")
    epochs: int = integer(30, least=1, most=1000, because="a run has an epoch")
    rate: float = number(0.1, above=0, because="a step of 0 changes nothing")


def start_arms(settings: ScaledSettings) -> dict[str, Recipe]:
    return {
        f"{units} units, {name}": digit_network(
            settings.images,
            epochs=settings.epochs if units == UNITS[0] else max(1, settings.epochs // 3),
            rate=settings.rate,
            hidden=units,
            decay=settings.images / SHRINK,
            init=init,
        )
        for units in UNITS
        for name, init in STARTS.items()
    }


def scaled_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    first = numbers["30 units, ahead after epoch 1, points: mean"]
    final = numbers["30 units, ahead after the last epoch, points: mean"]
    low = numbers["30 units, ahead after the last epoch, points: low"]
    wide = numbers["100 units, ahead after the last epoch, points: low"]
    return (
        Criterion(
            "after one epoch the scaled start is more than 4 percentage points ahead (30 units, "
            "mean)",
            first,
            first > 4,
        ),
        Criterion(
            "after the last epoch it is less than 1 point ahead (30 units, mean)", final, final < 1
        ),
        Criterion(
            "at the end the two starts cannot be told apart with 30 units (low end of the 95 % "
            "interval, points)",
            low,
            low <= 0,
            part_of_claim=False,
        ),
        Criterion(
            "with 100 units the scaled start is still ahead after the last epoch (low end, points)",
            wide,
            wide > 0,
            part_of_claim=False,
        ),
    )


def run_l10(settings: ScaledSettings) -> LabResult:
    arms = start_arms(settings)
    curves = {
        name: train_stack(
            recipe, range(settings.seeds), {TEST: sparse_epochs(recipe.epochs, 3, 3)}
        ).curves[TEST]
        for name, recipe in arms.items()
    }
    numbers: dict[str, float] = {}
    for name, curve in curves.items():
        numbers |= {
            f"{name}: after epoch 1, %": fmean(percent(curve.accuracy[0])),
            f"{name}: after the last epoch, %": fmean(percent(curve.accuracy[-1])),
        }
    for units in UNITS:
        large, scaled = (curves[f"{units} units, {name}"].accuracy for name in STARTS)
        for place, when in ((0, "epoch 1"), (-1, "the last epoch")):
            gains = percent(scaled[place] - large[place])
            numbers |= interval(f"{units} units, ahead after {when}, points", gains)
    return LabResult(
        numbers,
        scaled_criteria(numbers),
        _by_epoch(curves),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


def _by_epoch(curves: Mapping[str, Curve]) -> str:
    with figure(columns=2, width=7.5) as (drawing, axes):
        for axis, units in zip(axes[0], UNITS, strict=True):
            for name, colour in zip(STARTS, COLOURS, strict=False):
                curve = curves[f"{units} units, {name}"]
                values = POINTS * curve.accuracy
                axis.plot(
                    curve.epochs, values.mean(1), "o-", markersize=3, color=colour, label=name
                )
                axis.fill_between(
                    curve.epochs, values.min(1), values.max(1), color=colour, alpha=0.2, linewidth=0
                )
            axis.set_xlabel("epoch")
            axis.set_ylabel("test accuracy, %")
            axis.set_title(f"{units} hidden units")
            axis.legend()
        return svg(drawing, "Two starts by epoch")


L10 = Lab(
    "L10",
    lab_texts()["L10"],
    run_l10,
    ScaledSettings(),
    start_arms,
    5,
    {"seeds": 2, "images": 100, "epochs": 3},
)
