"""Poolings over all places through which everything goes, and others."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from netwise.observe import operations
from netwise.observe.operations import traced
from netwise.observe.pooled_places import may_pool, pooled_places

torch.manual_seed(0)
X = torch.randn(6, 2, 9, 9)


class Net(nn.Module):
    """Two convolutions; what is behind them is of one kind."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.scale = nn.Linear(4, 4)
        self.last = nn.Linear(4 * 9 * 9 if kind in ("flat", "squeezed") else 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        first = torch.relu(self.first(x))
        h = torch.relu(self.second(first))
        if self.kind == "flat":
            return self.last(h.flatten(1))
        if self.kind == "squeezed":  # a pooling that only weighs the channels
            weight = torch.sigmoid(self.scale(h.mean((2, 3))))
            return self.last((h * weight[:, :, None, None]).flatten(1))
        if self.kind == "both":
            return self.last(h.mean((2, 3))) + first[:, :3, 0, 0]
        if self.kind == "module":
            return self.last(nn.functional.adaptive_avg_pool2d(h, 1).flatten(1))
        return self.last(h.amax((2, 3)) if self.kind == "maximum" else h.mean((2, 3)))


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("mean", "mean of (6, 4, 9, 9)"),
        ("maximum", "amax of (6, 4, 9, 9)"),
        ("module", "adaptive_avg_pool2d of (6, 4, 9, 9)"),
        ("flat", ""),
        ("squeezed", ""),
        ("both", ""),
    ],
)
def test_a_pooling_counts_where_the_outputs_go_through_it(kind: str, found: str) -> None:
    net = Net(kind).eval()

    def call(args: tuple[Tensor], kwargs: dict[str, Tensor]) -> list[Tensor]:
        return [net(*args)]

    said, place = pooled_places(call, (X,), {}, [net(X)])
    assert said == found
    assert may_pool(traced(net, call, ((X,), {}))) == (kind != "flat")
    assert place.startswith("test_pooled_places.py:") == bool(found)


def test_a_trace_that_ended_early_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net("mean").eval()
    monkeypatch.setattr(operations, "_MOST_BYTES", 1000)
    assert may_pool(traced(net, lambda args, kwargs: net(*args), ((X,), {}))[:1])
