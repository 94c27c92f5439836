"""L13: halve the learning rate on a plateau until it is 1/1000, against constant rates for the same
number of epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import POINTS, digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.stacked_training import TEST, Curve, Floats, train_stack
from netwise.part import integer, number
from netwise.parts.optimizers import SGD
from netwise.parts.schedules import HalveUntil
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg

IMAGES = 6000  # 5,000 to train on, 1,000 to validate on
DECAY = IMAGES / 10_000  # lambda; as 5 for 50,000
TUNED = 0.2  # of the first rate: a constant rate that suits better


@dataclass(frozen=True)
class HalvingSettings(LabSettings):
    """What can be varied in L13.

    Args:
        seeds: runs of each arm, at least 2. Default 5.
        epochs: at most, if the rate is not 1/1000 before. Default 60.
        hidden: units. Default 100.
        patience: epochs without a new lowest validation cost after which the rate falls. Default 3.
        rate: the first learning rate. Default 0.5.
    """

    seeds: int = integer(5, least=2, most=100, because="one seed has no spread")
    epochs: int = integer(60, least=1, most=1000, because="a run has an epoch")
    hidden: int = integer(100, least=1, most=1000, because="a hidden layer has units")
    patience: int = integer(3, least=1, most=100, because="it waits whole epochs")
    rate: float = number(0.5, above=0, because="a step of 0 changes nothing")


def halving_arms(settings: HalvingSettings) -> dict[str, Recipe]:
    constant = digit_network(
        IMAGES,
        epochs=settings.epochs,
        rate=settings.rate,
        hidden=settings.hidden,
        decay=DECAY,
        validated=True,
    )
    return {
        "halved": constant.but(schedule=HalveUntil(factor=0.5, patience=settings.patience)),
        "divided by 10": constant.but(schedule=HalveUntil(factor=0.1, patience=settings.patience)),
        "constant": constant,
        "constant, a fifth": constant.but(optimizer=SGD(lr=TUNED * settings.rate)),
    }


def accuracy_after(curve: Curve, epochs: tuple[int, ...]) -> Floats:
    """The accuracy of each seed after the number of epochs that is its own."""
    rows = [curve.epochs.index(min(epoch, curve.epochs[-1])) for epoch in epochs]
    return np.array([curve.accuracy[row, seed] for seed, row in enumerate(rows)])


def halving_criteria(numbers: Mapping[str, float]) -> tuple[Criterion, ...]:
    gain = numbers["halved minus constant, points: mean"]
    low = numbers["halved minus constant, points: low"]
    factors = numbers["halved minus divided by 10, points: mean"]
    tuned = numbers["halved minus constant, a fifth, points: mean"]
    return (
        Criterion(
            "halving ends at least 0.2 percentage points above the constant rate (mean)",
            gain,
            gain >= 0.2,
        ),
        Criterion(
            "factors 1/2 and 1/10 differ by less than 0.3 points (mean)",
            factors,
            abs(factors) < 0.3,
        ),
        Criterion(
            "halving is above the constant rate beyond chance (low end of the 95 % interval)",
            low,
            low > 0,
            part_of_claim=False,
        ),
        Criterion(
            "halving also ends at least 0.2 points above a constant rate that is a fifth (mean)",
            tuned,
            tuned >= 0.2,
            part_of_claim=False,
        ),
    )


def run_l13(settings: HalvingSettings) -> LabResult:
    arms = halving_arms(settings)
    seeds, watched = range(settings.seeds), {1, 2, *range(4, settings.epochs + 1, 4)}
    watched |= {settings.epochs}
    trained = {"halved": train_stack(arms["halved"], seeds, {TEST: watched})}
    ends = trained["halved"].epochs
    for name, recipe in list(arms.items())[1:]:
        trained[name] = train_stack(recipe, seeds, {TEST: {*watched, *ends}})
    final = {
        "halved": trained["halved"].curves[TEST].accuracy[-1],
        "divided by 10": trained["divided by 10"].curves[TEST].accuracy[-1],
        **{
            name: accuracy_after(trained[name].curves[TEST], ends)
            for name in ("constant", "constant, a fifth")
        },
    }
    numbers: dict[str, float] = {
        "halved: epochs": fmean(ends),
        "divided by 10: epochs": fmean(trained["divided by 10"].epochs),
        **{f"{name}: test accuracy, %": POINTS * float(v.mean()) for name, v in final.items()},
    }
    for name in ("divided by 10", "constant", "constant, a fifth"):
        gains = [POINTS * float(each) for each in final["halved"] - final[name]]
        for what, value in zip(("mean", "low", "high"), of_mean(gains), strict=True):
            numbers[f"halved minus {name}, points: {what}"] = value
    return LabResult(
        numbers,
        halving_criteria(numbers),
        _by_epoch({name: each.curves[TEST] for name, each in trained.items()}),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


def _by_epoch(curves: Mapping[str, Curve]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
            axis.plot(curve.epochs, POINTS * curve.accuracy.mean(1), color=colour, label=name)
        top = POINTS * max(float(curve.accuracy.max()) for curve in curves.values())
        axis.set_ylim(top - 5, top + 0.5)
        axis.set_xlabel("epoch")
        axis.set_ylabel("test accuracy, %, mean over seeds")
        axis.set_title("Falling and constant learning rates")
        axis.legend(fontsize=8)
        return svg(drawing, "Falling and constant learning rates")


L13 = Lab(
    "L13",
    lab_texts()["L13"],
    run_l13,
    HalvingSettings(),
    halving_arms,
    2,
    {"seeds": 2, "epochs": 1},
)
