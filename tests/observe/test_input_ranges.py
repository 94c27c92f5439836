"""Evaluated inputs beyond training, and numbers that mark missing values."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from netwise.observe.input_ranges import beyond_training, missing_marks
from netwise.observe.kept_batches import KeptBatch

X = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))


def kept(x: Tensor) -> list[KeptBatch]:
    return [KeptBatch((part,), {}, rows=len(part)) for part in x.split(50)]


def marked(every: int, value: float) -> Tensor:
    x = X.clone()
    x[::every, 1] = value
    return x


def test_numbers_beyond_the_range_of_training() -> None:
    assert beyond_training(kept(X), kept(X + 20)) == 1.0
    moved = X.clone()
    moved[:, 0] += 20
    assert beyond_training(kept(X), kept(moved)) == pytest.approx(1 / 3)
    assert beyond_training(kept(X), kept(X)) == 0.0
    assert beyond_training(kept(X[:, :1]), kept(X[:, :1] + 20)) is None  # such as a time
    assert beyond_training(kept(X), []) is None


def test_a_number_that_marks_missing_values() -> None:
    found = missing_marks(kept(marked(25, -999)))
    assert found is not None
    assert found[:2] == (1, pytest.approx(0.04))
    standard = marked(25, -999)
    standard = (standard - standard.mean(0)) / standard.std(0)
    assert missing_marks(kept(standard)) is not None


@pytest.mark.parametrize(
    "x",
    [
        X,
        (X > 1.5).float(),  # rare kinds: nothing varies beside them
        marked(2, -999),  # as often as not
        marked(25, -2.5),  # within the range of the others
        marked(400, -999),  # a single outlier
        torch.where(X > 0.5, X.exp() * 50, 0.0),  # amounts that are mostly 0
    ],
)
def test_features_without_such_a_mark(x: Tensor) -> None:
    assert missing_marks(kept(x)) is None
