"""Rises and late falls of costs as by hand, and criteria of L11 that can fail."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.labs.rates.three_rates import late_fall, rates_criteria, rises

GOOD = {
    "rate 0.025: rises of the cost": 0.2,
    "rate 0.25: rises of the cost": 9.0,
    "rate 2.5: rises of the cost": 13.0,
    "rate 0.25: final cost": 0.3,
    "rate 2.5: final cost": 0.8,
    "rate 0.25: share of the fall in the last third": 0.01,
    "rate 0.25: test accuracy, %": 96.0,
    "rate 0.025: test accuracy, %": 95.0,
}


@pytest.mark.parametrize(
    ("name", "bad", "place"),
    [
        ("rate 0.025: rises of the cost", 1.2, 0),
        ("rate 0.25: rises of the cost", 4.0, 1),
        ("rate 2.5: rises of the cost", 7.0, 2),
        ("rate 2.5: final cost", 0.6, 3),
        ("rate 0.25: share of the fall in the last third", 0.2, 4),
        ("rate 0.25: test accuracy, %", 94.0, 5),
    ],
)
def test_each_criterion_can_fail(name: str, bad: float, place: int) -> None:
    assert all(criterion.holds for criterion in rates_criteria(GOOD))
    holds = [criterion.holds for criterion in rates_criteria({**GOOD, name: bad})]
    assert holds == [i != place for i in range(6)]


def test_rises_are_counted_for_each_seed() -> None:
    costs = np.array([[3.0, 1.0], [2.0, 2.0], [2.5, 1.0], [1.0, 3.0]])
    assert rises(costs).tolist() == [1, 2]


def test_the_late_fall_is_a_share_of_the_whole_fall() -> None:
    costs = np.array([[10.0], [5.0], [6.0], [4.0], [3.0], [2.0]])
    assert late_fall(costs) == pytest.approx([(4 - 2) / (10 - 2)])
