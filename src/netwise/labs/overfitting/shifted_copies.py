"""L17: copies of 1,000 images moved by one pixel, at the same number of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import POINTS, digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.overfitting.measures import Numbers, interval, percent
from netwise.labs.overfitting.thousand_settings import SPREAD
from netwise.labs.stacked_training import TEST, Curve, TrainedStack, train_stack
from netwise.part import integer
from netwise.parts.augment import ShiftCopies
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg

COPIES = 5  # of each image, with itself
IMAGES = 1000


@dataclass(frozen=True)
class ShiftSettings(LabSettings):
    """What can be varied in L17.

    Args:
        seeds: runs of each arm, at least 2. Default 5.
        images: of the training part. Default 1,000.
        hidden: units of the hidden layer. Default 30.
        epochs: over the images with their copies; the plain images get 5 times as many, which are
            as many steps. Default 60.
    """

    seeds: int = integer(5, least=2, most=100, because=SPREAD)
    images: int = integer(IMAGES, least=100, most=10_000, because="five copies are in memory")
    hidden: int = integer(30, least=1, most=1000, because="a hidden layer has units")
    epochs: int = integer(60, least=1, most=1000, because="a run has an epoch")


def shift_arms(settings: ShiftSettings) -> dict[str, Recipe]:
    plain = digit_network(settings.images, epochs=COPIES * settings.epochs, hidden=settings.hidden)
    return {
        "images": plain,
        "images and copies": plain.but(augment=(ShiftCopies(),), epochs=settings.epochs),
    }


def accuracy_when_moved(trained: TrainedStack, x: Tensor, y: Tensor) -> float:
    """Mean accuracy of the networks on images that are moved by one pixel, in %; the mean over the
    four directions."""
    moved = [torch.roll(x, step, axis) for axis in (2, 3) for step in (-1, 1)]
    right = [(trained.outputs(each).argmax(-1) == y).double().mean() for each in moved]
    return POINTS * fmean(map(float, right))


def shift_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    gain, low = (
        numbers["gain of the copies, points: mean"],
        numbers["gain of the copies, points: low"],
    )
    plain = numbers["images: accuracy lost on moved test images, points"]
    copied = numbers["images and copies: accuracy lost on moved test images, points"]
    return (
        Criterion(
            "copies moved by one pixel gain more than 1.5 percentage points of test accuracy "
            "(mean)",
            gain,
            gain > 1.5,
        ),
        Criterion(
            "the gain is above 0 (low end of the 95 % interval)", low, low > 0, part_of_claim=False
        ),
        Criterion(
            "trained on copies, the network loses less than half as much on test images moved by "
            "one pixel (ratio of the losses)",
            copied / max(plain, 1e-9),
            copied < plain / 2,
            part_of_claim=False,
        ),
    )


def run_l17(settings: ShiftSettings) -> LabResult:
    arms = shift_arms(settings)
    test = prepare(arms["images"]).samples.test
    curves: dict[str, Curve] = {}
    numbers: dict[str, float] = {}
    for name, recipe in arms.items():
        step = max(1, recipe.epochs // 20)
        watch = sorted({*range(step, recipe.epochs + 1, step), recipe.epochs})
        trained = train_stack(recipe, range(settings.seeds), {TEST: watch})
        curves[name] = trained.curves[TEST]
        final = fmean(percent(curves[name].accuracy[-1]))
        moved = accuracy_when_moved(trained, test.x, test.y)
        numbers |= {
            f"{name}: test accuracy, %": final,
            f"{name}: accuracy lost on moved test images, points": final - moved,
        }
    plain, copied = curves.values()
    gains = percent(copied.accuracy[-1] - plain.accuracy[-1])
    numbers |= interval("gain of the copies, points", gains)
    return LabResult(
        numbers,
        shift_criteria(numbers),
        _by_passes(curves),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


def _by_passes(curves: Mapping[str, Curve]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
            share = np.array(curve.epochs) / curve.epochs[-1]
            values = POINTS * curve.accuracy
            axis.plot(POINTS * share, values.mean(1), color=colour, label=name)
            axis.fill_between(
                POINTS * share, values.min(1), values.max(1), color=colour, alpha=0.2, linewidth=0
            )
        axis.set_xlabel("steps, % of all (equal for both)")
        axis.set_ylabel("test accuracy, %")
        axis.set_title("Copies moved by one pixel: mean and range")
        axis.legend()
        return svg(drawing, "Copies moved by one pixel")


L17 = Lab(
    "L17",
    lab_texts()["L17"],
    run_l17,
    ShiftSettings(),
    shift_arms,
    1,
    {"seeds": 2, "images": 100, "epochs": 1},
)
