"""Criteria of L13 can fail; accuracies are those after each seed's own epochs."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.labs.rates.halving import accuracy_after, halving_criteria
from netwise.labs.stacked_training import Curve

GOOD = {
    "halved minus constant, points: mean": 0.5,
    "halved minus divided by 10, points: mean": -0.1,
    "halved minus constant, points: low": 0.3,
    "halved minus constant, a fifth, points: mean": 0.2,
}


@pytest.mark.parametrize(("place", "bad"), [(0, 0.1), (1, -0.3), (2, 0.0), (3, 0.1)])
def test_each_criterion_can_fail(place: int, bad: float) -> None:
    assert all(criterion.holds for criterion in halving_criteria(GOOD))
    changed = {**GOOD, list(GOOD)[place]: bad}
    assert [c.holds for c in halving_criteria(changed)] == [i != place for i in range(4)]


def test_each_seed_has_the_accuracy_after_its_own_epochs() -> None:
    curve = Curve((1, 4, 8), np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]), np.zeros((3, 2)))
    assert accuracy_after(curve, (4, 8)).tolist() == [0.3, 0.6]
    assert accuracy_after(curve, (9, 1)).tolist() == [0.5, 0.2]
