"""Rows of kept batches with their targets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from netwise.observe.data_sample import DataSample, products, sample_of
from netwise.observe.kept_batches import KeptBatch

G = torch.Generator().manual_seed(0)
X = torch.randn(40, 5, generator=G)
Y = torch.arange(40) % 4


def batch(x: Tensor, y: Tensor | None, operation: str = "cross entropy") -> KeptBatch:
    return KeptBatch((x,), {}, y, operation, rows=len(x))


def sampled(*batches: KeptBatch) -> DataSample:
    sample = sample_of(batches)
    assert isinstance(sample, DataSample)
    return sample


def test_rows_are_joined_and_repeated_ones_left_out() -> None:
    sample = sampled(batch(X[:20], Y[:20]), batch(X[10:40], Y[10:40]))
    assert len(sample) == 40
    assert sample.is_class
    assert sample.numbers is not None
    order = [int((torch.tensor(row) == X.double()).all(1).nonzero()) for row in sample.numbers]
    assert sorted(order) == list(range(40))
    assert sample.target.argmax(1).tolist() == Y[order].tolist()


def test_ignored_classes_are_left_out() -> None:
    sample = sampled(batch(X, torch.where(Y == 1, -100, Y)))
    assert len(sample) == 30


@pytest.mark.parametrize(
    ("target", "is_class", "width"),
    [
        (torch.randn(40, 1, generator=G), False, 1),
        (torch.randn(40, generator=G), False, 1),
        (torch.randn(40, 3, generator=G), False, 3),
        (torch.eye(4)[Y], True, 4),
        ((Y > 1).float()[:, None], True, 2),
    ],
    ids=["column", "numbers", "columns", "one-hot", "yes or no"],
)
def test_targets_are_classes_or_numbers(target: Tensor, is_class: bool, width: int) -> None:
    sample = sampled(batch(X, target, "squared error"))
    assert (sample.is_class, sample.target.shape) == (is_class, (40, width))


@pytest.mark.parametrize(
    ("batches", "reason"),
    [
        ([batch(X, None)], "the targets of no batch are known"),
        ([batch(X, X, "squared error")], "the targets are the inputs"),
        ([batch(X, torch.zeros(40, 6, 6).long())], "for each row"),
        ([batch(X[:20], torch.zeros(40).long())], "the same number of rows"),
    ],
    ids=["no targets", "autoencoder", "pictures", "flattened"],
)
def test_reasons_why_there_is_no_sample(batches: list[KeptBatch], reason: str) -> None:
    found = sample_of(batches)
    assert isinstance(found, str)
    assert reason in found


def test_tokens_are_symbols() -> None:
    tokens = torch.randint(0, 50, (40, 6), generator=G)
    sample = sampled(batch(tokens, Y))
    assert sample.numbers is None
    assert sample.symbols is not None
    values = products(sample)
    assert values.shape == (40, 40)
    assert np.diag(values).mean() == pytest.approx(1.0)


def test_a_large_sample_has_rows_of_all_parts() -> None:
    many = torch.arange(5000.0)[:, None].repeat(1, 3)
    sample = sample_of([batch(many, torch.zeros(5000).long())], most=100)
    assert isinstance(sample, DataSample)
    assert sample.numbers is not None
    assert len(sample) == 100
    assert sample.numbers[0, 0] < 60
    assert sample.numbers[-1, 0] > 4900
