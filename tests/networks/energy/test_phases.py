"""Negative phases against the exact gradient."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from networks.energy.enumeration import every, joint, machine


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
def test_the_exact_phase_gives_the_gradient_of_the_likelihood(shape: tuple[int, int]) -> None:
    m = machine(*shape)
    m.set_loss(nw.ExactGradient())
    data = every(shape[0])[[1, 3, 3, 6]]
    m.train()
    m(data, data[:, :0]).backward()
    e = joint(m)
    p = (e - e.flatten().logsumexp(0)).exp()
    v, h = every(m.visible), every(m.hidden)
    given = torch.sigmoid(data @ m.layer1.weight.detach().t() + m.layer1.bias.detach())
    weight = torch.einsum("vh,vi,hj->ji", p, v, h) - given.t() @ data / len(data)
    torch.testing.assert_close(m.layer1.weight.grad, weight, rtol=0, atol=1e-10)
    torch.testing.assert_close(m.layer1.bias.grad, p.sum(0) @ h - given.mean(0), rtol=0, atol=1e-10)
    torch.testing.assert_close(m.back1.bias.grad, p.sum(1) @ v - data.mean(0), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "phase",
    [
        nw.CD(steps=300),
        nw.PCD(chains=40_000, steps=30),
        nw.ParallelTempering(chains=20_000, rungs=4, steps=20),
        nw.FastPCD(chains=40_000, steps=30),
    ],
)
def test_a_sampled_phase_gives_the_exact_gradient_where_its_chains_have_mixed(
    phase: nw.NegativePhase,
) -> None:
    data = every(5)[torch.arange(40_000) % 7]
    exact, m = machine(), machine()
    exact.set_loss(nw.ExactGradient())
    exact.train()(data, data[:, :0]).backward()
    m.network = m.network.but(centred=False)
    m.set_loss(phase)
    m.double().train()
    torch.manual_seed(1)
    m(data, data[:, :0]).backward()
    for one, other in zip(m.weights_and_biases, exact.weights_and_biases, strict=True):
        torch.testing.assert_close(
            one.grad, other.grad, rtol=0, atol=0.02
        )  # 40,000 states: standard errors up to 0.0025
