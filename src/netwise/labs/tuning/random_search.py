"""L58: random search against grid search, where one of two axes matters and on trained networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.tuning.landscape import (
    POINTS,
    Floats,
    distribution_figure,
    landscape,
    landscape_arms,
    landscape_hashes,
)
from netwise.part import number
from netwise.report.pictures.drawing import BLUE, GREY

DRAWS = 5000
TRIALS = 9


@dataclass(frozen=True)
class RandomSearchSettings(LabSettings):
    """What can be varied in L58.

    Args:
        width: of the peak that searches look for, as a share of its axis. Default 0.15.
    """

    width: float = number(0.15, above=0, most=10, because="a peak has a width")


def peak(x: Floats, centre: Floats, width: float = 0.15) -> Floats:
    """Values at x, (draws, trials), of a peak around each of the centres, (draws,), at most 1; it
    has fallen to 1/e at `width` from its centre."""
    return np.exp(-(((x - centre[:, None]) / width) ** 2))


def even_places(count: int) -> Floats:
    """The middles of `count` equal parts of [0, 1]."""
    return (np.arange(count) + 0.5) / count


def best_of_grid(table: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """Best of a 3 x 3 grid over rate and dropout, of 10 and 3 values, at a random offset of the
    rates; the other axes random. `table`: (rates, penalties, widths, dropouts)."""
    best = np.empty(draws)
    for i in range(draws):
        plane = table[:, rng.integers(table.shape[1]), rng.integers(table.shape[2]), :]
        offset = rng.integers(0, 4)
        best[i] = plane[[offset, offset + 3, offset + 6]].max()
    return best


def best_of_random(table: Floats, rng: np.random.Generator, draws: int, trials: int) -> Floats:
    """Best of random trials over rate and dropout; the other axes random."""
    best = np.empty(draws)
    for i in range(draws):
        plane = table[:, rng.integers(table.shape[1]), rng.integers(table.shape[2]), :]
        rows = rng.integers(0, plane.shape[0], trials)
        columns = rng.integers(0, plane.shape[1], trials)
        best[i] = plane[rows, columns].max()
    return best


def random_search_criteria(numbers: Mapping[str, float]) -> tuple[Criterion, ...]:
    gain = (
        numbers["one of two axes matters: 9 random"]
        - numbers["one of two axes matters: grid of 3 x 3"]
    )
    trained = POINTS * (
        numbers["table, rate and dropout: 9 random"]
        - numbers["table, rate and dropout: grid of 3 x 3"]
    )
    alone = numbers["one axis: 9 random"] - numbers["one axis: grid of 9"]
    return (
        Criterion(
            "random search finds a higher value than a grid where one of two axes matters (mean "
            "difference)",
            gain,
            gain > 0,
        ),
        Criterion(
            "random search finds a higher accuracy than a grid over two axes of trained networks "
            "(mean difference in percentage points)",
            trained,
            trained > 0,
        ),
        Criterion(
            "random search has no advantage with a single axis (mean difference)",
            alone,
            alone <= 0,
            part_of_claim=False,
        ),
    )


def run_l58(settings: RandomSearchSettings) -> LabResult:
    rng, width = np.random.default_rng(0), settings.width
    centre = rng.uniform(0, 1, DRAWS)
    # The nine trials of a 3 x 3 grid have three different values on the axis that matters.
    grid = peak(np.broadcast_to(even_places(3), (DRAWS, 3)), centre, width).max(1)
    drawn = peak(rng.uniform(0, 1, (DRAWS, TRIALS)), centre, width).max(1)
    # On a single axis a grid of nine trials has nine different values.
    single = peak(np.broadcast_to(even_places(TRIALS), (DRAWS, TRIALS)), centre, width).max(1)
    table = landscape().final
    table_grid = best_of_grid(table, rng, DRAWS)
    table_random = best_of_random(table, rng, DRAWS, TRIALS)
    numbers = {
        "one of two axes matters: grid of 3 x 3": float(grid.mean()),
        "one of two axes matters: 9 random": float(drawn.mean()),
        "one of two axes matters: random at least as good": float((drawn >= grid).mean()),
        "one axis: grid of 9": float(single.mean()),
        "one axis: 9 random": float(drawn.mean()),
        "table, rate and dropout: grid of 3 x 3": float(table_grid.mean()),
        "table, rate and dropout: 9 random": float(table_random.mean()),
    }
    picture = distribution_figure(
        ((grid, GREY, "grid of 3 x 3"), (drawn, BLUE, "9 random")),
        "best value of a search",
        "Nine trials, one of two axes matters",
        "Random and grid",
    )
    return LabResult(numbers, random_search_criteria(numbers), picture, landscape_hashes(), (0,))


L58 = Lab(
    "L58",
    lab_texts()["L58"],
    run_l58,
    RandomSearchSettings(),
    lambda _: landscape_arms(),
    stops=("width", (0.05, 0.15, 0.3)),
)
