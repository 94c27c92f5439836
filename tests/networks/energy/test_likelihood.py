"""Likelihoods of restricted machines against enumeration of all states."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings, strategies as st

import netwise as nw
from networks.energy.enumeration import every, joint, machine


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 1000))
def test_free_energy_and_likelihood_equal_enumeration(visible: int, hidden: int, seed: int) -> None:
    m = machine(visible, hidden, seed=seed)
    e = joint(m)
    torch.testing.assert_close(m.free_energy(every(visible)), -e.logsumexp(1), rtol=0, atol=1e-10)
    torch.testing.assert_close(
        nw.energy.log_partition(m), e.flatten().logsumexp(0), rtol=0, atol=1e-10
    )
    torch.testing.assert_close(
        nw.energy.log_likelihood(m, every(visible)),
        e.logsumexp(1) - e.flatten().logsumexp(0),
        rtol=0,
        atol=1e-10,
    )


def test_pseudo_likelihood_equals_enumeration_and_its_draws_agree() -> None:
    m = machine()
    log_p = nw.energy.log_likelihood(m, every(5))
    wanted = torch.zeros(32, dtype=torch.float64)
    for i in range(5):
        flipped = torch.arange(32) ^ (1 << i)
        wanted += log_p - torch.logaddexp(log_p, log_p[flipped])
    torch.testing.assert_close(nw.energy.pseudo_likelihood(m, every(5), flips=None), wanted)
    torch.manual_seed(0)
    drawn = torch.stack(
        [nw.energy.pseudo_likelihood(m, every(5), flips=2) for _ in range(4000)]
    ).mean(0)
    torch.testing.assert_close(drawn, wanted, rtol=0, atol=0.25)


def test_gaussian_visible_units_have_the_density_of_their_integral() -> None:
    m = machine(1, 2, visible_units="gaussian")
    v = torch.linspace(-30, 30, 200_001, dtype=torch.float64)[:, None]
    area = float(torch.trapezoid(nw.energy.log_likelihood(m, v).exp(), v[:, 0]))
    assert area == pytest.approx(1, abs=1e-6)
