"""Sizes of maps and SAME padding."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw


@pytest.mark.parametrize("size", range(1, 33))
def test_sizes_are_torchs_and_tensorflows(size: int) -> None:
    for kernel in range(1, 8):
        for stride in range(1, 5):
            x = torch.zeros(1, 1, size, size)
            if kernel <= size:
                assert (
                    nw.sizes.valid(size, kernel, stride)
                    == F.max_pool2d(x, kernel, stride).shape[-1]
                )
            before, after = nw.sizes.same_padding(size, kernel, stride)
            assert 0 <= after - before <= 1
            padded = F.pad(x, (before, after, before, after))
            if kernel <= padded.shape[-1]:
                assert (
                    nw.sizes.same(size, stride)
                    == -(-size // stride)
                    == F.max_pool2d(padded, kernel, stride).shape[-1]
                )


def test_convolutions_that_keep_the_size_are_torchs_own_same_at_stride_one() -> None:
    from netwise.networks.sizes import SameConv2d

    x = torch.rand(2, 3, 9, 9)
    for kernel in (1, 3, 5):  # of even ones torch warns that it pads
        ours = SameConv2d(3, 4, kernel)
        theirs = nn.Conv2d(3, 4, kernel, padding="same")
        theirs.load_state_dict(ours.state_dict())
        assert torch.allclose(ours(x), theirs(x), atol=1e-6)
    assert SameConv2d(3, 4, 3, 2)(x).shape[-1] == 5
