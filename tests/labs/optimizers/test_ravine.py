"""The paths of L45 are those of torch and of theory, and its criteria can fail."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from netwise.labs.lab_definition import LabResult
from netwise.labs.optimizers.ravine import (
    best_momentum,
    best_run,
    criteria,
    crossings,
    loss,
    paths,
    steps_to_goal,
)


def test_classic_momentum_is_that_of_torch() -> None:
    w = torch.tensor([10.0, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer, expected = torch.optim.SGD([w], lr=0.005, momentum=0.9), [w.detach().clone()]
    for _ in range(100):
        optimizer.zero_grad()
        (w[0] ** 2 + 50 * w[1] ** 2).backward()
        optimizer.step()
        expected.append(w.detach().clone())
    points = paths(np.array([0.005]), 0.9, 50.0, averaged=False)
    assert points[:101, 0] == pytest.approx(torch.stack(expected).numpy(), abs=1e-9)


def test_the_best_rate_of_plain_descent_is_that_of_theory() -> None:
    rate, points = best_run(0.0, 50.0)
    assert rate == pytest.approx(2 / (2 + 100), rel=0.05)
    assert loss(points, 50.0)[-1] < 1e-6 <= loss(points, 50.0)[-2]


def test_the_momentum_of_theory_is_the_best_one() -> None:
    best = best_momentum(50.0)
    steps = {beta: len(best_run(beta, 50.0)[1]) for beta in (best - 0.2, best, best + 0.2)}
    assert min(steps, key=lambda beta: steps[beta]) == best


def test_steps_count_until_the_loss_stays_below_the_goal() -> None:
    x = np.array([1.0, 1e-4, 1.0, 1e-4, 1e-4])
    points = np.stack([np.stack([x, 0 * x], 1), np.stack([0 * x + 1, 0 * x], 1)], 1)
    assert steps_to_goal(points, 50.0).tolist() == [3, 5]


def test_crossings_are_changes_of_the_side() -> None:
    assert crossings(np.array([1.0, -1.0, -2.0, 1.0, 2.0])) == 0.5


def test_the_criteria_can_fail() -> None:
    numbers = {
        "plain: steps": 100.0,
        "momentum: steps": 120.0,
        "best momentum: steps": 90.0,
        "plain: share of steps across": 0.1,
        "momentum: share of steps across": 0.2,
        "plain: best rate": 0.1,
        "momentum: best rate": 0.2,
        "averaged at rate / (1 - beta) and classic: largest distance": 1.0,
    }
    assert not any(criterion.holds for criterion in criteria(numbers))
    right = {
        **numbers,
        "momentum: steps": 50.0,
        "momentum: share of steps across": 0.0,
        "averaged at rate / (1 - beta) and classic: largest distance": 0.0,
    }
    assert LabResult({}, criteria(right), "").verdict == "confirmed"
