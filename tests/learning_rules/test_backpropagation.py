"""Back-propagation with thresholds against autograd."""

from __future__ import annotations

import pytest
import torch

import netwise as nw


def data(samples: int = 20, ins: int = 5, outs: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(samples, ins, generator=g, dtype=torch.float64), torch.rand(
        samples, outs, generator=g, dtype=torch.float64
    )


@pytest.mark.parametrize("widths", [(5, 2), (5, 4, 2), (5, 7, 3, 2)])
def test_accumulated_back_propagation_is_autograds_gradient_of_the_mean_error(
    widths: tuple[int, ...],
) -> None:
    net = nw.learning_rules.ThresholdNetwork.drawn(widths, torch.Generator().manual_seed(1))
    x, y = data()
    after = net.accumulated(x, y, rate=0.7)
    live = nw.learning_rules.ThresholdNetwork(
        tuple(w.clone().requires_grad_() for w in net.weights),
        tuple(t.clone().requires_grad_() for t in net.thresholds),
    )
    gradients = torch.autograd.grad(live.cost(x, y).mean(), (*live.weights, *live.thresholds))
    for before, now, gradient in zip(
        (*net.weights, *net.thresholds), (*after.weights, *after.thresholds), gradients, strict=True
    ):
        assert float((before - 0.7 * gradient - now).abs().max()) < 1e-12


def test_standard_back_propagation_is_online_descent() -> None:
    net = nw.learning_rules.ThresholdNetwork.drawn((5, 4, 2), torch.Generator().manual_seed(1))
    x, y = data()
    weights = [w.clone().requires_grad_() for w in net.weights]
    biases = [(-t).clone().requires_grad_() for t in net.thresholds]  # a threshold is minus a bias
    for k in range(len(x)):
        a = x[k : k + 1]
        for w, b in zip(weights, biases, strict=True):
            a = torch.sigmoid(a @ w + b)
        gradients = torch.autograd.grad((a - y[k : k + 1]).square().sum() / 2, (*weights, *biases))
        with torch.no_grad():
            for p, gradient in zip((*weights, *biases), gradients, strict=True):
                p -= 0.3 * gradient
    after = net.step(x, y, rate=0.3)
    for p, w in zip(
        (*weights, *biases), (*after.weights, *(-t for t in after.thresholds)), strict=True
    ):
        assert float((p.detach() - w).abs().max()) < 1e-12
