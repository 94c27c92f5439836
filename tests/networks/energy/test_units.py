"""Kinds of units: means, draws and free energies."""

from __future__ import annotations

import pytest
import torch

from netwise.networks.energy.units import draw, hidden_free_energy, mean, visible_energy


def test_rectified_units_draw_about_their_mean() -> None:
    x = torch.full((200_000,), 3.0)
    torch.manual_seed(0)
    assert float(draw("rectified", x).mean()) == pytest.approx(
        float(mean("rectified", x[:1])), abs=0.02
    )
    # The slope of the free energy is the mean of the stack of binary units: near max(0, x), by Nair
    # and Hinton's eq. 2.
    z = torch.tensor([3.0], requires_grad=True)
    hidden_free_energy("rectified", z).sum().backward()
    assert float(z.grad) == pytest.approx(float(torch.log1p(torch.exp(z.detach()))), abs=0.02)


def test_binary_draws_have_the_mean_of_the_sigmoid_and_gaussian_ones_that_of_the_input() -> None:
    torch.manual_seed(0)
    x = torch.full((200_000,), 0.7)
    assert float(draw("binary", x).mean()) == pytest.approx(float(torch.sigmoid(x[0])), abs=0.005)
    assert set(draw("binary", x).unique().tolist()) == {0.0, 1.0}
    gaussian = draw("gaussian", x)
    assert float(gaussian.mean()) == pytest.approx(0.7, abs=0.01)
    assert float(gaussian.std()) == pytest.approx(1.0, abs=0.01)


def test_free_energies_are_sums_over_states() -> None:
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)
    binary = torch.logsumexp(torch.stack([0 * x, x]), 0)  # states 0 and 1
    torch.testing.assert_close(hidden_free_energy("binary", x), binary)
    copies = torch.arange(40, dtype=torch.float64) + 0.5  # a rectified unit is a stack of these
    stack = torch.stack([torch.nn.functional.softplus(x - c) for c in copies]).sum(0)
    torch.testing.assert_close(hidden_free_energy("rectified", x), stack)


def test_the_energy_of_visible_units() -> None:
    v, bias = torch.randn(4, 3), torch.randn(3)
    torch.testing.assert_close(visible_energy("binary", v, bias), -(v * bias).sum(1))
    torch.testing.assert_close(visible_energy("gaussian", v, bias), ((v - bias) ** 2).sum(1) / 2)
