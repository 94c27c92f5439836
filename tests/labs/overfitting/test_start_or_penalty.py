"""Criteria of L68 and L89 can fail, and the interval of a ratio of spreads is that of F."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from netwise.labs.overfitting.start_or_penalty import (
    alike_criteria,
    spread_ratio,
    start_arms,
    start_criteria,
)
from netwise.labs.overfitting.thousand_settings import StartOrPenaltySettings

ALIKE = {
    "L2 / no penalty: ratio": 0.4,
    "L2 / no penalty: high": 0.9,
    "scaled start / no penalty: ratio": 0.3,
}
START = {
    "gain of lambda 0.1 under N(0, 1), points: mean": 5.0,
    "gain of lambda 0.1 under 1 / sqrt(n), points: mean": 0.1,
    "1 / sqrt(n) alone minus N(0, 1) with lambda 0.1, points: low": -0.2,
    "best gain of lambda 0.1, 1 or 3 under 1 / sqrt(n), points": 1.0,
}


@pytest.mark.parametrize(("place", "bad"), [(0, 0.6), (1, 1.0), (2, 0.7)])
def test_each_criterion_of_alike_runs_can_fail(place: int, bad: float) -> None:
    assert all(criterion.holds for criterion in alike_criteria(ALIKE))
    changed = {**ALIKE, list(ALIKE)[place]: bad}
    assert [c.holds for c in alike_criteria(changed)] == [i != place for i in range(3)]


@pytest.mark.parametrize(("place", "bad"), [(0, 3.0), (1, 0.7), (2, -0.6), (3, 1.6)])
def test_each_criterion_of_the_start_can_fail(place: int, bad: float) -> None:
    assert all(criterion.holds for criterion in start_criteria(START))
    changed = {**START, list(START)[place]: bad}
    assert [c.holds for c in start_criteria(changed)] == [i != place for i in range(4)]


def test_the_interval_of_a_ratio_covers_the_true_one_in_95_of_100_samples() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        _, low, high = spread_ratio(rng.normal(0, 2, 6).tolist(), rng.normal(0, 1, 6).tolist())
        inside += low < 2 < high
    assert stats.binomtest(inside, 400, 0.95).pvalue > 0.001


def test_arms_differ_in_the_start_and_in_lambda_alone() -> None:
    arms = start_arms(StartOrPenaltySettings())
    first = arms["N(0, 1)"]
    assert (
        len({recipe.but(init=first.init, penalty=None, epochs=1) for recipe in arms.values()}) == 1
    )
    assert len({recipe.hash for recipe in arms.values()}) == len(arms)
