"""Rates of dropout, read from graphs of losses."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.observe.dropout_rates import dropouts, largest_dropout, rate_of_mask


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 0.97])
def test_the_rate_of_a_dropout_that_no_module_shows(p: float) -> None:
    torch.manual_seed(0)
    x = torch.randn(64, 50, requires_grad=True)
    assert largest_dropout((F.dropout(x, p) @ torch.ones(50, 2)).sum()) == pytest.approx(
        p, abs=1e-4
    )


def test_the_largest_of_several_and_of_channels() -> None:
    torch.manual_seed(0)
    x = torch.randn(16, 12, 5, 5, requires_grad=True)
    loss = (F.dropout2d(F.dropout(x, 0.2), 0.6) ** 2).mean()
    assert largest_dropout(loss) == pytest.approx(0.6, abs=1e-4)


def test_the_units_of_a_sample_that_are_dropped_at_once() -> None:
    torch.manual_seed(0)
    x = torch.randn(64, 3, requires_grad=True)
    channels = torch.randn(64, 2, 5, requires_grad=True)
    loss = F.dropout(x, 0.5).sum() + F.dropout1d(channels, 0.25).sum()
    assert sorted(dropouts(loss)) == [(0.25, 2), (0.5, 3)]
    assert dropouts(torch.ones(1)) == []


def test_products_with_other_tensors_are_no_dropout() -> None:
    x = torch.randn(100, 4, requires_grad=True)
    causal = torch.ones(100, 4).tril()
    weights = torch.rand(100, 4)
    for other in (causal, 3 * causal, weights, torch.zeros(100, 4), torch.full((100, 4), 2.0)):
        assert largest_dropout((x * other).sum()) == 0
    assert largest_dropout((x * x).sum()) == 0
    assert rate_of_mask(torch.ones(100, dtype=torch.int64)) == 0
    assert largest_dropout(torch.ones(1)) == 0


def test_a_watched_program_states_it() -> None:
    torch.manual_seed(0)
    first, last = nn.Linear(8, 64), nn.Linear(64, 2)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = first, last

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.last(F.dropout(self.first(x).relu(), 0.9, self.training))
            return out

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with nw.watch() as w:
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(model(torch.ones(64, 8)), torch.arange(64) % 2).backward()
            optimizer.step()
    assert w.history().facts.dropout == pytest.approx(0.9)
