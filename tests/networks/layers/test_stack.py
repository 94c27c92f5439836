"""A stack of image layers, computed with channels last."""

from __future__ import annotations

import torch
from torch import nn

from netwise.networks.layers.stack import ImageStack


def test_results_are_those_of_a_sequence_and_memory_is_channels_last() -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)]
    x = torch.rand(2, 3, 9, 9)
    out = ImageStack(*layers)(x)
    torch.testing.assert_close(out, nn.Sequential(*layers)(x))
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_what_is_no_batch_of_images_passes_unchanged() -> None:
    x = torch.rand(2, 7)
    assert torch.equal(ImageStack(nn.Identity())(x), x)
