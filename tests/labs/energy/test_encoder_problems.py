"""The encoder problems: exact moments against autograd, noise, counts, and the smallest problem."""

from __future__ import annotations

import pytest
import torch

from netwise.labs.energy.encoder_problems import (
    EncoderMachines,
    ExactEncoder,
    connections,
    encoder_criteria,
    median_cycle,
    noise_of,
    solved_share,
)
from netwise.labs.lab_definition import LabResult
from netwise.networks.energy.likelihood import binary_states


def test_visible_groups_are_connected_to_hidden_units_and_not_to_each_other() -> None:
    connected = connections(3, 2)
    assert connected.shape == (8, 8)
    assert float(connected[:3, 3:6].sum()) == 0
    assert bool((connected[:6, 6:] == 1).all())
    assert torch.equal(connected, connected.t())
    assert float(connected.diagonal().sum()) == 0


def test_moments_are_the_gradient_of_the_log_likelihood() -> None:
    encoder = ExactEncoder.drawn(0)
    patterns = torch.cat([torch.eye(4), torch.eye(4)], 1)
    clamped = encoder.machine.with_hidden(patterns)
    weight = encoder.machine.weight.detach().double().requires_grad_()
    bias = torch.randn(10).mul(0.1).double().requires_grad_()
    states = binary_states(10, encoder.machine.weight).double()

    def minus_energy(s: torch.Tensor) -> torch.Tensor:
        return 0.5 * ((s @ weight) * s).sum(-1) + s @ bias

    log_z = torch.logsumexp(minus_energy(states), 0)
    likelihood = (torch.logsumexp(minus_energy(clamped.double()), 1) - log_z).mean()
    likelihood.backward()
    data, model = encoder.moments(weight.detach().float(), bias.detach().float(), clamped)
    assert weight.grad is not None
    assert bias.grad is not None
    # A symmetric weight has one gradient for both of its entries: half of it in each.
    assert torch.allclose(0.5 * (data - model).double(), weight.grad, atol=1e-6)
    assert torch.allclose((data - model).diagonal().double(), bias.grad, atol=1e-6)


def test_exact_training_raises_the_likelihood_of_the_patterns() -> None:
    encoder = ExactEncoder.drawn(1)
    patterns = torch.cat([torch.eye(4), torch.eye(4)], 1)
    clamped = encoder.machine.with_hidden(patterns)
    states = binary_states(10, encoder.machine.weight)

    def likelihood(weight: torch.Tensor, bias: torch.Tensor) -> float:
        def minus_energy(s: torch.Tensor) -> torch.Tensor:
            return 0.5 * ((s @ weight) * s).sum(-1) + s @ bias

        log_z = torch.logsumexp(minus_energy(states), 0)
        return float((torch.logsumexp(minus_energy(clamped), 1) - log_z).mean())

    assert likelihood(*encoder.train(50)) > likelihood(*encoder.train(0)) + 0.5


def test_noise_changes_ones_and_zeros_with_its_probabilities() -> None:
    torch.manual_seed(0)
    machines = EncoderMachines(4, 2, 1, 0, noise=(0.3, 0.1))
    patterns = torch.cat([torch.ones(1, 4000, 4), torch.zeros(1, 4000, 4)], 2)
    noisy = machines.with_noise(patterns)
    assert set(noisy.unique().tolist()) == {0.0, 1.0}
    assert float(noisy[..., :4].mean()) == pytest.approx(0.7, abs=0.02)
    assert float(noisy[..., 4:].mean()) == pytest.approx(0.1, abs=0.02)


def test_counts_are_of_the_clamped_states() -> None:
    machines = EncoderMachines(2, 1, 1, 0)
    visible = torch.tensor([[[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]])
    torch.manual_seed(0)
    pairs, active = machines.count(visible, torch.zeros(1, 5, 5), torch.zeros(1, 5), held=4)
    assert active[0, :4].tolist() == [10.0] * 4  # each unit is 1 in one of two chains, 10 sweeps
    assert float(pairs[0, 0, 2]) == 10
    assert float(pairs[0, 0, 1]) == 0


def test_a_machine_that_copies_through_its_hidden_units_has_solved_the_problem() -> None:
    machines = EncoderMachines(2, 2, 1, 0)
    weight = torch.zeros(1, 6, 6)
    for i in range(2):  # hidden unit i joins unit i of both groups
        for visible in (i, 2 + i):
            weight[0, visible, 4 + i] = weight[0, 4 + i, visible] = 20.0
    bias = torch.tensor([[-10.0, -10.0, -10.0, -10.0, -10.0, -10.0]])
    torch.manual_seed(0)
    assert machines.solved(weight, bias).tolist() == [True]
    swapped = weight[:, [0, 1, 3, 2, 4, 5]][:, :, [0, 1, 3, 2, 4, 5]]
    assert machines.solved(swapped, bias).tolist() == [False]


def test_the_procedure_of_1985_solves_the_smallest_encoder_problem() -> None:
    solved_at = EncoderMachines(2, 1, 20, 200).run()
    assert solved_share(solved_at) > 0.9
    assert int(solved_at.max()) <= 200
    assert bool((solved_at % 10 == 0).all())


def test_a_weight_follows_the_sign_or_the_difference_of_frequencies() -> None:
    counts = torch.tensor([-40.0, 0.0, 8.0])
    fixed = EncoderMachines(4, 2, 1, 0, step=0.2).change(counts)
    assert fixed.tolist() == pytest.approx([-0.2, 0.0, 0.2])
    smooth = EncoderMachines(4, 2, 1, 0, rate=0.5).change(counts)  # 8 chains, 10 sweeps
    assert smooth.tolist() == pytest.approx([-0.25, 0.0, 0.05])


def test_noise_adds_as_many_units_to_a_large_group_as_to_a_small_one() -> None:
    assert noise_of(4) == (0.15, 0.05)
    lost, added = noise_of(8)
    assert lost == 0.15
    assert 7 * added == pytest.approx(0.15, abs=1e-5)


def test_machines_that_never_solved_it_count_in_the_share_alone() -> None:
    solved_at = torch.tensor([0, 30, 10, 20])
    assert solved_share(solved_at) == 0.75
    assert median_cycle(solved_at) == 20
    assert median_cycle(torch.zeros(3, dtype=torch.int64)) == 0


@pytest.mark.parametrize(
    ("small", "large", "exact", "verdict", "beside"),
    [
        (1.0, 0.8, 0.5, "confirmed", True),
        (0.9, 0.8, 0.9, "partly confirmed", False),
        (0.5, 0.5, 1.0, "refuted", False),
    ],
)
def test_l22_can_be_refuted(
    small: float, large: float, exact: float, verdict: str, beside: bool
) -> None:
    criteria = encoder_criteria(small, large, exact)
    assert LabResult({}, criteria, "", {}).verdict == verdict
    assert criteria[-1].holds == beside
