"""Evaluated rows that were scaled by numbers of their own, and others."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from netwise.observe.own_scale import FEWEST_ROWS, MOMENTS, RANGE, OwnScale


def rows(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 3 + 2


def to_range(x: Tensor, by: Tensor) -> Tensor:
    return (x - by.amin(0)) / (by.amax(0) - by.amin(0))


def kind(x: Tensor, batch: int = 16) -> str:
    own = OwnScale()
    for part in x.split(batch):
        own.add(part)
    return own.kind


def test_rows_that_were_scaled_by_themselves() -> None:
    x = rows(0, 60, 4)
    assert kind(to_range(x, x)) == RANGE
    for correction in (0, 1):
        assert kind((x - x.mean(0)) / x.std(0, correction=correction)) == MOMENTS
    with_marks = torch.cat([to_range(x, x), (x[:, :2] > 2).float(), torch.ones(60, 1)], 1)
    assert kind(with_marks) == RANGE  # marks of a category and a constant beside numbers


def test_rows_that_were_scaled_with_others() -> None:
    training, x = rows(1, 300, 4), rows(2, 60, 4)
    both = torch.cat([training, x])
    assert kind(to_range(x, training)) == kind(to_range(x, both)) == ""
    assert kind((x - training.mean(0)) / training.std(0)) == ""
    assert kind((x - both.mean(0)) / both.std(0)) == ""


@pytest.mark.parametrize(
    "x",
    [
        (rows(3, 60, 8) > 2).float(),  # marks
        (rows(3, 60, 8).clamp(0, 4) / 4).round(decimals=1),  # as pixels
        to_range(rows(3, FEWEST_ROWS - 1, 4), rows(3, FEWEST_ROWS - 1, 4)),
        to_range(rows(3, 60, 2), rows(3, 60, 2)),  # chance, with two features
        rows(3, 60, 4).long(),
        rows(3, 60, 2, 2),
        torch.ones(60, 4),
    ],
    ids=["marks", "pixels", "few", "two", "whole", "axes", "constant"],
)
def test_rows_that_say_nothing(x: Tensor) -> None:
    assert kind(x) == ""


def test_other_batches_end_the_comparison() -> None:
    x = rows(4, 60, 4)
    own = OwnScale()
    own.add(to_range(x, x))
    own.add(rows(4, 60, 5))
    assert own.kind == ""
