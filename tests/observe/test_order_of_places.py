"""Whether networks see the order of a sequence, and what is before its padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.order_of_places import hidden_by_padding, order_is_unseen

torch.manual_seed(0)
WORDS = torch.randint(1, 9, (16, 12))


class Net(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.table = kind, nn.Embedding(9, 8, padding_idx=0)
        self.places = nn.Parameter(torch.randn(12, 8))
        self.attention = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
        self.lstm, self.last = nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 2)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        h = self.table(x)
        if self.kind in ("places", "attention", "tokens"):
            h = self.attention(h + self.places if self.kind == "places" else h)
        if self.kind in ("last", "lengths"):
            h = self.lstm(h)[0]
        if self.kind == "last":
            h = h[:, -1]
        elif self.kind == "lengths":
            assert lengths is not None
            h = h[torch.arange(len(x)), lengths - 1]
        elif self.kind != "tokens":
            h = h.mean(1)
        y: Tensor = self.last(h)
        return y


def asked(what: Any, kind: str, *args: Tensor) -> Any:
    net = Net(kind).eval()
    with torch.no_grad():
        return what(lambda a, k: [net(*a)], args, {}, [net(*args)], len(args[0]))


@pytest.mark.parametrize(
    ("kind", "unseen"),
    [("bag", True), ("attention", True), ("tokens", True), ("places", False), ("last", False)],
)
def test_orders(kind: str, unseen: bool) -> None:
    assert asked(order_is_unseen, kind, WORDS) is unseen


def test_inputs_without_places() -> None:
    def call(args: Any, kwargs: Any) -> list[Tensor]:
        return [args[0].sum(1)]

    x = torch.randn(16, 6)
    assert order_is_unseen(call, (x,), {}, [x.sum(1)], 16) is None


def test_padding() -> None:
    lengths = torch.randint(2, 6, (16,))
    padded = nn.functional.pad(WORDS, (0, 28)).masked_fill(torch.arange(40) >= lengths[:, None], 0)
    hidden = asked(hidden_by_padding, "last", padded)
    assert hidden.share < 1e-3
    assert hidden.places > 30
    assert asked(hidden_by_padding, "lengths", padded, lengths).share == 1
    assert asked(hidden_by_padding, "bag", padded).share == pytest.approx(1, rel=0.2)
    assert asked(hidden_by_padding, "last", WORDS) is None
