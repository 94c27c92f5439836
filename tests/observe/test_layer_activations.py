"""Statistics of activations against those of torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from netwise.observe.layer_activations import accuracy_of, by_unit, mean_and_std, share_of_zeros


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_moments_and_zeros_equal_those_of_torch() -> None:
    a = torch.randn(50, 7, generator=generator()).relu()
    mean, std = mean_and_std(a)
    assert mean == pytest.approx(float(a.mean()))
    assert std == pytest.approx(float(a.std(correction=0)), rel=1e-5)
    assert share_of_zeros(a) == pytest.approx(float((a == 0).float().mean()))
    assert mean_and_std(torch.tensor([math.inf]))[1] == math.inf


def test_accuracy_is_that_of_scores_and_class_numbers() -> None:
    scores = torch.tensor([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0]])
    assert accuracy_of(scores, torch.tensor([0, 1, 1])) == pytest.approx(2 / 3)
    assert accuracy_of(scores, torch.tensor([0.0, 1.0, 1.0])) is None  # regression
    assert accuracy_of(scores, torch.tensor([0, 1])) is None


def test_the_units_of_maps_are_their_channels() -> None:
    conv = nn.Conv2d(1, 3, 3)
    maps = torch.randn(2, 3, 4, 4, generator=generator())
    expected = maps.permute(0, 2, 3, 1).reshape(-1, 3)
    assert torch.equal(by_unit(maps, conv), expected)
    assert torch.equal(by_unit(maps.flatten(1), conv), expected)
    rows = torch.randn(5, 6, generator=generator())
    assert torch.equal(by_unit(rows, nn.Linear(2, 6)), rows)
