"""Criteria of L03 and L04 can fail, and epochs are read from curves as by hand."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.labs.digit_networks import sparse_epochs
from netwise.labs.overfitting.thousand_images import (
    first_at,
    late_gain,
    overfitting_criteria,
    penalty_criteria,
)
from netwise.labs.stacked_training import Curve

OVERFIT = {
    "best test accuracy, %: mean": 82.5,
    "epoch of the lowest test cost: lowest": 12.0,
    "epoch of the lowest test cost: highest": 17.0,
    "epoch at which all training images are right: highest": 90.0,
    "gain in the last 30 % of the epochs, points: highest": 0.2,
    "final test cost / lowest: lowest": 1.5,
}
PENALTY = {
    "gain of L2, points: lowest": 4.0,
    "L2: best test accuracy, %: mean": 87.7,
    "gain of L2 after the last epoch, points: low": 4.0,
}
CURVE = Curve(
    (1, 2, 3, 10), np.array([[0.5, 0.2], [1.0, 0.3], [0.9, 0.6], [0.8, 0.7]]), np.zeros((4, 2))
)


@pytest.mark.parametrize(
    ("name", "bad", "place"),
    [
        ("best test accuracy, %: mean", 80.0, 0),
        ("epoch of the lowest test cost: lowest", 9.0, 1),
        ("epoch of the lowest test cost: highest", 21.0, 1),
        ("epoch at which all training images are right: highest", 120.0, 2),
        ("gain in the last 30 % of the epochs, points: highest", 0.5, 3),
        ("final test cost / lowest: lowest", 1.1, 4),
    ],
)
def test_each_criterion_of_overfitting_can_fail(name: str, bad: float, place: int) -> None:
    assert all(criterion.holds for criterion in overfitting_criteria(OVERFIT))
    holds = [criterion.holds for criterion in overfitting_criteria({**OVERFIT, name: bad})]
    assert holds == [i != place for i in range(5)]


@pytest.mark.parametrize(("place", "bad"), [(0, 3.0), (1, 88.6), (2, 2.9)])
def test_each_criterion_of_the_penalty_can_fail(place: int, bad: float) -> None:
    assert all(criterion.holds for criterion in penalty_criteria(PENALTY))
    changed = {**PENALTY, list(PENALTY)[place]: bad}
    holds = [criterion.holds for criterion in penalty_criteria(changed)]
    assert holds == [i != place for i in range(3)]


def test_the_first_epoch_with_an_accuracy_is_that_of_the_curve() -> None:
    assert first_at(CURVE, 0.9) == [2.0, 11.0]  # the second seed never has it


def test_the_late_gain_is_that_over_the_best_of_the_first_70_percent() -> None:
    assert late_gain(CURVE) == pytest.approx([0.0, 10.0])


def test_sparse_epochs_have_the_last_one() -> None:
    assert sparse_epochs(5, dense=9, every=2) == [1, 2, 3, 4, 5]
    assert sparse_epochs(11, dense=2, every=5) == [1, 2, 5, 10, 11]
