"""Masks of padding: the right one, its opposite, and what is no padding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.operations import traced
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


class Before(Encoded):
    """With a symbol of its own before each row, which is never left out."""

    def forward(self, x: Tensor) -> Tensor:
        h = self.symbols(torch.cat([x.new_full((len(x), 1), 4), x], 1))
        mask = self.mask(x)
        assert mask is not None
        hidden = nn.functional.pad(mask, (1, 0))
        out: Tensor = self.encoder(h, src_key_padding_mask=hidden)[:, 0]
        return out


def test_a_first_symbol_that_is_never_left_out() -> None:
    for mask, answer in ((BEHIND != 0, "encoder: src_key_padding_mask"), (BEHIND == 0, "")):
        module = Before(lambda x, mask=mask: mask).eval()
        with torch.no_grad():
            assert inverted_mask(module, lambda a, k, m=module: m(*a), (BEHIND,), {}) == answer


class OfFunction(nn.Module):
    """Attention by the function of torch, whose mask is True where a place takes part."""

    def __init__(self, inverted: bool, numbers: bool) -> None:
        super().__init__()
        self.inverted, self.numbers, self.symbols = inverted, numbers, nn.Embedding(5, 8)

    def forward(self, x: Tensor) -> Tensor:
        h = self.symbols(x)[:, None]
        kept = (x == 0 if self.inverted else x != 0)[:, None, None]
        mask = torch.zeros(kept.shape).masked_fill(~kept, float("-inf")) if self.numbers else kept
        return nn.functional.scaled_dot_product_attention(h, h, h, attn_mask=mask).mean((1, 2))


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_the_function_of_torch_takes_the_opposite(inverted: bool, numbers: bool) -> None:
    module = OfFunction(inverted, numbers).eval()

    def call(args: tuple[Tensor], kwargs: object) -> object:
        return module(*args)

    with torch.no_grad():
        operations = traced(module, call, ((BEHIND,), {}))
        answer = inverted_mask(module, call, (BEHIND,), {}, operations)
    assert answer == ("forward: attn_mask" if inverted else "")
