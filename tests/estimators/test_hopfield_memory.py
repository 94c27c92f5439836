"""HopfieldMemory: recall of stored patterns, against the update rule written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

from netwise.estimators import HopfieldMemory

X = load_digits().data[:600] / 16
SMALL: list[Any] = [HopfieldMemory(), HopfieldMemory("hebb", order="together")]


@parametrize_with_checks(SMALL)
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_digits_are_recalled_from_noise() -> None:
    bits = (X[:12] > 0.5).astype(float)
    memory = HopfieldMemory(threshold=0.5, random_state=0).fit(bits)
    noisy = bits.copy()
    rng = np.random.default_rng(0)
    for row in noisy:
        turned = rng.choice(64, 3, replace=False)
        row[turned] = 1 - row[turned]
    assert memory.score(bits) == 1.0
    assert (memory.predict(noisy) == np.arange(12)).mean() > 0.9
    np.testing.assert_array_equal(
        memory.transform(bits), np.where(bits > 0.5, bits.max(0), bits.min(0))
    )


def test_a_recalled_state_is_a_fixed_point_of_the_update_rule() -> None:
    rng = np.random.default_rng(0)
    patterns = rng.choice([0.0, 1.0], (3, 30))
    memory = HopfieldMemory("hebb", random_state=0).fit(patterns)
    states = memory.recall(rng.choice([0.0, 1.0], (5, 30)))
    fields = states @ memory.weights_.T
    assert ((fields * states) >= -1e-6).all()  # each unit agrees with the sign of its input
    signs = np.where(patterns > 0.5, 1.0, -1.0)
    hebb = signs.T @ signs
    np.fill_diagonal(hebb, 0)
    ratio = memory.weights_[hebb != 0] / hebb[hebb != 0]
    assert ratio == pytest.approx(np.full(ratio.shape, ratio[0]))  # Hebb's rule up to a factor


def test_features_come_back_between_their_own_lowest_and_highest_values() -> None:
    memory = HopfieldMemory(random_state=0).fit([[3.0, 10.0, -1.0], [5.0, 10.0, -2.0]])
    assert memory.threshold_.tolist() == [4.0, 4.0, -1.5]
    assert memory.transform([[3.2, 11.0, -1.2]]).tolist() == [[3.0, 10.0, -1.0]]
    assert list(memory.get_feature_names_out()) == ["x0", "x1", "x2"]


@pytest.mark.parametrize("low", [-1.0, 0.0])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_patterns_of_two_values_are_stored_as_they_are(low: float, count: int) -> None:
    """Features that are the same in all patterns, too, of which a single pattern has no others."""
    patterns = np.random.default_rng(count).choice([low, 1.0], (count, 40))
    patterns[:, 0], patterns[:, 1] = low, 1.0
    memory = HopfieldMemory(random_state=0).fit(patterns)
    np.testing.assert_array_equal(memory.patterns_, np.where(patterns > low, 1.0, -1.0))
    np.testing.assert_array_equal(memory.transform(patterns), patterns)


@pytest.mark.parametrize(("value", "bit"), [(-1.0, -1.0), (0.0, -1.0), (1.0, 1.0), (7.0, 1.0)])
def test_a_single_constant_is_high_above_zero(value: float, bit: float) -> None:
    memory = HopfieldMemory().fit(np.full((3, 4), value))
    assert (memory.patterns_ == bit).all()
    assert (memory.recall(np.full((1, 4), value)) == bit).all()
