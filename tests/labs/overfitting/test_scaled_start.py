"""Criteria of L10 can fail."""

from __future__ import annotations

import pytest

from netwise.labs.overfitting.scaled_start import ScaledSettings, scaled_criteria, start_arms

GOOD = {
    "30 units, ahead after epoch 1, points: mean": 6.0,
    "30 units, ahead after the last epoch, points: mean": 0.4,
    "30 units, ahead after the last epoch, points: low": -0.1,
    "100 units, ahead after the last epoch, points: low": 0.3,
}


@pytest.mark.parametrize(("place", "bad"), [(0, 4.0), (1, 1.0), (2, 0.1), (3, 0.0)])
def test_each_criterion_can_fail(place: int, bad: float) -> None:
    assert all(criterion.holds for criterion in scaled_criteria(GOOD))
    changed = {**GOOD, list(GOOD)[place]: bad}
    assert [c.holds for c in scaled_criteria(changed)] == [i != place for i in range(4)]


def test_lambda_grows_with_the_images() -> None:
    arms = start_arms(ScaledSettings(images=50_000))
    assert len(arms) == 4
    for recipe in arms.values():
        assert recipe.penalty is not None
        assert recipe.penalty.strength == pytest.approx(5 / 50_000)  # type: ignore[attr-defined]
