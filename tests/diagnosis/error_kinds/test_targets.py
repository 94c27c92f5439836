"""Errors of losses and their targets are explained, with the tensors and what to change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from diagnosis.error_kinds.raising_programs import Case, X, Y, check, dense, steps

Program = Callable[[], object]


def wrong_labels(values: Tensor) -> Program:
    return lambda: steps(dense(4, 3), torch.randn(len(values), 4), values, F.cross_entropy)


def sequence_labels() -> None:
    F.cross_entropy(torch.randn(6, 5, 3), torch.zeros(6, 5, dtype=torch.long))


def mixed_rows() -> None:
    net = dense(8, 3)
    x, y = torch.randn(6, 4), torch.arange(6) % 3
    F.cross_entropy(net(x.view(-1, 8)), y)


CASES = {
    "rows": Case(mixed_rows, ("3 rows of outputs for 6 targets",), "flatten(1)"),
    "column of labels": Case(
        wrong_labels(Y[:, None]), ("one number of a class", "`y` is 6 x 1 int64"), "squeeze(1)"
    ),
    "labels from 1": Case(wrong_labels(Y + 1), ("class 3", "counted from 0"), "y - 1"),
    "labels of floats": Case(wrong_labels(Y.float()), ("int64", "`y` is 6 float32"), "y.long()"),
    "sequence of labels": Case(sequence_labels, ("6 x 5", "6 x 3"), "transpose(1, 2)"),
    "binary shapes": Case(
        lambda: F.binary_cross_entropy_with_logits(dense(4, 1)(X), (Y > 0).float()),
        ("outputs are 6 x 1", "targets 6"),
        "squeeze(1)",
    ),
    "binary shapes of probabilities": Case(
        lambda: F.binary_cross_entropy(torch.rand(6), torch.rand(6, 1)),
        ("outputs are 6, and the targets 6 x 1",),
        "y.squeeze(1)",
    ),
    "no probabilities": Case(
        lambda: F.binary_cross_entropy(torch.full((6,), 1.5), torch.ones(6)),
        ("outside of 0 to 1",),
        "BCEWithLogitsLoss",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_is_explained(name: str) -> None:
    check(CASES[name])
