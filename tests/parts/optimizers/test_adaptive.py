"""Adaptive optimizers: Lion against NumPy, and what sets each apart. All of them against torch:
test_optimizer.py."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import netwise as nw
from parts.optimizers.gradients import rate_at, steps


def lion(w: np.ndarray, g: np.ndarray, m: np.ndarray, lr: float) -> tuple[np.ndarray, np.ndarray]:
    update = np.sign(0.9 * m + (1 - 0.9) * g)
    return w - lr * (update + 0.1 * w), 0.99 * m + (1 - 0.99) * g


def test_lion_equals_a_numpy_reference() -> None:
    rule = nw.Lion(lr=0.01, weight_decay=0.1)
    start, gradient_at = steps()
    w, state, expected, m = start.clone(), rule.init(start), start.numpy().copy(), np.zeros((6, 3))
    for t in range(1, 101):
        gradient = gradient_at(w)
        w, state = rule.step(w, gradient, state, t, rate_at(rule, t))
        expected, m = lion(expected, gradient.numpy(), m, rate_at(rule, t))
        assert np.abs(w.numpy() - expected).max() < 1e-12


def test_amsgrads_rate_never_grows_again() -> None:
    """After one large gradient, a weight of AMSGrad keeps its small rate; Adam's recovers."""
    moves = {}
    for rule in (nw.AMSGrad(lr=0.1, beta2=0.5), nw.Adam(lr=0.1, beta2=0.5)):
        w, state = torch.zeros(1, dtype=torch.float64), rule.init(torch.zeros(1))
        for t in range(1, 60):
            gradient = torch.full((1,), 100.0 if t == 1 else 1.0, dtype=torch.float64)
            before = w
            w, state = rule.step(w, gradient, state, t)
        moves[type(rule).__name__] = float(before - w)
    assert moves["Adam"] == pytest.approx(0.1, rel=0.1)
    assert moves["AMSGrad"] < 0.01


def test_weight_decay_is_decoupled_from_the_gradient() -> None:
    rule = nw.AdamW(lr=0.1, weight_decay=0.5)
    w = torch.tensor([2.0, -4.0], dtype=torch.float64)
    shrunk, _ = rule.step(w, torch.zeros(2, dtype=torch.float64), rule.init(w), 1)
    assert torch.allclose(shrunk, 0.95 * w)
