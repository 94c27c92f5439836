"""L11: the training cost with a small, a fitting and a too large learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import POINTS, digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.stacked_training import TEST, TRAIN, Floats, train_stack
from netwise.part import integer
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg

RATES = (0.025, 0.25, 2.5)
SHRINK = 10_000  # images for each unit of lambda: 5 for 50,000
LEVEL_AFTER = 2 / 3  # of a run: 20 of 30 epochs


@dataclass(frozen=True)
class ThreeRatesSettings(LabSettings):
    """What can be varied in L11.

    Args:
        seeds: runs of each rate, at least 2. Default 5.
        images: of the training part; lambda is 1 for each 10,000. Default 50,000.
        epochs: of each run. Default 30.
    """

    seeds: int = integer(5, least=2, most=100, because="one seed has no spread")
    images: int = integer(50_000, least=100, most=60_000, because="MNIST has 60,000")
    epochs: int = integer(30, least=2, most=1000, because="a cost rises from one epoch to the next")


def rate_arms(settings: ThreeRatesSettings) -> dict[str, Recipe]:
    return {
        f"rate {rate}": digit_network(
            settings.images, epochs=settings.epochs, rate=rate, decay=settings.images / SHRINK
        )
        for rate in RATES
    }


def rises(costs: Floats) -> Floats:
    """How often each column of (epochs, seeds) rises from one row to the next."""
    return np.array((np.diff(costs, axis=0) > 0).sum(0))


def late_fall(costs: Floats) -> Floats:
    """Share of each column's fall that comes in the last third of the rows."""
    turn = max(1, round(LEVEL_AFTER * len(costs)))
    low = np.minimum.accumulate(costs)
    return np.array((low[turn - 1] - low[-1]) / np.maximum(low[0] - low[-1], 1e-12))


def rates_criteria(numbers: Mapping[str, float]) -> tuple[Criterion, ...]:
    small, middle, large = (numbers[f"rate {rate}: rises of the cost"] for rate in RATES)
    level = numbers["rate 2.5: final cost"] / numbers["rate 0.25: final cost"]
    late = numbers["rate 0.25: share of the fall in the last third"]
    ahead = numbers["rate 0.25: test accuracy, %"] - numbers["rate 0.025: test accuracy, %"]
    return (
        Criterion("at rate 0.025 the cost rises at most once (mean)", small, small <= 1),
        Criterion("at rate 0.25 the cost rises at least 5 times (mean)", middle, middle >= 5),
        Criterion("at rate 2.5 the cost rises at least 8 times (mean)", large, large >= 8),
        Criterion(
            "at rate 2.5 the cost ends at more than twice that of rate 0.25 (ratio)",
            level,
            level > 2,
        ),
        Criterion(
            "at rate 0.25 the last third of the epochs brings less than 5 % of the fall",
            late,
            late < 0.05,
            part_of_claim=False,
        ),
        Criterion(
            "the rate that fluctuates, 0.25, is no worse on test images than the smooth one "
            "(percentage points ahead)",
            ahead,
            ahead > -0.3,
            part_of_claim=False,
        ),
    )


def run_l11(settings: ThreeRatesSettings) -> LabResult:
    arms = rate_arms(settings)
    every = range(1, settings.epochs + 1)
    costs: dict[str, Floats] = {}
    numbers: dict[str, float] = {}
    for name, recipe in arms.items():
        trained = train_stack(
            recipe, range(settings.seeds), {TRAIN: every, TEST: [settings.epochs]}
        )
        costs[name] = trained.curves[TRAIN].loss + trained.penalties
        numbers |= {
            f"{name}: rises of the cost": float(rises(costs[name]).mean()),
            f"{name}: final cost": float(costs[name][-1].mean()),
            f"{name}: share of the fall in the last third": float(late_fall(costs[name]).mean()),
            f"{name}: test accuracy, %": POINTS
            * fmean(map(float, trained.curves[TEST].accuracy[-1])),
        }
    return LabResult(
        numbers,
        rates_criteria(numbers),
        _costs(costs),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


def _costs(costs: Mapping[str, Floats]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, values), colour in zip(costs.items(), COLOURS, strict=False):
            epochs = range(1, len(values) + 1)
            axis.plot(epochs, values[:, 0], color=colour, label=name)
            axis.plot(epochs, values[:, 1:], color=colour, alpha=0.25, linewidth=0.8)
        axis.set_ylim(bottom=0)
        axis.set_xlabel("epoch")
        axis.set_ylabel("cost over the training images")
        axis.set_title("Training cost by learning rate")
        axis.legend()
        return svg(drawing, "Training cost by learning rate")


L11 = Lab(
    "L11",
    lab_texts()["L11"],
    run_l11,
    ThreeRatesSettings(),
    rate_arms,
    5,
    {"seeds": 2, "images": 100, "epochs": 3},
)
