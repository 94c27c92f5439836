"""Flattening that leaves rows alone."""

from __future__ import annotations

import torch

from netwise.networks.layers.flatten import FlattenIfNeeded


def test_images_are_flattened_as_torch_does_and_rows_are_returned() -> None:
    layer, images, rows = FlattenIfNeeded(), torch.rand(2, 3, 4, 5), torch.rand(2, 60)
    assert torch.equal(layer(images), torch.nn.Flatten()(images))
    assert layer(rows) is rows
