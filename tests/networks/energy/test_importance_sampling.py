"""Annealed importance sampling against the exact partition function."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.networks.energy.importance_sampling import inverse_temperatures
from networks.energy.enumeration import machine


@pytest.mark.parametrize("seed", range(4))
def test_annealed_importance_sampling_lies_within_three_standard_errors_from_both_sides(
    seed: int,
) -> None:
    m = machine(12, 8, seed=seed).float()
    exact = float(nw.energy.log_partition(m))
    up = nw.energy.ais(m, chains=1000, temperatures=400, seed=seed)
    down = nw.energy.reverse_ais(m, torch.zeros(1000, 12), temperatures=400, burn_in=200, seed=seed)
    for estimate in (up, down):
        assert estimate.low <= exact <= estimate.high, (estimate, exact)
        assert estimate.error < 0.2


def test_the_direction_of_the_error_is_that_of_jensens_inequality() -> None:
    """Few temperatures: on average AIS finds too little, reverse AIS too much."""
    m = machine(12, 8, std=2.0).float()
    exact = float(nw.energy.log_partition(m))
    up = [nw.energy.ais(m, chains=1, temperatures=5, seed=s).log_z - exact for s in range(200)]
    x = (torch.rand(1, 12) < 0.5).float()
    down = [
        nw.energy.reverse_ais(m, x, temperatures=5, burn_in=100, seed=s).log_z - exact
        for s in range(200)
    ]
    assert np.mean(up) < -0.2 < 0.2 < np.mean(down)


def test_a_ladder_of_temperatures_rises_from_0_to_1() -> None:
    for count in (3, 10, 999, 10_000):
        heats = inverse_temperatures(count)
        assert heats[0] == 0
        assert heats[-1] == 1
        assert len(heats) >= count
        assert all(b > a for a, b in itertools.pairwise(heats))


def test_ais_refuses_what_it_has_no_way_for() -> None:
    with pytest.raises(nw.WrongValue, match="not binary"):
        nw.energy.ais(machine(visible_units="gaussian"))
    with pytest.raises(nw.WrongValue, match="must rise from 0 to 1"):
        nw.energy.ais(machine(), temperatures=[0.0, 0.5])
    with pytest.raises(nw.WrongValue, match=r"estimate it. Write nw.energy.ais\(machine\)"):
        nw.energy.log_partition(nw.RBM(30, 30).build())
