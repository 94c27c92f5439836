"""Boltzmann machines of a few units, against all of their states."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import netwise as nw
from netwise.networks.energy.boltzmann import FullBoltzmann, gibbs_sweeps
from netwise.networks.energy.likelihood import binary_states


def machine(
    visible: int = 3, hidden: int = 2, std: float = 1.0, seed: int = 0, inner: bool = True
) -> FullBoltzmann:
    torch.manual_seed(seed)
    made = nw.BoltzmannMachine(visible, hidden, std=std, inner=inner).build().double().eval()
    assert isinstance(made, FullBoltzmann)
    torch.nn.init.normal_(made.bias)
    return made


def by_hand(m: FullBoltzmann) -> Tensor:
    """-E of every state, pair by pair."""
    every = binary_states(m.units, m.weight)
    pairs = [(i, j) for i in range(m.units) for j in range(i)]
    return (
        sum(m.weight[i, j] * every[:, i] * every[:, j] for i, j in pairs) + every @ m.bias
    ).detach()


def test_z_marginals_and_likelihood_equal_enumeration() -> None:
    m = machine()
    e = by_hand(m)
    torch.testing.assert_close(m.log_z().detach(), e.logsumexp(0))
    torch.testing.assert_close(m.distribution(), torch.softmax(e, 0))
    torch.testing.assert_close(m.distribution(2.0), torch.softmax(e / 2, 0))
    marginal = (
        torch.softmax(e, 0).reshape(4, 8).sum(0)
    )  # unit i is bit i: the visible ones are the lowest
    torch.testing.assert_close(
        m.log_likelihood(binary_states(3, m.weight)).detach().exp(), marginal
    )


def test_the_exact_gradient_is_the_difference_of_two_correlations() -> None:
    m = machine()
    data = binary_states(3, m.weight)[[1, 6, 6, 7]]
    m.set_loss(nw.ExactGradient())
    m.train()
    m(data, data[:, :0]).backward()
    p, every = torch.softmax(by_hand(m), 0), binary_states(5, m.weight)
    model = torch.einsum("s,si,sj->ij", p, every, every)
    clamped = torch.zeros(5, 5, dtype=torch.float64)
    for v in data:
        alike = (every[:, :3] == v).all(1)
        q = torch.softmax(by_hand(m)[alike], 0)
        clamped += torch.einsum("s,si,sj->ij", q, every[alike], every[alike]) / len(data)
    wanted = model - clamped
    torch.testing.assert_close(
        m.weight.grad, wanted - torch.diag(wanted.diagonal()), rtol=0, atol=1e-10
    )
    torch.testing.assert_close(m.bias.grad, wanted.diagonal(), rtol=0, atol=1e-10)
    # and it is the derivative of the likelihood, by a small step
    for i, j in ((0, 1), (2, 4)):
        loss = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                m.weight[i, j] += step
                m.weight[j, i] += step
                loss.append(-m.log_likelihood(data).mean().item())
                m.weight[i, j] -= step
                m.weight[j, i] -= step
        assert float(m.weight.grad[i, j]) == pytest.approx((loss[0] - loss[1]) / 2e-5, abs=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_sweeps_have_the_boltzmann_distribution(temperature: float) -> None:
    m = machine()
    torch.manual_seed(1)
    s = m.gibbs_sweeps(torch.zeros(40_000, 5, dtype=torch.float64), [temperature] * 30)
    seen = torch.bincount(
        (s @ (2.0 ** torch.arange(5, dtype=torch.float64))).long(), minlength=32
    ) / len(s)
    assert (
        float((seen - m.distribution(temperature)).abs().max()) < 0.012
    )  # five standard errors of a share of a half


def test_held_units_stay_and_the_rest_follows_the_conditional() -> None:
    m = machine()
    v = torch.tensor([[1.0, 0.0, 1.0]], dtype=torch.float64)
    torch.manual_seed(0)
    s = m.gibbs_sweeps(
        torch.cat([v, torch.zeros(1, 2, dtype=torch.float64)], 1).expand(20_000, 5),
        [1.0] * 20,
        held=3,
    )
    assert torch.equal(s[:, :3], v.expand(20_000, 3))
    torch.testing.assert_close(
        s[:, 3:].mean(0, keepdim=True), m.hidden_given(v), rtol=0, atol=0.015
    )


def test_machines_side_by_side_are_machines_alone() -> None:
    one, other = machine(seed=1), machine(seed=2)
    weight, bias = (
        torch.stack([one.weight, other.weight]).detach(),
        torch.stack([one.bias, other.bias]).detach(),
    )
    torch.manual_seed(0)
    s = gibbs_sweeps(torch.zeros(2, 20_000, 5, dtype=torch.float64), weight, bias, [1.0] * 30)
    for i, m in enumerate((one, other)):
        wanted = m.distribution() @ binary_states(5, m.weight)
        torch.testing.assert_close(s[i].mean(0), wanted, rtol=0, atol=0.02)


def test_the_transition_matrix_leaves_the_distribution_as_it_is() -> None:
    m = machine()
    for temperature in (4.0, 0.5):
        moves, p = m.transition(temperature), m.distribution(temperature)
        torch.testing.assert_close(moves.sum(1), torch.ones(32, dtype=torch.float64))
        torch.testing.assert_close(p @ moves, p)


def test_the_annealed_phase_gives_the_exact_gradient_where_it_has_cooled_down() -> None:
    data = binary_states(3, torch.zeros(0))[torch.arange(20_000) % 5]
    exact, sampled = machine(std=0.5).float(), machine(std=0.5).float()
    exact.set_loss(nw.ExactGradient())
    sampled.set_loss(
        nw.AnnealedSampling(
            temperatures=(2.0,) * 5 + (1.0,) * 20, counted=20, noise_on=0.0, noise_off=0.0
        )
    )
    torch.manual_seed(0)
    for m in (exact, sampled):
        m.train()
        m(data, data[:, :0]).backward()
    torch.testing.assert_close(sampled.weight.grad, exact.weight.grad, rtol=0, atol=0.02)
    torch.testing.assert_close(sampled.bias.grad, exact.bias.grad, rtol=0, atol=0.02)


def test_units_that_are_not_joined_stay_so() -> None:
    data = nw.data.arrays(np.eye(4, dtype=np.float32), [0, 1, 0, 1], valid=0.0, test=0.0)
    run = nw.fit(
        nw.Recipe(
            data=data,
            network=nw.BoltzmannMachine(4, 3, inner=False),
            loss=nw.ExactGradient(),
            optimizer=nw.SGD(lr=0.5),
            epochs=20,
        )
    )
    weight = run.module.weight.detach()
    assert bool((weight[4:, 4:] == 0).all())
    assert bool((weight.diagonal() == 0).all())
    torch.testing.assert_close(weight, weight.t())
    likelihood = run.history.of("likelihood.exact").values
    assert likelihood[-1] > likelihood[0]


def test_completion_follows_the_conditional() -> None:
    m = machine()
    x = binary_states(3, m.weight)[[5]]
    full = m.complete(x, torch.tensor([False, True, True]), steps=20_000)
    every = binary_states(3, m.weight)
    alike = (every[:, 1:] == x[0, 1:]).all(1)
    p = torch.softmax(m.log_likelihood(every[alike]).detach(), 0)
    assert float(full[0, 0]) == pytest.approx(float(p @ every[alike][:, 0]), abs=0.03)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"loss": nw.PCD()}, "is for restricted machines. Write ExactGradient()"),
        (
            {"network": nw.BoltzmannMachine(4, 30), "loss": nw.ExactGradient()},
            "34 units have too many. Write AnnealedSampling()",
        ),
        ({"network": nw.BoltzmannMachine(5, 2), "loss": nw.ExactGradient()}, "4 numbers. Write 4"),
        ({"data": nw.data.iris(), "loss": nw.ExactGradient()}, "takes inputs of 0 and 1"),
    ],
)
def test_what_does_not_fit_is_told_before_any_work(changes: dict[str, object], told: str) -> None:
    data = nw.data.arrays(np.eye(4, dtype=np.float32), [0, 1, 0, 1], valid=0.0, test=0.0)
    recipe = nw.Recipe(data=data, network=nw.BoltzmannMachine(4, 2), loss=nw.ExactGradient())
    with pytest.raises(nw.WrongValue) as caught:
        nw.fit(recipe.but(**changes))
    assert told in str(caught.value)
