"""The points of L42 are those of plain formulas, and its criteria can fail."""

from __future__ import annotations

import math

import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.optimizers.adam_counterexample import criteria, mean_regret, path, short_memory
from netwise.parts.optimizers import Adam, AMSGrad


def by_hand(largest: bool, beta2: float, steps: int) -> list[float]:
    x = second = divisor = 0.0
    points = []
    for t in range(1, steps + 1):
        g = 3.0 if t % 3 == 1 else -1.0
        second = beta2 * second + (1 - beta2) * g * g
        divisor = max(divisor, second) if largest else second
        corrected = divisor / (1 - beta2**t)
        x = min(1.0, max(-1.0, x - 0.1 / math.sqrt(t) * g / (math.sqrt(corrected) + 1e-8)))
        points.append(x)
    return points


@pytest.mark.parametrize(("kind", "largest"), [(Adam, False), (AMSGrad, True)])
def test_points_are_those_of_the_formulas(kind: type[Adam], largest: bool) -> None:
    points = path(kind(beta1=0.0, beta2=short_memory(3.0)), 3.0, 200)
    assert points == pytest.approx(by_hand(largest, 0.1, 200), abs=1e-9)


def test_the_best_point_has_no_regret_and_the_worst_the_mean_gradient_twice() -> None:
    assert mean_regret([-1.0] * 30, 3.0) == 0
    assert mean_regret([1.0] * 30, 3.0) == pytest.approx(2 * (3 - 1 - 1) / 3)


def test_the_criteria_can_fail() -> None:
    numbers = {
        "Adam: end point": -1.0,
        "AMSGrad: end point": 0.0,
        "Adam: mean regret": 0.01,
        "Adam, beta2 0.999: end point": 1.0,
    }
    assert not any(criterion.holds for criterion in criteria(numbers))
    assert LabResult({}, criteria(numbers), "").verdict == "refuted"
    right = {**numbers, "Adam: end point": 1.0, "AMSGrad: end point": -0.9998}
    assert LabResult({}, criteria(right), "").verdict == "confirmed"
