"""Convolutional blocks and networks of them."""

from __future__ import annotations

import pytest
import torch

import netwise as nw


@pytest.mark.parametrize("letters", ["C", "CA", "CBA", "CAB", "CAP", "CBAPD", "PCA", "CABPD"])
def test_each_letter_of_a_block_may_be_left_out(letters: str) -> None:
    block = nw.conv_block(3, 8, letters)
    kinds = {"C": "conv", "B": "norm", "A": "activation", "P": "pool", "D": "dropout"}
    assert [name for name, _ in block.named_children()] == [kinds[letter] for letter in letters]
    assert block(torch.rand(2, 3, 8, 8)).shape == (
        2,
        8,
        4 if "P" in letters else 8,
        4 if "P" in letters else 8,
    )


def test_batch_norm_without_scale_and_shift_is_a_letter() -> None:
    block = nw.conv_block(3, 4, "CbA")
    assert not list(block.norm.parameters())
    assert block.conv.bias is None


def test_a_network_of_blocks_has_the_parameters_of_the_formula() -> None:
    network = nw.ConvNet(image=(1, 8, 8), channels=(4, 6), block="CAP", hidden=(7,), classes=3)
    convolutions = (9 * 1 * 4 + 4) + (9 * 4 * 6 + 6)
    head = (6 * 2 * 2 * 7 + 7) + (7 * 3 + 3)  # 8x8 pooled twice
    assert sum(p.numel() for p in network.build().parameters()) == convolutions + head


def test_a_head_of_means_takes_images_of_any_size() -> None:
    module = nw.ConvNet(image=(1, 8, 8), channels=(4,), means=True).build().eval()
    assert module(torch.rand(2, 1, 8, 8)).shape == module(torch.rand(2, 1, 20, 12)).shape


def test_changes_of_blocks_and_channels() -> None:
    network = nw.ConvNet(block="CAPD", channels=(4, 1))
    assert network.with_batch_norm() == network.but(block="CBAPD")
    assert nw.ConvNet().with_batch_norm() == "the network has batch normalization already"
    assert network.widened() == network.but(channels=(8, 2))
    assert network.narrowed() == network.but(channels=(2, 1))
