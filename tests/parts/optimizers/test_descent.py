"""Descent with momentum: against NumPy, and between its forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import netwise as nw
from parts.optimizers.gradients import rate_at, steps


def averaged(
    w: np.ndarray, g: np.ndarray, m: np.ndarray, lr: float
) -> tuple[np.ndarray, np.ndarray]:
    m = 0.9 * m + (1 - 0.9) * g
    return w - lr * m, m


def test_averaged_momentum_equals_a_numpy_reference() -> None:
    rule = nw.Momentum()
    start, gradient_at = steps()
    w, state, expected, m = start.clone(), rule.init(start), start.numpy().copy(), np.zeros((6, 3))
    for t in range(1, 101):
        gradient = gradient_at(w)
        w, state = rule.step(w, gradient, state, t, rate_at(rule, t))
        expected, m = averaged(expected, gradient.numpy(), m, rate_at(rule, t))
        assert np.abs(w.numpy() - expected).max() < 1e-12


def test_averaged_and_classic_momentum_are_the_same_steps_at_other_rates() -> None:
    """m of the average is (1 - beta) times that of the classic form."""
    start, gradient_at = steps(4)
    gradients = [gradient_at(start) for _ in range(50)]
    ends = []
    for rule in (nw.Momentum(lr=0.1), nw.SGD(lr=0.01, momentum=0.9)):
        w, state = start.clone(), rule.init(start)
        for t, gradient in enumerate(gradients, 1):
            w, state = rule.step(w, gradient, state, t)
        ends.append(w)
    torch.testing.assert_close(*ends, rtol=1e-12, atol=1e-12)


def test_momentum_grows_over_its_ramp_and_the_torch_object_follows() -> None:
    rule = nw.Momentum(lr=0.1, begin=0.5, momentum=0.9, ramp=4)
    assert [round(rule.beta(epoch), 3) for epoch in range(6)] == [0.5, 0.6, 0.7, 0.8, 0.9, 0.9]
    w = torch.tensor([1.0], requires_grad=True)
    optimizer = rule.build([w])
    optimizer.param_groups[0].update(rule.group_settings(3))
    w.grad = torch.ones(1)
    optimizer.step()
    assert float(w.detach()) == pytest.approx(1 - 0.1 * 0.2)
