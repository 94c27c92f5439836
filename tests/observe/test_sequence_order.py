"""Whether outputs see later places of a sequence, and their own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.sequence_order import later_places, sorted_by_length

SYMBOLS = torch.randint(0, 9, (6, 8), generator=torch.Generator().manual_seed(0))
TABLE = nn.Embedding(10, 4)


def recurrent(x: Tensor) -> Tensor:
    torch.manual_seed(0)
    out, _ = nn.GRU(4, 5, batch_first=True)(TABLE(x))
    return out


def shifted(x: Tensor) -> Tensor:
    """Sees the symbols before each place alone."""
    return recurrent(torch.cat([torch.full_like(x[:, :1], 9), x[:, :-1]], 1))


def both_ways(x: Tensor) -> Tensor:
    return recurrent(x) + recurrent(x.flip(1)).flip(1)


@pytest.mark.parametrize(
    ("module", "wanted"), [(recurrent, ((0, False),)), (shifted, ()), (both_ways, ((0, True),))]
)
def test_places_that_outputs_see(module: Any, wanted: tuple[tuple[int, bool], ...]) -> None:
    before = [module(SYMBOLS)]
    answer = later_places(lambda args, _: [module(*args)], (SYMBOLS,), {}, before, 6)
    assert answer == wanted


def test_rows_that_are_sorted_by_their_length() -> None:
    def batches(*lengths: tuple[int, ...], given: bool) -> list[KeptBatch]:
        made = []
        for each in lengths:
            row = torch.tensor(each)
            x = SYMBOLS.clamp(min=1) * (torch.arange(8) < row[:, None])
            made.append(KeptBatch((x, row) if given else (x,), {}, step=0, rows=6))
        return made

    falling, mixed = (8, 6, 5, 5, 3, 2), (5, 8, 6, 2, 3, 5)
    for given in (True, False):
        assert sorted_by_length(batches(falling, falling, falling, given=given)) is True
        assert sorted_by_length(batches(falling, falling, mixed, given=given)) is False
        assert sorted_by_length(batches(falling, given=given)) is None
