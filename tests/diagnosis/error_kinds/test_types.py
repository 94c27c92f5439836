"""Errors of types and devices are explained, with the layer, the tensors and what to change."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diagnosis.error_kinds.raising_programs import Case, Net, X, Y, check, dense, steps

CASES = {
    "float64": Case(
        lambda: steps(dense(4, 3), X.double(), Y, F.cross_entropy),
        ("float64", "float32"),
        "x.float()",
    ),
    "bytes": Case(
        lambda: steps(Net(), torch.zeros(6, 1, 8, 8, dtype=torch.uint8), Y, F.cross_entropy),
        ("whole numbers",),
        "/ 255",
    ),
    "embedding of floats": Case(lambda: nn.Embedding(4, 3)(X), ("takes whole numbers",), "long()"),
    "too few embeddings": Case(
        lambda: nn.Embedding(2, 3)(Y), ("number of embeddings",), "Embedding(int(x.max()) + 1"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_is_explained(name: str) -> None:
    check(CASES[name])
