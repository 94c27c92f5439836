"""Intervals beside scipy's, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from netwise.intervals import of_folds, of_mean, wilson


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_is_scipys(case: tuple[int, int]) -> None:
    right, n = case
    expected = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    low, high = wilson(right, n)
    assert low == pytest.approx(expected.low, abs=1e-6)
    assert high == pytest.approx(expected.high, abs=1e-6)
    assert low <= right / n <= high


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12))
def test_the_interval_is_scipys(gains: list[float]) -> None:
    mean, low, high = of_mean(gains)
    if max(gains) - min(gains) < 1e-9:
        assert low == pytest.approx(high, abs=1e-8)
        return
    expected = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert low <= mean <= high


def test_the_interval_of_folds_holds_the_truth_where_students_does_not() -> None:
    """Values of folds that share a part, as those of one dealing do: correlated by 1 / folds, the
    model behind the correction."""
    rng, folds, rounds = np.random.default_rng(0), 10, 3000
    held = {of_mean: 0, of_folds: 0}
    for _ in range(rounds):
        values = (
            rng.normal() * np.sqrt(1 / folds) + rng.normal(size=folds) * np.sqrt(1 - 1 / folds)
        ).tolist()
        for name, (_, low, high) in {
            of_mean: of_mean(values),
            of_folds: of_folds(values, folds),
        }.items():
            held[name] += low <= 0 <= high
    assert held[of_folds] / rounds == pytest.approx(0.95, abs=0.015)
    assert held[of_mean] / rounds < 0.9
