"""Targets that simple models predict better in another form, and others."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.observe.data_sample import DataSample
from netwise.observe.simple_models import Rows
from netwise.observe.target_forms import in_order, round_a_circle

DRAW = np.random.default_rng(0)
POINTS = DRAW.uniform(size=(240, 4))
ANGLES = DRAW.uniform(0, 2 * np.pi, size=(240, 1))
ON_CIRCLE = np.concatenate([np.cos(ANGLES), np.sin(ANGLES)], 1)


def sample(x: Rows, y: Rows, is_class: bool = False) -> DataSample:
    return DataSample(x, None, y, is_class, tuple(range(len(y))))


def shuffled(points: Rows, size: int) -> Rows:
    """Groups of columns in an order that is drawn for each row."""
    groups = points.reshape(len(points), -1, size).copy()
    for row in groups:
        DRAW.shuffle(row)
    return groups.reshape(points.shape)


def shown(points: Rows, size: int) -> Rows:
    """What an input shows of groups without an order: sums of the same functions of each."""
    groups = points.reshape(len(points), -1, size)
    both = groups * groups[:, :, ::-1]
    parts = [groups, groups**2, both, groups * both, np.sin(5 * groups), np.sin(9 * groups)]
    return np.concatenate([part.sum(1) for part in parts], 1)


@pytest.mark.parametrize("size", [1, 2])
def test_groups_without_an_order_are_predicted_once_they_are_sorted(size: int) -> None:
    points = POINTS[:, : 2 * size]
    found = in_order(sample(shown(points, size), shuffled(points, size)))
    assert found is not None
    assert found.detail == size
    assert found.score > 0.5


def test_columns_that_stand_for_different_things_are_not_sorted() -> None:
    assert in_order(sample(POINTS, POINTS[:, :2] * [1.0, 30.0])) is None
    assert in_order(sample(POINTS, POINTS[:, :1])) is None
    assert in_order(sample(POINTS, np.eye(4)[DRAW.integers(0, 4, 240)], is_class=True)) is None


@pytest.mark.parametrize("unit", [1.0, 180 / np.pi, 1 / (2 * np.pi)])
def test_angles_are_predicted_on_a_circle(unit: float) -> None:
    found = round_a_circle(sample(ON_CIRCLE, ANGLES * unit))
    assert found is not None
    assert found.score > 0.95
    assert found.share > 0.15
    assert found.detail == pytest.approx(2 * np.pi * unit, rel=0.05)


def test_the_ends_of_a_line_do_not_meet() -> None:
    along = round_a_circle(sample(ANGLES, ANGLES))
    assert along is not None
    assert along.share == 0
    noise = round_a_circle(sample(POINTS, ANGLES))
    assert noise is not None
    assert noise.score < 0.1
    assert round_a_circle(sample(ANGLES, np.round(ANGLES))) is None  # few values
