"""Diagnostics of Markov chains against series whose correlations are known."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.networks.energy.mixing import autocorrelation_at


def wandering(a: float, steps: int, chains: int) -> torch.Tensor:
    """x_t = a x_(t-1) + noise: autocorrelation a^lag."""
    g = torch.Generator().manual_seed(0)
    x, rows = torch.randn(chains, generator=g, dtype=torch.float64) / (1 - a * a) ** 0.5, []
    for _ in range(steps):
        x = a * x + torch.randn(chains, generator=g, dtype=torch.float64)
        rows.append(x)
    return torch.stack(rows)


@pytest.mark.parametrize("a", [0.0, 0.5, 0.9])
def test_autocorrelation_and_effective_samples_of_a_known_process(a: float) -> None:
    series = wandering(a, 4000, 20)
    rho = nw.energy.autocorrelation(series)
    for lag in (1, 2, 5):
        assert float(rho[lag]) == pytest.approx(a**lag, abs=0.03)
    assert nw.energy.effective_samples(series) == pytest.approx(
        80_000 * (1 - a) / (1 + a), rel=0.15
    )


def test_autocorrelation_equals_the_sum_by_hand() -> None:
    x = torch.randn(30, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    d = x - x.mean()
    wanted = [float((d[: 30 - k] * d[k:]).sum() / (d * d).sum()) for k in range(30)]
    torch.testing.assert_close(
        nw.energy.autocorrelation(x), torch.tensor(wanted, dtype=torch.float64)
    )


def test_chains_that_stand_still_and_chains_that_forget() -> None:
    state = (torch.rand(2000, 30, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    assert autocorrelation_at(state, lambda v: v) == pytest.approx(1)
    assert abs(autocorrelation_at(state, lambda v: torch.rand_like(v).round())) < 0.05
    assert autocorrelation_at(torch.ones(5, 3), lambda v: v) == 1  # nothing moves
