"""L60: a search from coarse to fine, with short trials first, against random search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from netwise.part import integer
from netwise.report.pictures.drawing import BLUE, GREY, ORANGE
from netwise.searches.axes import Integer
from netwise.searches.methods import CoarseToFine
from netwise.searches.space import Point, Space
from netwise.searches.trial_record import TrialRecord

AXES = ("rate", "penalty", "width", "dropout")


@dataclass(frozen=True)
class StagedSettings(LabSettings):
    """What can be varied in L60.

    Args:
        trials: of a search, in all stages together. Default 40.
        searches: with each method. Default 200.
    """

    trials: int = integer(40, least=6, most=400, because="each of three stages has trials")
    searches: int = integer(200, least=10, most=5000, because="a mean over searches is judged")


def cells_of(table: Floats) -> Space:
    """The cells of a table, (rates, penalties, widths, dropouts, epochs), as a space of indices."""
    sizes = zip(AXES, table.shape[:-1], strict=True)
    return Space(tuple(Integer(name, 0, size - 1) for name, size in sizes))


def coarse_to_fine(table: Floats, seed: int, trials: int = 40) -> tuple[float, int]:
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


def run_l60(settings: StagedSettings) -> LabResult:
    table, trials, searches = landscape().values, settings.trials, range(settings.searches)
    staged = [coarse_to_fine(table, seed, trials) for seed in searches]
    best = [value for value, _ in staged]
    cost = fmean(epochs for _, epochs in staged) / (trials * EPOCHS)
    rng = np.random.default_rng(0)
    flat = table[..., -1].ravel()

    def random_best(draws: int) -> list[float]:
        return [float(rng.choice(flat, draws).max()) for _ in searches]

    as_many_trials = random_best(trials)
    as_many_epochs = random_best(max(1, round(cost * trials)))
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
    criteria = coarse_to_fine_criteria(numbers)
    return LabResult(numbers, criteria, picture, landscape_hashes(), tuple(searches))


L60 = Lab(
    "L60",
    lab_texts()["L60"],
    run_l60,
    StagedSettings(),
    arms=lambda _: landscape_arms(),
    stops=("trials", (12, 20, 40)),
)
