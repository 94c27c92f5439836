"""Names of classes and amounts among targets that are whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs

from netwise.observe.class_order import class_order
from netwise.observe.data_sample import DataSample
from netwise.observe.simple_models import Rows

DRAW = np.random.default_rng(0)


def order_of(x: Rows, y: Rows) -> float | None:
    return class_order(DataSample(x, None, y[:, None].astype(float), False, tuple(range(len(y)))))


def test_digits_have_no_order() -> None:
    digits = load_digits()
    found = order_of(digits.data[::20], digits.target[::20])
    assert found is not None
    assert found > 0.9


@pytest.mark.parametrize("kinds", [5, 8, 20])
def test_amounts_have_one(kinds: int) -> None:
    x = DRAW.normal(size=(600, 2))
    y = np.clip(np.floor((x.sum(1) / 2 + 1) * kinds / 2), 0, kinds - 1)
    found = order_of(x, y)
    assert found is not None
    assert found < 0.7


@pytest.mark.parametrize(
    "y",
    [
        DRAW.integers(10, size=200),  # that nothing tells
        DRAW.integers(3, size=200),
        2 * DRAW.integers(8, size=200),
        DRAW.normal(size=200),
    ],
    ids=["noise", "three", "gaps", "numbers"],
)
def test_of_other_targets_it_is_not_known(y: Rows) -> None:
    assert order_of(DRAW.normal(size=(200, 3)), y) is None


def test_classes_that_lie_apart_tell_nothing() -> None:
    x, y = make_blobs(200, 8, centers=6, cluster_std=0.1, random_state=0)
    assert order_of(x, y) is None
