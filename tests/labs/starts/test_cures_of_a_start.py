"""L65: steps to a target are read off a curve as by hand; its criteria can fail."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.stacked_training import Curve
from netwise.labs.starts.cures_of_a_start import cure_criteria, steps_to


def test_steps_to_a_target_are_linear_between_epochs() -> None:
    accuracy = np.array([[0.1, 0.95, 0.1], [0.5, 1.0, 0.2], [1.0, 1.0, 0.3]])
    curve = Curve((0, 1, 2), accuracy, np.zeros_like(accuracy))
    assert steps_to(0.9, curve, 100).tolist() == pytest.approx([180, 0, 200])
    assert steps_to(0.3, curve, 100).tolist() == pytest.approx([50, 0, 200])


@pytest.mark.parametrize(
    ("he", "glorot", "verdict"),
    [(50, 10, "confirmed"), (50, -10, "partly confirmed"), (-5, -10, "refuted")],
)
def test_l65_can_be_confirmed_and_refuted(he: float, glorot: float, verdict: str) -> None:
    numbers = {
        "ReLU: steps that He normal saves, low": he,
        "ReLU: steps that Glorot normal saves, low": glorot,
        "tanh: steps that He normal saves, low": 0.0,
    }
    assert LabResult({}, cure_criteria(numbers), "").verdict == verdict
