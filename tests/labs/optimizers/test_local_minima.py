"""Gradients of L69 are those of its losses, its arms find what they should, and its criteria can
fail."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.optimizers.local_minima import (
    ARMS,
    CENTRES,
    DEPTHS,
    PROBLEMS,
    anneal,
    criteria,
    descend,
    wells_loss,
    xor_gradient,
)


@pytest.mark.parametrize("name", PROBLEMS)
def test_gradients_are_those_of_the_losses(name: str) -> None:
    problem = PROBLEMS[name]
    w = problem.start(np.random.default_rng(0), 3)
    for i in range(w.shape[1]):
        step = np.zeros_like(w)
        step[:, i] = 1e-6
        slope = (problem.loss(w + step) - problem.loss(w - step)) / 2e-6
        assert problem.gradient(w, None)[:, i] == pytest.approx(slope, abs=1e-7)


def test_the_mean_of_the_gradients_of_single_samples_is_that_of_all() -> None:
    w = np.random.default_rng(0).standard_normal((1, 9))
    single = [xor_gradient(w, np.full((1, 9), number)) for number in (0.0, 1e-6, 2e-6, 3e-6)]
    assert np.mean(single, axis=0) == pytest.approx(xor_gradient(w, None))


def test_descent_ends_in_the_well_where_it_starts() -> None:
    problem, rng = PROBLEMS["wells"], np.random.default_rng(0)
    ends = descend(problem, CENTRES + 0.2, 500, 0.1, rng, 0)
    assert np.linalg.norm(ends - CENTRES, axis=1).max() < 0.1
    assert wells_loss(ends).argmin() == DEPTHS.argmax()


def test_annealing_leaves_shallow_wells() -> None:
    problem, rng = PROBLEMS["wells"], np.random.default_rng(0)
    ends = anneal(problem, np.repeat(CENTRES[:1], 50, 0), 1500, 0.1, 1.0, rng)
    assert (problem.loss(ends) < problem.solved).mean() > 0.15  # descent: none


def test_the_criteria_can_fail() -> None:
    names = [f"{name}, {arm}: more successes, low" for name in PROBLEMS for arm in ARMS[1:]]
    assert LabResult({}, criteria(dict.fromkeys(names, -0.1)), "").verdict == "refuted"
    assert LabResult({}, criteria(dict.fromkeys(names, 0.1)), "").verdict == "confirmed"
