"""L50: networks of equal size, and criteria that can fail."""

from __future__ import annotations

import pytest

from netwise.labs.activations.convolutional_units import (
    SAME_SIZE,
    UnitSettings,
    unit_arms,
    unit_criteria,
    weights_of,
)
from netwise.labs.lab_definition import LabResult


def test_the_smaller_maxout_network_is_no_larger_than_that_of_relu() -> None:
    weights = {name: weights_of(recipe) for name, recipe in unit_arms(UnitSettings()).items()}
    assert weights["sigmoid"] == weights["tanh"] == weights["ReLU"]
    assert 0.95 * weights["ReLU"] < weights[SAME_SIZE] <= weights["ReLU"]
    assert weights["maxout"] > 1.9 * weights["ReLU"]


@pytest.mark.parametrize(("high", "verdict"), [(-0.1, "confirmed"), (0.1, "refuted")])
def test_l50_can_be_confirmed_and_refuted(high: float, verdict: str) -> None:
    pairs = [(a, b) for a in ("ReLU", "maxout") for b in ("sigmoid", "tanh")]
    numbers = {f"test error, {a} - {b}, high": high for a, b in (*pairs, (SAME_SIZE, "ReLU"))}
    assert LabResult({}, unit_criteria(numbers), "").verdict == verdict
