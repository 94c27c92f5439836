"""Activations against their formulas, ranges and torch's derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.activations import ACTIVATIONS, BOUNDED

X = torch.linspace(-6, 6, 241, dtype=torch.float64)
FORMULAS = {
    nw.Identity(): lambda x: x,
    nw.Sigmoid(): lambda x: 1 / (1 + np.exp(-x)),
    nw.Tanh(): lambda x: 2 / (1 + np.exp(-2 * x)) - 1,
    nw.ReLU(): lambda x: np.maximum(0, x),
    nw.LeakyReLU(slope=0.1): lambda x: np.where(x > 0, x, 0.1 * x),
    nw.ELU(alpha=0.5): lambda x: np.where(x > 0, x, 0.5 * (np.exp(x) - 1)),
}


@pytest.mark.parametrize(("activation", "formula"), FORMULAS.items(), ids=lambda a: type(a).__name__)
def test_an_activation_is_its_formula(activation: nw.Activation, formula: object) -> None:
    np.testing.assert_allclose(activation(X).numpy(), formula(X.numpy()), atol=1e-12)  # type: ignore[operator]


@pytest.mark.parametrize("cls", ACTIVATIONS)
def test_an_activation_stays_in_its_range(cls: type[nw.Activation]) -> None:
    activation = cls()
    y = activation(X[None, :240])  # pairs, for Maxout
    assert float(y.min()) >= activation.lowest - 1e-12
    assert float(y.max()) <= activation.highest + 1e-12
    bounded = type(activation.build()).__name__ in BOUNDED  # pinned at an end it learns nothing; ReLU6 lives at its own
    assert bounded == (activation.saturates and cls not in (nw.Softmax, nw.ReLU6))


def test_softmax_sums_to_one() -> None:
    assert torch.allclose(nw.Softmax()(torch.randn(5, 7, dtype=torch.float64)).sum(1), torch.ones(5, dtype=torch.float64))


def test_the_slope_of_a_sigmoid_is_at_most_a_quarter() -> None:
    x = X.clone().requires_grad_()
    nw.Sigmoid()(x).sum().backward()
    assert x.grad is not None
    assert float(x.grad.max()) == pytest.approx(0.25)
