"""L47: the limits are those of the closed forms; its criteria can fail."""

from __future__ import annotations

import math

import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.neurons.saturation import saturation_criteria, saturation_numbers


@pytest.mark.parametrize("share", [10, 1])
def test_the_limits_are_those_of_the_closed_forms(share: int) -> None:
    numbers = saturation_numbers(1.0)
    where = f"|x| at {share} % of the largest slope"
    # tanh' = 1 / cosh^2, and sigmoid' / (1/4) = 1 / cosh(x / 2)^2
    expected = math.acosh(1 / math.sqrt(share / 100))
    assert numbers[f"tanh: {where}"] == pytest.approx(expected, abs=2e-4)
    assert numbers[f"sigmoid: {where}"] == pytest.approx(2 * expected, abs=2e-4)


def test_a_tanh_of_a_quarter_of_the_input_would_confirm_the_claim() -> None:
    def verdict(scale: float) -> str:
        return LabResult({}, saturation_criteria(saturation_numbers(scale)), "").verdict

    assert verdict(0.25) == "confirmed"
    assert verdict(1.0) == "refuted"
