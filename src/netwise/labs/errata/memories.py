"""Checks of errata of Hopfield networks and Boltzmann machines."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from netwise.labs.errata.erratum import Check
from netwise.networks.energy.hopfield import AssociativeMemory, Hopfield

UNITS, PATTERNS = 100, 5


def _patterns(generator: torch.Generator) -> Tensor:
    return torch.randint(2, (PATTERNS, UNITS), generator=generator) * 2.0 - 1


def _recalled(weights: Tensor, x: Tensor, low: float) -> Tensor:
    """States after 20 sweeps of threshold units at threshold 0, one unit after the other."""
    x = x.clone()
    for _, unit in itertools.product(range(20), range(UNITS)):
        field = x @ weights[unit]
        x[:, unit] = torch.where(field > 0, 1.0, torch.where(field < 0, low, x[:, unit]))
    return x


def _hebb(p: Tensor) -> Tensor:
    """Mean of x_i x_j over the patterns, without self-connection."""
    weights = p.T @ p / len(p)
    return weights.fill_diagonal_(0)


def zero_one_states() -> Check:
    """E11: recall from a tenth of noise with Hebb's weights of states 0 and 1, and of -1 and 1."""
    g = torch.Generator().manual_seed(0)
    p = _patterns(g)
    noisy = p * torch.where(torch.rand(p.shape, generator=g) < 0.1, -1.0, 1.0)
    binary = _recalled(_hebb((p + 1) / 2), (noisy + 1) / 2, 0.0)
    thresholds = AssociativeMemory(Hopfield(UNITS, states="binary"))
    thresholds.store((p + 1) / 2)
    corrected = thresholds.recall((noisy + 1) / 2).states
    measured = {
        "units that agree, states 0 and 1": float((binary == (p + 1) / 2).float().mean()),
        "units that agree, states -1 and 1": float(
            (_recalled(_hebb(p), noisy, -1.0) == p).float().mean()
        ),
        "units that agree, states 0 and 1 with thresholds": float(
            (corrected == (p + 1) / 2).float().mean()
        ),
    }
    lost, kept, with_thresholds = measured.values()
    return Check(measured, lost < 0.8, min(kept, with_thresholds) > 0.99)


def energy_at_the_end() -> Check:
    """E12: the energy where recall ends, and the field of each unit there."""
    g = torch.Generator().manual_seed(0)
    memory = AssociativeMemory(Hopfield(UNITS))
    memory.store(_patterns(g))
    start = torch.randint(2, (50, UNITS), generator=g) * 2.0 - 1
    end = memory.recall(start).states
    agrees = (memory.field(end) * end >= -1e-4).all()
    measured = {
        "highest energy at an end": float(memory.energy(end).max()),
        "share of units that the next update would not turn": float(
            (memory.field(end) * end >= -1e-4).float().mean()
        ),
    }
    return Check(measured, measured["highest energy at an end"] < -1, bool(agrees))


def boltzmann_probability() -> Check:
    """E14: the stationary distribution of a machine of four units, with either exponent, against
    the Boltzmann distribution."""
    g = torch.Generator().manual_seed(0)
    n = 4
    w = torch.randn(n, n, generator=g, dtype=torch.float64).triu(1)
    w = w + w.T
    states = torch.tensor(list(itertools.product((0.0, 1.0), repeat=n)), dtype=torch.float64)
    energy = -0.5 * ((states @ w) * states).sum(1)
    boltzmann = torch.softmax(-energy, 0)

    def stationary(printed: bool) -> Tensor:
        transition = torch.zeros(2**n, 2**n, dtype=torch.float64)
        for i, unit in itertools.product(range(2**n), range(n)):
            exponent = states[i, unit] if printed else states[i] @ w[unit]
            on = torch.sigmoid(exponent)
            bit = 2 ** (n - 1 - unit)
            transition[i, i | bit] += on / n
            transition[i, i & ~bit] += (1 - on) / n
        ends: Tensor = torch.linalg.matrix_power(transition, 4096)
        return ends[0]

    measured = {
        "largest difference of a probability, printed": float(
            (stationary(True) - boltzmann).abs().max()
        ),
        "largest difference, right": float((stationary(False) - boltzmann).abs().max()),
    }
    printed, right = measured.values()
    return Check(measured, printed > 0.01, right < 1e-9)


def without_its_properties() -> Check:
    """E28: steps of recall that raise the energy, with weights that are symmetric and that are
    not."""
    g = torch.Generator().manual_seed(0)
    drawn = torch.randn(UNITS, UNITS, generator=g)
    symmetric = (drawn + drawn.T) / 2
    symmetric.fill_diagonal_(0)

    def rises(weights: Tensor) -> float:
        x = torch.randint(2, (UNITS,), generator=torch.Generator().manual_seed(1)) * 2.0 - 1
        energies = [float(-0.5 * x @ weights @ x)]
        for _, unit in itertools.product(range(20), range(UNITS)):
            x[unit] = 1.0 if float(weights[unit] @ x) > 0 else -1.0
            energies.append(float(-0.5 * x @ weights @ x))
        return float(sum(b > a + 1e-3 for a, b in itertools.pairwise(energies)))

    measured = {
        "updates that raise E, symmetric weights without self-connection": rises(symmetric),
        "updates that raise E, other weights": rises(drawn),
    }
    with_them, without = measured.values()
    return Check(measured, without > 0, with_them == 0)
