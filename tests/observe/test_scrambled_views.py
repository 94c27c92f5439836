"""Views that scramble axes, and views that split, join or shift them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.operations import traced
from netwise.observe.scrambled_views import jumps, scrambled_view


@pytest.mark.parametrize(
    ("before", "after", "jumped"),
    [
        ((40, 10, 4), (40, 4, 10), True),
        ((8, 4, 16, 6), (8, 16, 24), True),
        ((8, 28, 28, 3), (8, 3, 784), True),
        ((8, 16, 4, 6), (8, 16, 24), False),
        ((8, 10, 24), (8, 10, 4, 6), False),
        ((8, 10, 24), (80, 24), False),
        ((80, 24), (8, 10, 24), False),
        ((8, 12, 5, 7), (8, 3, 4, 5, 7), False),
        ((8, 16, 1, 7), (8, 1, 16, 7), False),
        ((8, 6, 6), (8, 36), False),
        ((2, 3, 8, 5), (6, 8, 5), False),
    ],
)
def test_axes_that_jump(before: tuple[int, ...], after: tuple[int, ...], jumped: bool) -> None:
    assert jumps(before, after) is jumped


class Shifted(nn.Module):
    """Relative positions: a column of zeros, and a view that moves each row by one more."""

    def __init__(self, zeros: bool) -> None:
        super().__init__()
        self.zeros = zeros

    def forward(self, x: Tensor) -> Tensor:
        batch, rows, columns = x.shape
        x = torch.cat([x[:, :, :1] * (0 if self.zeros else 1), x], 2)
        return x.view(batch, columns + 1, rows)


@pytest.mark.parametrize("zeros", [True, False])
def test_zeros_that_shift_rows_are_meant(zeros: bool) -> None:
    module = Shifted(zeros)
    x = torch.rand(4, 5, 7) + 1
    view, _ = scrambled_view(traced(module, lambda a, k: module(*a), ((x,), {})))
    assert view == ("" if zeros else "view from (4, 5, 8) to (4, 8, 5)")
