"""L80: the gradients are those of the chain rule; its criteria can fail."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.neurons.matched_costs import PairingSettings, learn, pairing_criteria

SETTINGS = PairingSettings(steps=20)
Z = torch.tensor([4.0, -4.0, -4.0], dtype=torch.float64)
Y = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)


def test_gradients_of_the_quadratic_cost_have_the_slope_of_the_output() -> None:
    a = torch.sigmoid(Z)
    expected = (a - Y) * a * (1 - a)
    assert torch.allclose(learn("sigmoid, quadratic", SETTINGS).first, expected)
    a = torch.softmax(Z, 0)
    expected = a * ((a - Y) - (a * (a - Y)).sum())
    assert torch.allclose(learn("softmax, quadratic", SETTINGS).first, expected)


def test_the_softmax_layer_learns_as_by_hand() -> None:
    course, z = learn("softmax, log-likelihood", SETTINGS), Z.clone()
    for error in course.errors:
        assert error == pytest.approx(float((torch.softmax(z, 0) - Y).norm()))
        z = z - 2 * 0.15 * (torch.softmax(z, 0) - Y)  # weight and bias move alike
    assert course.steps_to_half == 15


def test_l80_can_be_refuted() -> None:
    numbers = dict(nw.lab("L80").run(steps=2).numbers)
    assert LabResult({}, pairing_criteria(numbers), "").verdict == "confirmed"
    wrong = dict.fromkeys(numbers, 0.5)
    assert LabResult({}, pairing_criteria(wrong), "").verdict == "refuted"
