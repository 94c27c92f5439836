"""Masks of attention against the padding of the inputs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.padding_masks import inverted_mask


def sentences(padding: int = 0) -> Tensor:
    """Symbols (12, 7) with padding at the ends of rows of different lengths."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1, 9, (12, 7), generator=generator)
    for row, length in enumerate(torch.randint(2, 8, (12,), generator=generator).tolist()):
        ids[row, length:] = padding
    ids[0, 4:] = padding
    return ids


class Encoder(nn.Module):
    """Encoder layers of torch, with or without a first symbol that is learned."""

    def __init__(self, inverted: bool, first: bool = False, padding: int = 0) -> None:
        super().__init__()
        self.inverted, self.padding = inverted, padding
        self.symbols = nn.Embedding(10, 8)
        self.first = nn.Parameter(torch.zeros(1, 1, 8)) if first else None
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, ids: Tensor) -> Tensor:
        x, mask = self.symbols(ids), ids == self.padding
        if self.inverted:
            mask = ~mask
        if self.first is not None:
            x = torch.cat([self.first.expand(len(ids), 1, 8), x], 1)
            mask = F.pad(mask, (1, 0))
        out: Tensor = self.layers(x, src_key_padding_mask=mask)[:, 0]
        return out


class Product(nn.Module):
    """Attention by the function of torch, whose mask is true where a place takes part."""

    def __init__(self, inverted: bool, numbers: bool = False) -> None:
        super().__init__()
        self.inverted, self.numbers = inverted, numbers
        self.symbols = nn.Embedding(10, 8, padding_idx=0)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.symbols(ids)[:, None]
        taken = (ids == 0 if self.inverted else ids != 0)[:, None, None]
        mask = torch.zeros(taken.shape).masked_fill(~taken, float("-inf"))
        return F.scaled_dot_product_attention(
            x, x, x, attn_mask=mask if self.numbers else taken
        ).mean((1, 2))


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("padding", [0, 9])
def test_encoders(first: bool, padding: int) -> None:
    ids = sentences(padding)
    for inverted in (False, True):
        net = Encoder(inverted, first, padding).eval()
        answer = inverted_mask(net, lambda a, k, net=net: net(*a), (ids,), {})
        assert answer == ("layers.layers.0.self_attn" if inverted else "")


@pytest.mark.parametrize("numbers", [False, True])
def test_the_function_of_torch_has_the_opposite_convention(numbers: bool) -> None:
    for inverted in (False, True):
        net = Product(inverted, numbers).eval()
        answer = inverted_mask(net, lambda a, k, net=net: net(*a), (sentences(),), {})
        assert answer == ("forward" if inverted else "")


def test_without_padding_nothing_is_known() -> None:
    net = Encoder(True).eval()
    full = torch.randint(1, 9, (12, 7), generator=torch.Generator().manual_seed(1))
    assert inverted_mask(net, lambda a, k: net(*a), (full,), {}) is None
    numbers = nn.Linear(7, 2)
    assert inverted_mask(numbers, lambda a, k: numbers(*a), (full.float(),), {}) is None


def test_a_mask_of_other_places_is_none_of_padding() -> None:
    """A mask that leaves out random places, as in training on hidden symbols."""

    class Hiding(Encoder):
        def forward(self, ids: Tensor) -> Tensor:
            mask = (torch.arange(ids.shape[1]) % 3 == 1).expand(ids.shape)
            out: Tensor = self.layers(self.symbols(ids), src_key_padding_mask=mask)
            return out

    net = Hiding(False).eval()
    assert inverted_mask(net, lambda a, k: net(*a), (sentences(),), {}) == ""


def test_the_fast_path_of_torch_is_as_before() -> None:
    before = torch.backends.mha.get_fastpath_enabled()
    net = Encoder(True).eval()
    inverted_mask(net, lambda a, k: net(*a), (sentences(),), {})
    assert torch.backends.mha.get_fastpath_enabled() == before
