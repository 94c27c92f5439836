"""Features that number the rows."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.observe.data_sample import DataSample
from netwise.observe.row_numbers import row_numbers
from netwise.observe.simple_models import Rows

DRAW = np.random.default_rng(0)
NUMBER = np.arange(200.0)
NOISE = DRAW.normal(size=(200, 3))
CLASSES = np.eye(4)[np.arange(200) // 50]


def sample(first: Rows, rows: Rows | None = None, is_class: bool = True) -> DataSample:
    """Some rows of a table with this first feature."""
    chosen = np.arange(200) if rows is None else rows
    x = np.concatenate([first[:, None], NOISE], 1)[chosen]
    return DataSample(x, None, CLASSES[chosen], is_class, tuple(chosen.tolist()))


@pytest.mark.parametrize("unit", [1.0, 10.0, 1 / 57.7])
def test_numbers_of_drawn_rows_are_found_in_any_unit(unit: float) -> None:
    drawn = DRAW.permutation(200)[:120]
    scaled = ((NUMBER - 99.5) * unit).astype(np.float32).astype(np.float64)
    found = row_numbers(sample(scaled, drawn))
    assert found is not None
    assert found.feature == 0
    assert found.alone > 0.9
    assert found.others < 0.6


@pytest.mark.parametrize(
    "first", [NUMBER // 2, DRAW.normal(size=200), NUMBER**2, DRAW.permutation(10_000)[:200] * 1.0],
    ids=["twice each", "measured", "uneven", "sparse"],
)  # fmt: skip
def test_other_features(first: Rows) -> None:
    assert row_numbers(sample(first)) is None


def test_targets_that_are_numbers_may_depend_on_a_place() -> None:
    assert row_numbers(sample(NUMBER, is_class=False)) is None
