"""L61: tuning by hand, one setting at a time, against random search on trained networks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.tuning.landscape import (
    POINTS,
    Floats,
    landscape,
    landscape_arms,
    landscape_hashes,
)
from netwise.part import integer
from netwise.report.pictures.drawing import BLUE, GREEN, ORANGE, figure, svg, use_log_scale

Cell = tuple[int, ...]


@dataclass(frozen=True)
class HandSettings(LabSettings):
    """What can be varied in L61.

    Args:
        trials: of a search over four axes. Default 30.
        searches: by hand and at random. Default 300.
    """

    trials: int = integer(30, least=2, most=480, because="the table has 480 settings")
    searches: int = integer(300, least=10, most=5000, because="a mean over searches is judged")


def coordinate_search(table: Floats, rng: np.random.Generator, trials: int) -> list[float]:
    """Best so far after each trial of a search that changes one axis at a time to a neighbouring
    value and keeps what is better (hill climbing), from a random cell.

    At a local optimum it starts again from another random cell. A cell that was tried already
    costs no trial.
    """
    values: dict[Cell, float] = {}
    best: list[float] = []

    def value_at(cell: Cell) -> float:
        """The value of a cell; -1 for a new one after the last trial."""
        if cell not in values and len(best) < trials:
            values[cell] = float(table[cell])
            best.append(max(values[cell], best[-1]) if best else values[cell])
        return values.get(cell, -1.0)

    while len(best) < trials:
        cell = tuple(int(rng.integers(size)) for size in table.shape)
        value, moved = value_at(cell), True
        while moved and len(best) < trials:
            moved = False
            for axis, step in itertools.product(rng.permutation(table.ndim), (1, -1)):
                index = cell[axis] + step
                if 0 <= index < table.shape[axis]:
                    neighbour = (*cell[:axis], int(index), *cell[axis + 1 :])
                    if value_at(neighbour) > value:
                        cell, value, moved = neighbour, values[neighbour], True
    return best


def hand_tuning_criteria(numbers: Mapping[str, float]) -> tuple[Criterion, ...]:
    def gain(axes: int) -> float:
        return (
            numbers[f"{axes} axes: random"]
            - numbers[f"{axes} axes: babysitter, points below the best"]
        )

    return (
        Criterion(
            "tuning by hand is better than random search over two axes (percentage points)",
            gain(2),
            gain(2) > 0,
        ),
        Criterion(
            "tuning by hand is better than random search over four axes (percentage points)",
            gain(4),
            gain(4) > 0,
        ),
    )


def run_l61(settings: HandSettings) -> LabResult:
    table = landscape().final
    rng = np.random.default_rng(0)
    curves: dict[str, Floats] = {}
    numbers: dict[str, float] = {}
    for name, part, trials in (
        ("1 axis", table[:, 0, 2, 0], 5),
        ("2 axes", table[:, :, 2, 0], 12),
        ("4 axes", table, settings.trials),
    ):
        searches = settings.searches
        by_hand = np.array([coordinate_search(part, rng, trials) for _ in range(searches)])
        drawn = np.maximum.accumulate(rng.choice(part.ravel(), (searches, trials)), axis=1)
        regret_by_hand = POINTS * (part.max() - by_hand)
        regret_random = POINTS * (part.max() - drawn)
        curves[f"{name}, by hand"] = regret_by_hand.mean(0)
        curves[f"{name}, random"] = regret_random.mean(0)
        numbers |= {
            f"{name}: babysitter, points below the best": float(regret_by_hand[:, -1].mean()),
            f"{name}: random": float(regret_random[:, -1].mean()),
        }
    picture = _regret_by_trial(curves)
    return LabResult(numbers, hand_tuning_criteria(numbers), picture, landscape_hashes(), (0,))


def _regret_by_trial(curves: Mapping[str, Floats]) -> str:
    colours = (BLUE, BLUE, GREEN, GREEN, ORANGE, ORANGE)
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, values), colour in zip(curves.items(), colours, strict=True):
            style = "-" if name.endswith("by hand") else ":"
            trials = range(1, len(values) + 1)
            axis.plot(trials, values, color=colour, linestyle=style, label=name)
        use_log_scale(axis, "y", linear_below=1)
        axis.set_xlabel("trials")
        axis.set_ylabel("points below the best")
        axis.set_title("One axis at a time, and at random")
        axis.legend(fontsize=7)
        return svg(drawing, "Tuning by hand")


L61 = Lab(
    "L61",
    lab_texts()["L61"],
    run_l61,
    HandSettings(),
    arms=lambda _: landscape_arms(),
    stops=("trials", (10, 30, 100)),
)
