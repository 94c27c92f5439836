"""Paths and signs of L38 against plain descent, and its criteria can fail."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.normalization.positive_inputs import agreement, criteria, descend, detour

RIGHT = np.random.default_rng(3).standard_normal((2, 4))


def test_each_step_is_the_rate_times_the_gradient() -> None:
    done = descend(RIGHT, 0.5, 3)
    assert np.diff(done.weights, axis=0) == pytest.approx(-done.rate * done.gradients, abs=1e-9)
    end = np.linalg.norm(done.weights[-1] - RIGHT, axis=1)
    assert (end <= 0.05 * np.linalg.norm(RIGHT, axis=1)).all()


def test_the_first_gradient_is_that_of_the_squared_error() -> None:
    rng = np.random.default_rng(0)
    centred = rng.uniform(-0.5, 0.5, (3, 2, 4))
    targets = (centred * RIGHT).sum(2)  # the unit answers 0
    expected = -(targets[:, :, None] * (centred + 0.5)).mean(0)
    assert descend(RIGHT, 0.5, 3).gradients[0] == pytest.approx(expected)


def test_agreement_is_the_share_of_the_majority() -> None:
    assert agreement(np.array([[1.0, 2.0, -1.0, 3.0], [-1.0, -1.0, -2.0, -3.0]])) == 0.875


def test_a_straight_path_has_no_detour() -> None:
    straight = np.linspace([[0.0, 0.0]], [[3.0, 4.0]], 7)
    assert detour(straight) == pytest.approx(1)
    corner = np.array([[[0.0, 0.0]], [[3.0, 0.0]], [[3.0, 4.0]]])
    assert detour(corner) == pytest.approx(7 / 5)


def test_the_criteria_can_fail() -> None:
    numbers = {
        "positive: agreement of signs": 0.6,
        "positive, batches of 64: agreement of signs": 1.0,
        "positive: path / straight": 2.0,
        "centred: path / straight": 2.0,
        "positive: steps": 100.0,
        "centred: steps": 100.0,
    }
    assert not any(criterion.holds for criterion in criteria(numbers))
    right = {**numbers, "positive: agreement of signs": 1.0, "positive: path / straight": 3.0}
    assert LabResult({}, criteria(right), "").verdict == "confirmed"
