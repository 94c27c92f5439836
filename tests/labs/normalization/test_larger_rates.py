"""Steps and ranges of L30 on small numbers; its criteria can fail."""

from __future__ import annotations

import math

import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.normalization.larger_rates import best_rate, criteria, steps_to_target, usable


def test_steps_are_counted_to_the_crossing_of_90_percent() -> None:
    assert steps_to_target([0.5, 0.95], 100) == pytest.approx(100 + 100 * 0.4 / 0.45)
    assert steps_to_target([0.9], 100) == pytest.approx(100)
    assert steps_to_target([0.5, 0.89], 100) == math.inf


def test_a_rate_is_usable_where_every_seed_gets_there() -> None:
    steps = {
        0.1: [math.inf, 900.0],
        1.0: [300.0, 320.0],
        3.0: [100.0, 110.0],
        10.0: [90.0, math.inf],
    }
    assert usable(steps) == (1.0, 3.0)
    assert best_rate(steps) == 3.0
    assert usable({0.1: [math.inf]}) == (1.0, 1.0)


def test_the_criteria_can_fail() -> None:
    seen = {
        "steps plain / batch norm, low": 0.8,
        "steps plain / batch norm, mean": 1.2,
        "batch norm: usable rates, highest / lowest": 3.0,
        "plain: usable rates, highest / lowest": 3.0,
        "batch norm: highest usable rate": 3.0,
        "plain: highest usable rate": 3.0,
    }
    assert not any(criterion.holds for criterion in criteria(seen))
    right = {
        **seen,
        "steps plain / batch norm, mean": 2.0,
        "batch norm: usable rates, highest / lowest": 30.0,
        "batch norm: highest usable rate": 10.0,
    }
    assert LabResult({}, criteria(right), "").verdict == "confirmed"
