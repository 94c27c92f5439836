"""Masks of padding: the right one, its opposite, and what is no padding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.padding_masks import inverted_mask

BEHIND = torch.tensor([[3, 1, 2, 0], [2, 4, 0, 0], [1, 1, 4, 2]])


class Encoded(nn.Module):
    def __init__(self, mask: Callable[[Tensor], Tensor | None]) -> None:
        super().__init__()
        self.mask = mask
        self.symbols = nn.Embedding(5, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.encoder(self.symbols(x), src_key_padding_mask=self.mask(x))
        return out


def asked(x: Tensor, mask: Callable[[Tensor], Tensor | None]) -> str:
    module = Encoded(mask).eval()
    with torch.no_grad():
        return inverted_mask(module, lambda a, k: module(*a), (x,), {})


@pytest.mark.parametrize("x", [BEHIND, BEHIND.flip(1)], ids=["behind", "before"])
def test_a_mask_and_its_opposite(x: Tensor) -> None:
    assert asked(x, lambda x: x != 0) == "encoder: src_key_padding_mask"
    assert asked(x, lambda x: x == 0) == ""
    assert asked(x, lambda x: None) == ""


def test_symbols_without_padding() -> None:
    x = torch.tensor([[3, 0, 2, 4], [0, 4, 0, 1], [1, 1, 4, 0]])
    assert asked(x, lambda x: (x != 0) & (x != 3)) == ""
