"""Criteria of L78 can fail."""

from __future__ import annotations

from netwise.labs.overfitting.more_data import least_lead, more_data_criteria, order

CURVES = {
    "SVM": {100: 70.0, 1000: 90.0},
    "MLP": {100: 68.0, 1000: 91.0, 10_000: 95.0},
    "CNN": {100: 75.0, 1000: 94.0},
}


def test_each_criterion_can_fail() -> None:
    assert [c.holds for c in more_data_criteria(CURVES)] == [True, True, True]
    better = {**CURVES, "SVM": {100: 70.0, 1000: 95.5}}
    assert [c.holds for c in more_data_criteria(better)] == [False, True, True]
    best = {**CURVES, "CNN": {100: 92.0, 1000: 94.0}}
    assert [c.holds for c in more_data_criteria(best)] == [True, False, True]
    same = {**CURVES, "SVM": {100: 67.0, 1000: 90.0}}
    assert [c.holds for c in more_data_criteria(same)] == [True, True, False]


def test_the_lead_is_the_least_of_all_sizes() -> None:
    assert least_lead(CURVES, "SVM") == 5.0
    assert order(CURVES, 100) == ["MLP", "SVM", "CNN"]
