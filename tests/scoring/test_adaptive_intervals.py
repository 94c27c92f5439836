"""Intervals that are wider where errors are larger hold the true number as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.scoring.adaptive_intervals import FEWEST, ErrorScale, interval_reach
from netwise.scoring.conformal import conformal_reach

Floats = np.ndarray


def prices(samples: int, seed: int) -> tuple[Floats, Floats]:
    """Predicted prices, and errors that grow with them."""
    draws = np.random.default_rng(seed)
    answers = draws.uniform(1, 100, (samples, 1))
    return np.abs(draws.normal(0, 0.1, (samples, 1)) * answers), answers


def test_errors_that_grow_with_the_prediction_give_wider_intervals_of_the_same_coverage() -> None:
    for level in (0.8, 0.95):
        covered, cheap, dear, constant = [], [], [], []
        for seed in range(20):
            errors, answers = prices(600, seed)
            new_errors, new = prices(2000, 1000 + seed)
            reach = interval_reach(errors, answers, new, level)
            assert reach.shape == new.shape
            covered.append((new_errors <= reach).mean())
            cheap.append(reach[new < 20].mean())
            dear.append(reach[new > 80].mean())
            constant.append(float(conformal_reach(errors, level)[0]))
        assert np.mean(covered) == pytest.approx(level, abs=0.01)
        assert np.mean(dear) > 4 * np.mean(cheap)
        assert np.mean(cheap) < np.mean(constant) / 2


def test_errors_of_one_size_give_intervals_of_one_width() -> None:
    same = 0
    for seed in range(40):
        draws = np.random.default_rng(seed)
        errors, answers = np.abs(draws.normal(size=(500, 1))), draws.normal(size=(500, 1))
        reach = interval_reach(errors, answers, answers, 0.9)
        same += bool((reach == conformal_reach(errors, 0.9)).all())
    assert same >= 38  # the rule asks for a gain of two standard errors


@pytest.mark.parametrize("known", [0, FEWEST - 1])
def test_few_samples_and_runs_of_earlier_versions_have_one_width(known: int) -> None:
    errors, answers = prices(max(known, 100), 0)
    reach = interval_reach(errors, answers[:known], answers, 0.9)
    assert np.array_equal(reach, np.broadcast_to(conformal_reach(errors, 0.9), reach.shape))


def test_each_target_has_its_own_widths() -> None:
    errors, answers = prices(600, 0)
    plain = np.abs(np.random.default_rng(1).normal(size=(600, 1)))
    both = interval_reach(np.hstack([errors, plain]), np.hstack([answers, answers]),
                          np.hstack([answers, answers]), 0.9)  # fmt: skip
    assert np.array_equal(both[:, :1], interval_reach(errors, answers, answers, 0.9))
    assert len(np.unique(both[:, 0])) > 500
    assert len(np.unique(both[:, 1])) == 1


def test_errors_of_a_perfect_model_have_intervals_of_width_0() -> None:
    assert (interval_reach(np.zeros((300, 1)), np.ones((300, 1)), np.ones((4, 1)), 0.9) == 0).all()


def test_the_scale_is_linear_between_bins_and_constant_beyond() -> None:
    scale = ErrorScale(np.array([0.0, 10.0]), np.array([1.0, 3.0]))
    assert scale.at(np.array([-5.0, 5.0, 50.0])).tolist() == [1.0, 2.0, 3.0]
