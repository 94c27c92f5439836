"""Hebb's, Oja's and the delta rule against outer products, eigenvectors and gradients."""

from __future__ import annotations

from itertools import product

import pytest
import torch

import netwise as nw


def data(samples: int = 20, ins: int = 5, outs: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(samples, ins, generator=g, dtype=torch.float64), torch.rand(
        samples, outs, generator=g, dtype=torch.float64
    )


def test_hebb_is_a_mean_of_outer_products_and_grows_without_end() -> None:
    x, y = torch.tensor([[1.0, -1.0], [1.0, 1.0]]), torch.tensor([[1.0], [-1.0]])
    assert nw.learning_rules.hebb(torch.zeros(1, 2), x, y, rate=1.0).tolist() == [[0.0, -1.0]]
    w = torch.tensor([[0.1, 0.1]])
    for _ in range(60):
        w = nw.learning_rules.hebb(w, x, x @ w.T, rate=0.5)
    assert float(w.norm()) > 1e6


def test_oja_finds_the_principal_components_in_order() -> None:
    g = torch.Generator().manual_seed(0)
    turn, _ = torch.linalg.qr(torch.randn(4, 4, generator=g, dtype=torch.float64))
    x = (
        torch.randn(2000, 4, generator=g, dtype=torch.float64)
        * torch.tensor([3.0, 2.0, 1.0, 0.3], dtype=torch.float64)
    ) @ turn.T
    x = x - x.mean(0)
    w = 0.1 * torch.randn(3, 4, generator=g, dtype=torch.float64)
    for _ in range(3000):
        w = nw.learning_rules.oja(w, x, rate=0.02)
    vectors = torch.linalg.eigh(x.T @ x)[1]
    assert torch.allclose(
        (w @ vectors.flip(1)[:, :3]).abs(), torch.eye(3, dtype=torch.float64), atol=1e-3
    )


@pytest.mark.parametrize(("gate", "learns"), [("and", True), ("or", True), ("xor", False)])
def test_delta_learns_and_and_or_and_not_xor(gate: str, learns: bool) -> None:
    x = torch.tensor([[a, b, 1.0] for a, b in product((0.0, 1.0), repeat=2)])
    target = torch.tensor(
        [
            [{"and": a * b, "or": max(a, b), "xor": a + b - 2 * a * b}[gate]]
            for a, b in product((0.0, 1.0), repeat=2)
        ]
    )
    w = torch.zeros(1, 3)
    for _ in range(200):
        w = nw.learning_rules.delta(w, x, target, (x @ w.T > 0).float(), rate=0.5)
    assert bool(((x @ w.T > 0).float() == target).all()) is learns


def test_delta_is_the_gradient_of_squared_error_or_of_cross_entropy_for_sigmoid() -> None:
    x, target = data(ins=3)
    w = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    (linear,) = torch.autograd.grad((x @ w.T - target).square().sum() / 2 / len(x), w)
    assert torch.allclose(nw.learning_rules.delta(w, x, target, x @ w.T, rate=1.0), w - linear)
    z = x @ w.T
    (sigmoid,) = torch.autograd.grad(nw.BinaryCrossEntropy()(z, target), w)
    assert torch.allclose(
        nw.learning_rules.delta(w, x, target, torch.sigmoid(x @ w.T), rate=1.0), w - sigmoid
    )
