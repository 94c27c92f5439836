"""A neuron with a threshold against autograd."""

from __future__ import annotations

import pytest
import torch

import netwise as nw


def test_a_neuron_is_autograds_and_remembers() -> None:
    neuron = nw.learning_rules.Neuron((2.0,), threshold=-2.0)
    w, b = (
        torch.tensor(2.0, dtype=torch.float64, requires_grad=True),
        torch.tensor(2.0, dtype=torch.float64, requires_grad=True),
    )
    for _ in range(50):
        a = torch.sigmoid(w + b)
        dw, db = torch.autograd.grad(a.square() / 2, (w, b))
        w, b = (w - 0.15 * dw).detach().requires_grad_(), (b - 0.15 * db).detach().requires_grad_()
        neuron = neuron.learn((1.0,), 0.0, rate=0.15)
    assert neuron.weights[0] == pytest.approx(w.item(), abs=1e-12)
    assert neuron.bias == pytest.approx(b.item(), abs=1e-12)
    assert len(neuron.history) == 50
    assert neuron.history[0].weights == (2.0,)
    assert neuron.history[0].output == pytest.approx(0.982, abs=1e-3)
    assert [m.cost for m in neuron.history] == sorted(
        (m.cost for m in neuron.history), reverse=True
    )
    with pytest.raises(
        ValueError, match="x has 2 inputs, and the neuron has 1 weights: pass one input"
    ):
        neuron.output((1.0, 2.0))
