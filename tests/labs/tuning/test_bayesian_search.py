"""Searches over a table: every cell is one trial, and regret falls to 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.tuning.bayesian_search import bayesian_criteria, best_so_far, regrets, samplers

TABLE = np.arange(12.0).reshape(4, 3) / 12


class InOrder(optuna.samplers.BaseSampler):
    """Cells (0, 0), (0, 1), ... of the table."""

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> int:
        return int(np.unravel_index(trial.number, TABLE.shape)[name == "axis1"])


def test_a_trial_has_the_value_of_its_cell() -> None:
    assert best_so_far(TABLE, InOrder(), 12) == TABLE.ravel().tolist()
    assert best_so_far(-TABLE, InOrder(), 12) == [0.0] * 12  # the first cell stays the best


@pytest.mark.parametrize("method", ["random", "Bayesian (TPE)", "Bayesian (GP)"])
def test_regret_is_in_percentage_points_and_never_rises(method: str) -> None:
    searches = regrets(TABLE, samplers()[method], searches=2, trials=12)
    assert searches.shape == (2, 12)
    assert (np.diff(searches) <= 0).all()
    assert (searches >= 0).all()
    cells = 100 * (TABLE.max() - TABLE.ravel())
    assert all(np.isclose(cells, value).any() for value in searches.ravel())
    again = regrets(TABLE, samplers()[method], searches=2, trials=12)
    assert np.array_equal(searches, again)


def test_l59_is_refuted_where_random_search_leads() -> None:
    falling, flat = np.linspace(3, 0, 30), np.full(30, 1.0)

    def verdict(random: np.ndarray, tpe: np.ndarray, gp: np.ndarray) -> str:
        median = {"random": random, "Bayesian (TPE)": tpe, "Bayesian (GP)": gp}
        return LabResult({}, bayesian_criteria(median), "", {}).verdict

    assert verdict(falling + 1, falling, falling) == "confirmed"
    assert verdict(falling, flat * 9, falling) == "partly confirmed"
    assert verdict(falling, falling + 1, flat * 9) == "refuted"
    early = falling.copy()
    early[:14] += 5  # worse, but before trial 15
    assert verdict(falling + 0.1, early, early) == "confirmed"
