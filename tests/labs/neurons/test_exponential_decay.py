"""L74: the descent is the product of its factors; its criteria can fail."""

from __future__ import annotations

import math

import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.neurons.exponential_decay import decay_criteria, descend


@pytest.mark.parametrize(("rate", "factor"), [(0.2, 0.99), (0.9, 0.9), (0.2, 1.0)])
def test_the_distance_is_the_product_of_the_factors(rate: float, factor: float) -> None:
    weights, rates = descend(rate, factor, 40)
    assert rates == pytest.approx([rate * factor**i for i in range(40)])
    distance = 6 * math.prod(1 - 2 * rate * factor**i for i in range(40))
    assert weights[-1] + 1 == pytest.approx(distance, rel=1e-6)
    assert len(weights) == 41


def test_l74_can_be_refuted() -> None:
    numbers = {
        "decay: weight at the end": -0.9999994,
        "decay: last rate": 0.135146,
        "distance from the minimum, constant rate / decay": 0.01,
        "from rate 1: distance from the minimum with decay": 0.0,
    }
    assert LabResult({}, decay_criteria(numbers), "").verdict == "confirmed"
    wrong = numbers | {"decay: weight at the end": -0.9, "decay: last rate": 0.2}
    assert LabResult({}, decay_criteria(wrong), "").verdict == "refuted"
