"""VGG: the depths of the paper's table."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw


@pytest.mark.parametrize(
    ("depth", "stages"),
    [(11, (1, 1, 2, 2, 2)), (13, (2, 2, 2, 2, 2)), (16, (2, 2, 3, 3, 3)), (19, (2, 2, 4, 4, 4))],
)
def test_convolutions_between_poolings_are_those_of_table_1(
    depth: int, stages: tuple[int, ...]
) -> None:
    with torch.device("meta"):
        module = nw.VGG(depth=depth).build()
    counts, now = [], 0
    for layer in module.features:
        if isinstance(layer, nn.Conv2d):
            assert layer.kernel_size == (3, 3)
            now += 1
        elif isinstance(layer, nn.MaxPool2d) or type(layer).__name__ == "MaxPool2":
            counts.append(now)
            now = 0
    assert tuple(counts) == stages
    linear = sum(isinstance(m, nn.Linear) for m in module.modules())
    assert sum(stages) + linear == depth


def test_width_is_a_factor_on_the_channels() -> None:
    module = nw.VGG(depth=11, image=(1, 28, 28), classes=10, width=0.125).build().eval()
    first = next(m for m in module.modules() if isinstance(m, nn.Conv2d))
    assert first.out_channels == 8  # 64 / 8
    assert module(torch.rand(2, 1, 28, 28)).shape == (2, 10)
