"""Shares of L70 against theory and eigenvalues, its critical points against autograd, and its
criteria can fail."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from netwise.labs.lab_definition import LabResult
from netwise.labs.optimizers.saddle_points import (
    EXACT,
    INPUTS,
    TARGETS,
    SaddlePointsSettings,
    criteria,
    critical_points,
    falls_faster,
    share_positive,
    xor_loss,
)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_share_is_that_of_theory(size: int) -> None:
    assert share_positive(size, 40_000) == pytest.approx(EXACT[size], abs=0.01)


def test_the_share_is_that_of_eigenvalues() -> None:
    matrices = np.random.default_rng(0).standard_normal((5000, 4, 4))
    values = np.linalg.eigvalsh(matrices + matrices.transpose(0, 2, 1))
    assert share_positive(4, 5000) == (values > 0).all(1).mean()


def test_the_loss_is_that_of_a_network() -> None:
    w = torch.randn(9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    network = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)).double()
    values = (w[:4].reshape(2, 2).T, w[4:6], w[6:8].reshape(1, 2), w[8:])
    for parameter, value in zip(network.parameters(), values, strict=True):
        parameter.data = value
    expected = nn.functional.mse_loss(network(INPUTS)[:, 0], TARGETS) / 2
    assert xor_loss(w).item() == pytest.approx(expected.item())


def test_one_unit_cannot_compute_xor_so_no_critical_point_has_a_loss_of_0() -> None:
    losses, negative = critical_points(SaddlePointsSettings(starts=20, width=1))
    assert len(losses) > 0
    assert losses.min() > 0.05
    assert (negative >= 0).all()


def test_faster_than_exponentially_is_a_fall_of_the_ratios() -> None:
    assert falls_faster([0.5, 0.1464, 0.0249, 0.0025])
    assert not falls_faster([0.5, 0.25, 0.125])


def test_the_criteria_can_fail() -> None:
    shares = [0.5, 0.25, 0.125, 0.0625, 0.03125]
    numbers = {
        f"n = {n}: share with positive eigenvalues only": share
        for n, share in enumerate(shares, start=1)
    }
    numbers["network: share of saddle points"] = 0.4
    numbers["network: mean loss, saddle points - minima"] = -0.1
    assert not any(criterion.holds for criterion in criteria(numbers))
    for n, share in EXACT.items():
        numbers[f"n = {n}: share with positive eigenvalues only"] = share
    numbers["n = 4: share with positive eigenvalues only"] = 0.0025
    numbers["n = 5: share with positive eigenvalues only"] = 0.0001
    numbers["network: share of saddle points"] = 0.9
    assert LabResult({}, criteria(numbers), "").verdict == "confirmed"
