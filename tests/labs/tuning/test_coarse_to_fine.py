"""The search from coarse to fine over a table: its cost by hand, its best value by construction."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.tuning.coarse_to_fine import cells_of, coarse_to_fine, coarse_to_fine_criteria
from netwise.searches.methods import CoarseToFine


def table_of(epochs: int = 12) -> np.ndarray:
    """(10, 4, 4, 3, epochs): a smooth hill whose top is at rate 5; longer training is better."""
    rate = np.exp(-(((np.arange(10) - 5) / 3) ** 2))[:, None, None, None, None]
    length = (np.arange(epochs) + 1) / epochs
    return np.broadcast_to(rate * length, (10, 4, 4, 3, epochs)).copy()


def test_the_space_has_an_index_for_each_cell() -> None:
    space = cells_of(table_of())
    assert [axis.name for axis in space.axes] == ["rate", "penalty", "width", "dropout"]
    assert [axis.value_at(0.999) for axis in space.axes] == [9, 3, 3, 2]


def test_the_cost_is_that_of_the_stages() -> None:
    method, table = CoarseToFine(shrink=3.4), table_of()
    best, epochs = coarse_to_fine(table, 0, trials=40)
    stages = [method.stage(i, cells_of(table), 40, 12, 0, []) for i in range(method.stages)]
    assert epochs == sum(stage.trials * (stage.epochs or 12) for stage in stages)
    assert epochs < 40 * 12 / 2
    assert 0 < best <= 1


def test_later_stages_search_near_the_top() -> None:
    best = [coarse_to_fine(table_of(), seed, trials=40)[0] for seed in range(10)]
    assert np.mean(best) > 0.99  # the top row is 1, its neighbours exp(-1/9) = 0.89


NUMBERS = {
    "coarse to fine: best, mean": 0.92,
    "random, as many trials: best, mean": 0.922,
    "random, as many epochs: best, mean": 0.91,
    "coarse to fine: epochs over random's": 0.3,
}


def test_l60_is_refuted_where_it_is_far_behind_and_dear() -> None:
    assert LabResult({}, coarse_to_fine_criteria(NUMBERS), "", {}).verdict == "confirmed"
    behind = {**NUMBERS, "coarse to fine: best, mean": 0.90}
    criteria = coarse_to_fine_criteria(behind)
    assert [criterion.holds for criterion in criteria] == [False, True, False]
    assert criteria[0].value == pytest.approx(2.2)
    dear = {**behind, "coarse to fine: epochs over random's": 0.9}
    assert LabResult({}, coarse_to_fine_criteria(dear), "", {}).verdict == "refuted"
