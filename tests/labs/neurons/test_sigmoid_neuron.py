"""The neuron of L01 and L02 is the formula; their criteria can fail."""

from __future__ import annotations

import math

import pytest

import netwise as nw
from netwise.labs.lab_definition import Criterion, LabResult
from netwise.labs.neurons.sigmoid_neuron import (
    NEAR,
    cross_entropy_criteria,
    gradient_ratio,
    neuron,
    quadratic_criteria,
    steepest_fall,
    trace,
)

FAR = (2.0, 2.0)


def neuron_by_hand(
    w: float, b: float, lr: float, cross_entropy: bool, steps: int = 300
) -> list[float]:
    """Outputs of the same neuron in plain floats."""
    outputs = []
    for _ in range(steps + 1):
        a = 1 / (1 + math.exp(-(w + b)))
        outputs.append(a)
        delta = a if cross_entropy else a * a * (1 - a)
        w, b = w - lr * delta, b - lr * delta
    return outputs


@pytest.mark.parametrize(
    ("start", "lr", "loss"),
    [
        (NEAR, 0.15, nw.Quadratic()),
        (FAR, 0.15, nw.Quadratic()),
        (FAR, 0.15, nw.BinaryCrossEntropy()),
        (FAR, 0.005, nw.BinaryCrossEntropy()),
    ],
)
def test_the_neuron_is_the_formula(start: tuple[float, float], lr: float, loss: nw.Loss) -> None:
    outputs, costs = trace(neuron(start, loss, lr))
    cross_entropy = isinstance(loss, nw.BinaryCrossEntropy)
    expected = neuron_by_hand(*start, lr, cross_entropy)
    assert outputs == pytest.approx(expected, abs=2e-5)
    expected_costs = [-math.log(1 - a) if cross_entropy else a * a / 2 for a in expected]
    assert costs == pytest.approx(expected_costs, abs=2e-4)


@pytest.mark.parametrize("z", [-1.0, 0.0, 1.5, 4.0])
def test_the_ratio_of_gradients_is_that_of_the_derivatives(z: float) -> None:
    step = 1e-6

    def slope(cost: object) -> float:
        return (cost(z + step) - cost(z - step)) / (2 * step)  # type: ignore[operator]

    def sigmoid(value: float) -> float:
        return 1 / (1 + math.exp(-value))

    quadratic = slope(lambda value: sigmoid(value) ** 2 / 2)
    cross_entropy = slope(lambda value: -math.log(1 - sigmoid(value)))
    assert gradient_ratio(z) == pytest.approx(cross_entropy / quadratic, rel=1e-5)


def test_the_steepest_fall_is_found() -> None:
    assert steepest_fall([5.0, 4.5, 2.0, 1.9]) == 1


PUBLISHED = {
    "near: output at 0": 0.82,
    "near: output at 300": 0.09,
    "far: output at 0": 0.98,
    "far: output at 150": 0.94,
    "far: output at 300": 0.20,
}


def verdict(criteria: tuple[Criterion, ...]) -> str:
    return LabResult({}, criteria, "", {}).verdict


def test_l01_is_confirmed_by_the_published_numbers_and_refuted_by_others() -> None:
    assert verdict(quadratic_criteria(PUBLISHED)) == "confirmed"
    fast = quadratic_criteria({**PUBLISHED, "far: output at 150": 0.5})
    assert [criterion.holds for criterion in fast] == [True, True, True, False, True]
    assert verdict(quadratic_criteria(dict.fromkeys(PUBLISHED, 0.5))) == "refuted"


def test_l02_is_refuted_by_a_neuron_that_learns_slowly() -> None:
    numbers = {
        "0.15, from (2, 2): output at 300": 0.01,
        "first gradient, cross-entropy / quadratic": 56.6164,
        "1 / sigma'(4)": 56.6165,
        "step of the steepest fall of the cost": 0.0,
        "0.005, from (2, 2): output at 300": 0.09,
    }
    assert verdict(cross_entropy_criteria(numbers)) == "confirmed"
    slow = {
        "0.15, from (2, 2): output at 300": 0.2,
        "first gradient, cross-entropy / quadratic": 1.0,
        "1 / sigma'(4)": 56.6165,
        "step of the steepest fall of the cost": 200.0,
        "0.005, from (2, 2): output at 300": 0.78,
    }
    assert verdict(cross_entropy_criteria(slow)) == "refuted"
