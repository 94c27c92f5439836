"""Residual connections and stochastic depth."""

from __future__ import annotations

import pytest
import torch

from netwise.networks.layers.residual import Residual


def test_stochastic_depth_drops_whole_branches_and_keeps_the_mean() -> None:
    from netwise.networks.layers.residual import stochastic_depth

    torch.manual_seed(0)
    x = torch.ones(20_000, 3)
    y = stochastic_depth(x, 0.3, training=True)
    assert y.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert bool((y == y[:, :1]).all())
    assert float(y.mean()) == pytest.approx(1.0, abs=0.02)
    assert torch.equal(stochastic_depth(x, 0.3, training=False), x)


def test_a_residual_body_is_added_to_its_input() -> None:
    body = torch.nn.Linear(3, 3)
    x = torch.randn(4, 3)
    assert torch.equal(Residual(body, torch.nn.Tanh())(x), x + torch.tanh(body(x)))
