"""Constant and repeated features of tables; pictures, counts and one-hot columns have none."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from netwise.observe.idle_features import equal_features, idle_features
from netwise.observe.kept_batches import KeptBatch

DRAW = torch.Generator().manual_seed(0)
TABLE = torch.randn(90, 6, generator=DRAW)


def batches(table: Tensor) -> list[KeptBatch]:
    return [KeptBatch((rows,), {}) for rows in table.split(30)]


def with_column(number: int, values: Tensor | float) -> Tensor:
    table = TABLE.clone()
    table[:, number] = values
    return table


def test_a_measured_column_that_stands_still_and_one_that_is_joined_twice() -> None:
    assert idle_features(batches(with_column(4, 3.0))) == (4,)
    assert equal_features(batches(with_column(4, TABLE[:, 1]))) == ((1, 4),)


PICTURES = torch.cat([torch.zeros(90, 3), torch.randint(17, (90, 40), generator=DRAW) / 16], 1)
HEALTHY = {
    "table": TABLE,
    "column of ones": with_column(0, 1.0),
    "absent": with_column(0, 0.0),
    "few rows": with_column(4, 3.0)[:40],
    "sign": with_column(4, TABLE[:, 1].sign()),
    "pictures": PICTURES,
    "scaled pictures": (PICTURES - PICTURES.mean()) / PICTURES.std(),
    "pixels": with_column(4, 3.0).view(90, 1, 2, 3),
    "one-hot": torch.eye(8)[torch.arange(90) % 7],
    "one column": with_column(0, 3.0)[:, :1],
}


@pytest.mark.parametrize("table", HEALTHY.values(), ids=HEALTHY)
def test_what_is_usual_is_not_counted(table: Tensor) -> None:
    assert idle_features(batches(table)) == ()
    assert equal_features(batches(table)) == ()
