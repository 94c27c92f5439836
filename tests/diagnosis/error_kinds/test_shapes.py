"""Errors of shapes are explained, with the layer, the tensors and what to change."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from diagnosis.error_kinds.raising_programs import Case, Net, X, Y, check, pictures, steps


def odd_sizes() -> None:
    data = [torch.randn(3, 8), torch.randn(3, 9)]
    next(iter(DataLoader(data, batch_size=2)))


CASES = {
    "features": Case(
        lambda: steps(Net(features=400), *pictures(), F.cross_entropy),
        ("`fc1`", "made for 400 numbers", "gets 32", "6 x 32"),
        "self.fc1 = nn.Linear(32, 16)",
    ),
    "flattened batch": Case(
        lambda: steps(Net(fault="flatten"), *pictures(), F.cross_entropy),
        ("All samples of the batch lie in one row",),
        "flatten(1)",
    ),
    "product": Case(lambda: X @ X, ("4 and 6 must be equal", "`X` is 6 x 4"), ".T"),
    "channels": Case(
        lambda: steps(Net(), *pictures(channels=3), F.cross_entropy),
        ("`conv`", "made for 1 channel,", "has 3"),
        "Conv2d(3",
    ),
    "channels last": Case(
        lambda: steps(Net(channels=3), torch.randn(6, 8, 8, 3), Y, F.cross_entropy),
        ("channels are the last axis",),
        "permute(0, 3, 1, 2)",
    ),
    "no channels": Case(
        lambda: steps(Net(), torch.randn(6, 64), Y, F.cross_entropy),
        ("takes (samples, channels, height, width)", "6 x 64"),
        "unsqueeze(1)",
    ),
    "recurrent size": Case(
        lambda: nn.LSTM(5, 8, batch_first=True)(torch.randn(6, 3, 4)),
        ("made for 5 numbers", "gets 4"),
        "LSTM(4",
    ),
    "recurrent state": Case(
        lambda: nn.GRU(4, 8, batch_first=True)(torch.randn(5, 3, 4), torch.zeros(1, 6, 8)),
        ("must be 1 x 5 x 8", "is 1 x 6 x 8"),
        "drop_last=True",
    ),
    "layer norm": Case(
        lambda: nn.LayerNorm(5)(X), ("normalizes a last axis of 5",), "LayerNorm(4)"
    ),
    "batch norm channels": Case(
        lambda: nn.BatchNorm1d(5)(X), ("made for 5 channels", "gets 4"), "BatchNorm2d(4)"
    ),
    "one sample": Case(
        lambda: nn.BatchNorm1d(4)(X[:1]), ("no variance of one sample",), "drop_last=True"
    ),
    "joined": Case(
        lambda: torch.cat([torch.zeros(2, 3, 7, 8), torch.zeros(2, 3, 8, 8)], 1),
        ("joined along axis 1", "7", "8"),
        "interpolate",
    ),
    "pairs": Case(lambda: X + Y, ("pairs 4 with 6", "`Y` is 6 int64"), "print("),
    "reshape": Case(
        lambda: X.reshape(5, -1, 3), ("24 numbers", "[5, -1, 3]"), "reshape(len(x), -1)"
    ),
    "view": Case(lambda: X.T.view(-1), ("axes were exchanged",), "reshape"),
    "odd sizes": Case(odd_sizes, ("3 x 8 and 3 x 9",), "pad_sequence"),
    "heads": Case(
        lambda: nn.MultiheadAttention(6, 4),
        ("multiple of its number of heads",),
        "MultiheadAttention(64, 4)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_is_explained(name: str) -> None:
    check(CASES[name])
