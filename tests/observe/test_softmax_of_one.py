"""Softmax over the unit of a layer, and over axes that have one place in this batch alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.operations import traced
from netwise.observe.softmax_of_one import softmax_of_one

X = torch.rand(4, 6, 3)


class Scored(nn.Module):
    def __init__(self, weigh: Callable[[Tensor], Tensor], units: int = 1) -> None:
        super().__init__()
        self.score, self.weigh = nn.Linear(3, units), weigh
        self.vector = nn.Parameter(torch.rand(3, 1))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = (self.weigh(self.score(x)) * x[..., :1]).sum(1)
        return out


def asked(module: nn.Module, x: Tensor = X) -> tuple[str, str, str]:
    with torch.no_grad():
        return softmax_of_one(traced(module, lambda a, k: module(*a), ((x,), {})))


@pytest.mark.parametrize(
    "weigh",
    [
        lambda s: torch.softmax(s, dim=-1),
        lambda s: torch.tanh(s).softmax(2),
        nn.Softmax(dim=2),
        lambda s: F.softmax(s.masked_fill(s > 0, -1e9) / 2, -1),
    ],
)
def test_the_unit_of_a_layer(weigh: Callable[[Tensor], Tensor]) -> None:
    what, layer, _ = asked(Scored(weigh))
    assert (what, layer) == ("softmax over axis 2 of (4, 6, 1)", "score")


def test_a_product_with_a_weight_and_a_convolution() -> None:
    class Product(Scored):
        def forward(self, x: Tensor) -> Tensor:
            return torch.softmax(x @ self.vector, dim=-1) * x

    class Spatial(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.softmax(self.conv(x), dim=1) * x

    assert asked(Product(nn.Identity()))[0] == "softmax over axis 2 of (4, 6, 1)"
    assert asked(Spatial(), torch.rand(3, 2, 4, 4))[:2] == (
        "softmax over axis 1 of (3, 1, 4, 4)",
        "conv",
    )


@pytest.mark.parametrize(
    ("weigh", "units", "x"),
    [
        (lambda s: torch.softmax(s, dim=1), 1, X),
        (lambda s: torch.softmax(s, dim=-1), 5, X),
        (lambda s: torch.softmax(s, dim=1), 1, X[:, :1]),  # a sequence of one place
        (lambda s: torch.softmax(s @ s[:, :1].transpose(1, 2), dim=-1), 1, X),  # one key
        (torch.sigmoid, 1, X),
    ],
    ids=["over places", "several units", "one place", "one key", "no softmax"],
)
def test_healthy_neighbours(weigh: Callable[[Tensor], Tensor], units: int, x: Tensor) -> None:
    assert asked(Scored(weigh, units), x) == ("", "", "")
