"""Outputs that are one row for all samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.rows_alike import rows_alike
from netwise.observe.undisturbed import undisturbed

X = torch.rand(8, 5, 6)


class Net(nn.Module):
    def __init__(self, pool: Callable[[Tensor], Tensor], zero: bool = False) -> None:
        super().__init__()
        self.first, self.last, self.pool = nn.Linear(6, 9), nn.Linear(9, 3), pool
        if zero:
            nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.pool(torch.tanh(self.first(x))))
        return y


def asked(module: nn.Module, x: Tensor = X, samples: int | None = None) -> tuple[str, str]:
    def call(each: nn.Module, args: Any, kwargs: Any) -> list[Tensor]:
        return [each(*args, **kwargs)]

    with torch.no_grad(), undisturbed(module):
        return rows_alike(module, call, (x,), {}, call(module, (x,), {}), samples)


def over_batch(x: Tensor) -> Tensor:
    return x.mean((0, 1), keepdim=True)[0].expand(len(x), -1)


def test_a_mean_over_all_samples() -> None:
    name, place = asked(Net(over_batch))
    assert name == "expand to (8, 9)"
    assert place.startswith("test_rows_alike.py:")
    assert asked(Net(over_batch), samples=4) == ("", "")  # no rows of samples


@pytest.mark.parametrize(
    ("module", "x"),
    [
        (Net(lambda x: x.mean(1)), X),
        (Net(lambda x: x.mean(1), zero=True), X),  # a last layer that starts at zero
        (Net(lambda x: x.mean(1)), X[:1].expand(8, 5, 6)),  # samples that are alike themselves
        (Net(lambda x: torch.ones(len(x), 9)), X),  # of no input: another fault
    ],
)
def test_neighbours(module: nn.Module, x: Tensor) -> None:
    assert asked(module, x) == ("", "")
