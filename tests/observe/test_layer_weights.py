"""Norms, gradients and changes of weights against those of torch."""

from __future__ import annotations

from torch import nn

from netwise.observe.layer_weights import weighted_layers


def test_layers_with_weight_matrices_are_found_and_norm_layers_are_not() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Embedding(4, 2))
    assert list(weighted_layers(module)) == ["0", "2"]
    assert list(weighted_layers(nn.Linear(2, 3))) == ["(network)"]
