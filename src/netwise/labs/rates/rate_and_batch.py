"""L55: do learning rate and batch size matter?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import POINTS, digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.stacked_training import TEST, Floats, train_stack
from netwise.part import integer
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import figure, svg

RATES = (0.0001, 0.001, 0.01, 0.1, 1.0)
BATCHES = (8, 32, 128, 512)


@dataclass(frozen=True)
class RateAndBatchSettings(LabSettings):
    """What can be varied in L55.

    Args:
        seeds: runs of each pair, at least 2. Default 5.
        images: of the training part. Default 5,000.
        epochs: of each run. Default 10.
    """

    seeds: int = integer(5, least=2, most=100, because="one seed has no spread")
    images: int = integer(5000, least=1000, most=60_000, because="a batch has 512 of them")
    epochs: int = integer(10, least=1, most=1000, because="a run has an epoch")


def pair(rate: float, batch: int) -> str:
    return f"rate {rate:g}, batch {batch}"


def grid_arms(settings: RateAndBatchSettings) -> dict[str, Recipe]:
    return {
        pair(rate, batch): digit_network(settings.images, epochs=settings.epochs, rate=rate).but(
            batch_size=batch
        )
        for rate in RATES
        for batch in BATCHES
    }


def surface(numbers: Mapping[str, float]) -> Floats:
    """Mean accuracy in %, (rates, batch sizes)."""
    return np.array([[numbers[pair(rate, batch)] for batch in BATCHES] for rate in RATES])


def grid_criteria(numbers: Mapping[str, float]) -> tuple[Criterion, ...]:
    values = surface(numbers)
    spread = float(values.max() - values.min())
    by_batch = float(values.max(0).max() - values.max(0).min())
    best = values.argmax(0)
    return (
        Criterion(
            "the accuracies of all pairs are within 2 percentage points (range)",
            spread,
            spread <= 2,
        ),
        Criterion(
            "the learning rate spans everything from guessing to the best: the worst pair is below "
            "25 % (%)",
            float(values.min()),
            float(values.min()) < 25,
            part_of_claim=False,
        ),
        Criterion(
            "the best rate of a batch of 512 is larger than that of a batch of 8 (ratio)",
            RATES[best[-1]] / RATES[best[0]],
            int(best[-1]) > int(best[0]),
            part_of_claim=False,
        ),
        Criterion(
            "each batch size at its best rate is within 2 points of the best pair (range)",
            by_batch,
            by_batch <= 2,
            part_of_claim=False,
        ),
    )


def run_l55(settings: RateAndBatchSettings) -> LabResult:
    arms = grid_arms(settings)
    numbers = {
        name: POINTS
        * fmean(
            map(
                float,
                train_stack(recipe, range(settings.seeds), {TEST: [settings.epochs]})
                .curves[TEST]
                .accuracy[-1],
            )
        )
        for name, recipe in arms.items()
    }
    return LabResult(
        numbers,
        grid_criteria(numbers),
        _table(surface(numbers)),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


def _table(values: Floats) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        axis.imshow(values, aspect="auto", vmin=10, vmax=100)
        for (row, column), value in np.ndenumerate(values):
            ink = "#ffffff" if value < 60 else "#1d232b"
            axis.text(column, row, f"{value:.1f}", ha="center", va="center", color=ink)
        axis.set_xticks(range(len(BATCHES)), [str(each) for each in BATCHES])
        axis.set_yticks(range(len(RATES)), [f"{each:g}" for each in RATES])
        axis.grid(visible=False)
        axis.set_xlabel("batch size")
        axis.set_ylabel("learning rate")
        axis.set_title("Test accuracy, %")
        return svg(drawing, "Accuracy by learning rate and batch size")


L55 = Lab(
    "L55",
    lab_texts()["L55"],
    run_l55,
    RateAndBatchSettings(),
    grid_arms,
    1,
    {"seeds": 2, "images": 1000, "epochs": 1},
)
