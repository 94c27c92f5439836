"""Temperature and annealing of small machines against sums over all states."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from netwise.labs.energy.annealing import (
    annealing_criteria,
    energy,
    final_energies,
    ground_state_probability,
    is_rising,
    random_machine,
    random_network,
    relaxation_steps,
    temperature_criteria,
)
from netwise.labs.lab_definition import LabResult


def states_by_hand(units: int) -> list[tuple[int, ...]]:
    return list(itertools.product((0, 1), repeat=units))


def energy_by_hand(state: tuple[int, ...], weight: torch.Tensor) -> float:
    return -sum(
        float(weight[i, j]) * state[i] * state[j]
        for i in range(len(state))
        for j in range(i + 1, len(state))
    )


@pytest.mark.parametrize("temperature", [4.0, 1.0, 0.25])
def test_the_probability_is_that_of_boltzmann(temperature: float) -> None:
    machine = random_machine(1, units=4)
    weight, bias = machine.weight.detach(), machine.bias.detach()
    energies = [
        energy_by_hand(s, weight) - sum(float(bias[i]) * s[i] for i in range(4))
        for s in states_by_hand(4)
    ]
    powers = [math.exp(-e / temperature) for e in energies]
    expected = max(powers) / sum(powers)
    assert ground_state_probability(machine, temperature) == pytest.approx(expected, rel=1e-9)


def test_the_relaxation_time_is_the_rate_at_which_distributions_converge() -> None:
    machine = random_machine(0, units=3)
    steps = relaxation_steps(machine, 1.0)
    transition, stationary = machine.transition(1.0), machine.distribution(1.0)
    start = torch.zeros(8, dtype=torch.float64)
    start[0] = 1
    assert torch.allclose(transition.sum(1), torch.ones(8).double())  # rows are distributions
    distances = []
    for _ in range(61):
        start = start @ transition
        distances.append(float((start - stationary).abs().max()))
    measured = distances[60] / distances[59]  # the second eigenvalue alone is left by then
    assert 1 / (1 - measured) == pytest.approx(steps, rel=1e-3)


def test_rising_is_strict() -> None:
    assert is_rising([1.0, 2.0, 3.0])
    assert not is_rising([1.0, 2.0, 2.0])


def test_the_energy_is_the_sum_over_pairs() -> None:
    weight = random_network(3, units=5)
    assert torch.equal(weight, weight.t())
    assert float(weight.diagonal().abs().max()) == 0
    states = torch.tensor(states_by_hand(5), dtype=torch.float64)
    expected = [energy_by_hand(s, weight) for s in states_by_hand(5)]
    assert energy(states, weight).tolist() == pytest.approx(expected)


def test_final_energies_are_those_of_local_minima_and_annealing_finds_the_lowest() -> None:
    units = 10
    weight = random_network(2, units)
    states = torch.tensor(states_by_hand(units), dtype=torch.float64)
    energies = energy(states, weight)
    flips = torch.stack(
        [energy((states - torch.eye(units).double()[i]).abs(), weight) for i in range(units)], 1
    )
    minima = energies[(flips >= energies[:, None]).all(1)]
    assert len(minima) > 1  # descents can get stuck
    annealed, descents = final_energies(weight, starts=50)
    assert annealed.shape == (50,)
    assert descents.shape == (5, 50)
    for value in [*annealed.tolist(), *descents.flatten().tolist()]:
        assert float((minima - value).abs().min()) < 1e-9
    assert float(annealed.min()) == pytest.approx(float(energies.min()))


def test_l20_is_refuted_where_cold_machines_are_less_certain_and_faster() -> None:
    rising, falling = [[0.1, 0.5, 0.9]], [[9.0, 5.0, 1.0]]
    assert LabResult({}, temperature_criteria(rising, rising), "", {}).verdict == "confirmed"
    assert LabResult({}, temperature_criteria(falling, falling), "", {}).verdict == "refuted"
    mixed = [[0.1, 0.5, 0.9], [0.2, 0.1, 0.3]]
    holds = [criterion.holds for criterion in temperature_criteria(mixed, rising * 2)]
    assert holds == [True, True, False, True]


def test_l21_is_refuted_where_annealing_gains_in_few_networks() -> None:
    confirmed = annealing_criteria([1.0] * 19 + [-1.0], [0.0] * 20)
    assert [criterion.holds for criterion in confirmed] == [True, True]
    assert confirmed[0].value == pytest.approx(0.95)
    refuted = annealing_criteria([1.0, -1.0], [0.5, -0.25])
    assert [criterion.holds for criterion in refuted] == [False, False]
    assert refuted[1].value == 0.25
