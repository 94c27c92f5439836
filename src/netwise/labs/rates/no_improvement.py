"""L14: stop when validation accuracy has had no new best in ten epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import POINTS, digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.stacked_training import TEST, VALID, Curve, train_stack
from netwise.networks import MLP
from netwise.part import integer
from netwise.parts.activations import Sigmoid
from netwise.parts.initializers import LeCun
from netwise.parts.losses import Quadratic
from netwise.parts.stopping import ACCURACY, EpochResult, Patience
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, GREY, figure, svg

IMAGES = 6000  # 5,000 to train on, 1,000 to validate on
PLATEAU_RATE = 0.1


@dataclass(frozen=True)
class NoImprovementSettings(LabSettings):
    """What can be varied in L14.

    Args:
        seeds: runs of each task, at least 2. Default 5.
        epochs: of a whole run. Default 60.
        patience: epochs without a new best after which a run would stop. Default 10.
    """

    seeds: int = integer(5, least=2, most=100, because="one seed has no spread")
    epochs: int = integer(60, least=1, most=1000, because="a run has an epoch")
    patience: int = integer(10, least=1, most=1000, because="it waits whole epochs")


def stop_arms(settings: NoImprovementSettings) -> dict[str, Recipe]:
    usual = digit_network(IMAGES, epochs=settings.epochs, decay=IMAGES / 10_000, validated=True)
    deep = MLP((784, 30, 30, 30, 10), activation=Sigmoid(), output=Sigmoid())
    plateau = digit_network(
        IMAGES, epochs=settings.epochs, rate=PLATEAU_RATE, init=LeCun(), validated=True
    ).but(network=deep, loss=Quadratic())
    return {"usual": usual, "plateau": plateau}


@dataclass(frozen=True)
class EarlyStop:
    """What the rule does to one run.

    Args:
        epochs: that the run is trained for.
        lost: test accuracy at the best validation epoch of the whole run, minus that at the best
            one before the stop, in percentage points.
    """

    epochs: int
    lost: float


def apply_rule(valid: list[float], test: list[float], patience: int) -> EarlyStop:
    """Apply `Patience` to the accuracies after each epoch of a whole run."""
    rule = Patience(patience, by=ACCURACY)
    state = rule.init()
    epochs = len(valid)
    for epoch, accuracy in enumerate(valid):
        reason, state = rule.next(state, EpochResult(epoch, loss=0.0, quality=accuracy))
        if reason is not None:
            epochs = epoch + 1
            break
    kept, best = int(np.argmax(valid[:epochs])), int(np.argmax(valid))
    return EarlyStop(epochs, POINTS * (test[best] - test[kept]))


def stop_criteria(numbers: Mapping[str, float]) -> tuple[Criterion, ...]:
    saved = numbers["usual: epochs saved, %"]
    lost = numbers["usual: test accuracy lost, points: mean"]
    plateau = numbers["plateau: test accuracy lost, points: mean"]
    high = numbers["usual: test accuracy lost, points: high"]
    early = numbers["plateau: runs that lose more than 1 point, %"]
    return (
        Criterion("on the usual task it saves more than 30 % of the epochs", saved, saved > 30),
        Criterion(
            "there it loses less than 0.3 percentage points of test accuracy (mean)",
            lost,
            lost < 0.3,
        ),
        Criterion(
            "on the plateau it stops too early: more than 1 point is lost (mean)",
            plateau,
            plateau > 1,
        ),
        Criterion(
            "on the usual task the loss is below 0.3 points with certainty (high end of the 95 % "
            "interval)",
            high,
            high < 0.3,
            part_of_claim=False,
        ),
        Criterion(
            "on the plateau at least half of the runs lose more than 1 point (%)",
            early,
            early >= 50,
            part_of_claim=False,
        ),
    )


def run_l14(settings: NoImprovementSettings) -> LabResult:
    arms = stop_arms(settings)
    every = range(1, settings.epochs + 1)
    numbers: dict[str, float] = {}
    curves: dict[str, Curve] = {}
    stops: dict[str, list[EarlyStop]] = {}
    for name, recipe in arms.items():
        measured = train_stack(recipe, range(settings.seeds), {VALID: every, TEST: every}).curves
        curves[name] = measured[TEST]
        stops[name] = [
            apply_rule(list(valid), list(test), settings.patience)
            for valid, test in zip(
                measured[VALID].accuracy.T, measured[TEST].accuracy.T, strict=True
            )
        ]
        epochs = [stop.epochs for stop in stops[name]]
        lost = [stop.lost for stop in stops[name]]
        numbers |= {
            f"{name}: epochs until the stop": fmean(epochs),
            f"{name}: epochs saved, %": POINTS * (1 - fmean(epochs) / settings.epochs),
            f"{name}: runs that lose more than 1 point, %": POINTS * fmean(x > 1 for x in lost),
            f"{name}: final test accuracy, %": POINTS * float(curves[name].accuracy[-1].mean()),
        }
        for what, value in zip(("mean", "low", "high"), of_mean(lost), strict=True):
            numbers[f"{name}: test accuracy lost, points: {what}"] = value
    return LabResult(
        numbers,
        stop_criteria(numbers),
        _with_stops(curves, stops),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


def _with_stops(curves: Mapping[str, Curve], stops: Mapping[str, list[EarlyStop]]) -> str:
    with figure(columns=2, width=7.5) as (drawing, axes):
        for axis, (name, curve) in zip(axes[0], curves.items(), strict=True):
            for seed, stop in enumerate(stops[name]):
                values = POINTS * curve.accuracy[:, seed]
                axis.plot(curve.epochs, values, color=GREY, linewidth=0.8)
                axis.plot([stop.epochs], [values[stop.epochs - 1]], "o", color=COLOURS[1])
            axis.set_xlabel("epoch")
            axis.set_ylabel("test accuracy, %")
            axis.set_title(f"{name.capitalize()} task; dots: where the rule stops")
        return svg(drawing, "No improvement in ten epochs")


L14 = Lab(
    "L14",
    lab_texts()["L14"],
    run_l14,
    NoImprovementSettings(),
    stop_arms,
    2,
    {"seeds": 2, "epochs": 2},
)
