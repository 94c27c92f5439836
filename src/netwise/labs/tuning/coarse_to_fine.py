"""L60: a search from coarse to fine, with short trials first, against random search."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

import numpy as np

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.tuning.landscape import (
    EPOCHS,
    POINTS,
    Floats,
    distribution_figure,
    landscape,
    landscape_arms,
    landscape_hashes,
)
from netwise.report.pictures.drawing import BLUE, GREY, ORANGE
from netwise.searches.axes import Integer
from netwise.searches.methods import CoarseToFine
from netwise.searches.space import Point, Space
from netwise.searches.trial_record import TrialRecord

TRIALS, SEARCHES = 40, 200
AXES = ("rate", "penalty", "width", "dropout")


def cells_of(table: Floats) -> Space:
    """The cells of a table, (rates, penalties, widths, dropouts, epochs), as a space of indices."""
    sizes = zip(AXES, table.shape[:-1], strict=True)
    return Space(tuple(Integer(name, 0, size - 1) for name, size in sizes))


def coarse_to_fine(table: Floats, seed: int, trials: int = TRIALS) -> tuple[float, int]:
    """(best value of the last stage, epochs of all trials) of `CoarseToFine` over the table."""
    method, rng = CoarseToFine(shrink=3.4), np.random.default_rng(seed)
    space, longest = cells_of(table), table.shape[-1]
    records: list[TrialRecord] = []
    epochs = 0
    for number in range(method.stages):
        stage = method.stage(number, space, trials, longest, seed, records)
        length = stage.epochs or longest
        for _ in range(stage.trials):
            point: Point = {
                axis.name: axis.value_at(float(rng.random())) for axis in stage.space.axes
            }
            value = float(table[(*point.values(), length - 1)])
            records.append(TrialRecord(len(records), number, point, value))
            epochs += length
    last = method.stages - 1
    return max(record.value or 0.0 for record in records if record.stage == last), epochs


def coarse_to_fine_criteria(numbers: Mapping[str, float]) -> tuple[Criterion, ...]:
    best = numbers["coarse to fine: best, mean"]
    behind = POINTS * (numbers["random, as many trials: best, mean"] - best)
    ahead = POINTS * (best - numbers["random, as many epochs: best, mean"])
    cost = numbers["coarse to fine: epochs over random's"]
    return (
        Criterion(
            "coarse to fine is at most 0.3 percentage points behind as many full random trials",
            behind,
            behind <= 0.3,
        ),
        Criterion(
            "coarse to fine needs less than half of the epochs of full random trials (share)",
            cost,
            cost < 0.5,
        ),
        Criterion(
            "coarse to fine is better than random search with as many epochs (percentage points)",
            ahead,
            ahead > 0,
            part_of_claim=False,
        ),
    )


def run_l60(_: LabSettings) -> LabResult:
    table = landscape().values
    staged = [coarse_to_fine(table, seed) for seed in range(SEARCHES)]
    best = [value for value, _ in staged]
    cost = fmean(epochs for _, epochs in staged) / (TRIALS * EPOCHS)
    rng = np.random.default_rng(0)
    flat = table[..., -1].ravel()

    def random_best(trials: int) -> list[float]:
        return [float(rng.choice(flat, trials).max()) for _ in range(SEARCHES)]

    as_many_trials = random_best(TRIALS)
    as_many_epochs = random_best(max(1, round(cost * TRIALS)))
    numbers = {
        "coarse to fine: best, mean": fmean(best),
        "random, as many trials: best, mean": fmean(as_many_trials),
        "random, as many epochs: best, mean": fmean(as_many_epochs),
        "coarse to fine: epochs over random's": cost,
    }
    picture = distribution_figure(
        (
            (best, BLUE, f"coarse to fine, {100 * cost:.0f} % of the epochs"),
            (as_many_trials, GREY, "random"),
            (as_many_epochs, ORANGE, "random, at the same cost"),
        ),
        "best accuracy of a search",
        "From coarse to fine",
        "From coarse to fine",
    )
    seeds = tuple(range(SEARCHES))
    return LabResult(numbers, coarse_to_fine_criteria(numbers), picture, landscape_hashes(), seeds)


L60 = Lab("L60", lab_texts()["L60"], run_l60, arms=lambda _: landscape_arms())
