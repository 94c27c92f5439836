"""Random search and grids: expected best values in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.tuning.random_search import (
    best_of_grid,
    best_of_random,
    even_places,
    peak,
    random_search_criteria,
)


def test_a_peak_is_1_at_its_centre_and_falls_to_both_sides() -> None:
    values = peak(np.array([[0.2, 0.35, 0.05]]), np.array([0.2]))
    assert values[0] == pytest.approx([1.0, np.exp(-1), np.exp(-1)])


def test_even_places_are_middles() -> None:
    assert even_places(2).tolist() == [0.25, 0.75]


def table_of(rates: list[float]) -> np.ndarray:
    """(rates, 2, 2, 3): only the rate matters."""
    return np.broadcast_to(np.array(rates)[:, None, None, None], (len(rates), 2, 2, 3))


def test_a_grid_has_three_rates_at_distance_three() -> None:
    table = table_of([float(i) for i in range(10)])
    best = best_of_grid(table, np.random.default_rng(0), 400)
    assert set(best.tolist()) == {6.0, 7.0, 8.0, 9.0}  # offset 0 to 3
    assert best.mean() == pytest.approx(7.5, abs=0.2)


def test_random_trials_find_the_expected_maximum() -> None:
    table = table_of([0.0] * 9 + [1.0])
    best = best_of_random(table, np.random.default_rng(0), 2000, trials=9)
    assert best.mean() == pytest.approx(1 - 0.9**9, abs=0.04)  # four standard errors


NUMBERS = {
    "one of two axes matters: grid of 3 x 3": 0.7,
    "one of two axes matters: 9 random": 0.8,
    "one axis: grid of 9": 0.95,
    "one axis: 9 random": 0.8,
    "table, rate and dropout: grid of 3 x 3": 0.90,
    "table, rate and dropout: 9 random": 0.91,
}


def test_l58_is_refuted_where_the_grid_is_better() -> None:
    assert LabResult({}, random_search_criteria(NUMBERS), "", {}).verdict == "confirmed"
    worse = {**NUMBERS, "one of two axes matters: 9 random": 0.6}
    assert LabResult({}, random_search_criteria(worse), "", {}).verdict == "partly confirmed"
    worse["table, rate and dropout: 9 random"] = 0.85
    criteria = random_search_criteria(worse)
    assert LabResult({}, criteria, "", {}).verdict == "refuted"
    assert criteria[1].value == pytest.approx(-5)  # percentage points
