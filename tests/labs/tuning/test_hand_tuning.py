"""One axis at a time: known paths on tables with one hill and with two."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.tuning.hand_tuning import coordinate_search, hand_tuning_criteria


def test_on_one_hill_it_climbs_to_the_top() -> None:
    rows, columns = np.meshgrid(np.arange(6), np.arange(5), indexing="ij")
    table = -np.abs(rows - 4.0) - np.abs(columns - 1.0)
    for seed in range(20):
        best = coordinate_search(table, np.random.default_rng(seed), trials=30)
        assert len(best) == 30
        assert best == sorted(best)
        assert best[-1] == 0.0


def test_each_trial_is_a_new_cell() -> None:
    """As many trials as cells find the best cell wherever it is."""
    for seed in range(20):
        table = np.random.default_rng(seed).permutation(12).reshape(4, 3).astype(float)
        best = coordinate_search(table, np.random.default_rng(seed), trials=12)
        assert best[-1] == 11.0
        assert best[0] in table


def test_from_a_local_optimum_it_starts_again() -> None:
    table = np.array([3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0])
    best = [coordinate_search(table, np.random.default_rng(s), 7)[-1] for s in range(20)]
    assert set(best) == {5.0}


def test_the_first_trial_is_a_random_cell() -> None:
    table = np.arange(100.0).reshape(10, 10)
    first = [coordinate_search(table, np.random.default_rng(s), 1)[0] for s in range(300)]
    assert np.mean(first) == pytest.approx(49.5, abs=7)  # four standard errors


def test_l61_is_refuted_where_random_search_is_better() -> None:
    by_hand = "axes: babysitter, points below the best"
    numbers = {f"2 {by_hand}": 0.4, "2 axes: random": 0.6, f"4 {by_hand}": 0.2, "4 axes: random": 1}
    assert LabResult({}, hand_tuning_criteria(numbers), "", {}).verdict == "confirmed"
    numbers |= {"2 axes: random": 0.3}
    assert LabResult({}, hand_tuning_criteria(numbers), "", {}).verdict == "partly confirmed"
    numbers |= {"4 axes: random": 0.1}
    assert LabResult({}, hand_tuning_criteria(numbers), "", {}).verdict == "refuted"
