"""L87 and L88: slopes and gaps of a trained network, and criteria that can fail."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.labs.activations.leaky_units import (
    MEAN_SLOPE,
    gap,
    learned_slopes,
    prelu_criteria,
    rrelu_criteria,
    valid_accuracy,
)
from netwise.labs.lab_definition import LabResult


def test_slopes_and_gap_of_a_run() -> None:
    network = nw.MLP((64, 6, 5, 10), activation=nw.PReLU())
    run = nw.fit(nw.Recipe(data=nw.data.digits(), network=network, epochs=2), test=False)
    slopes = [float(p.detach()) for p in run.module.parameters() if p.numel() == 1]
    assert learned_slopes(run) == pytest.approx(slopes)
    assert len(slopes) == 2
    assert valid_accuracy(run) == pytest.approx(100 * run.history.of("valid.accuracy").last)  # type: ignore[union-attr]
    assert abs(gap(run)) < 30


def test_the_fixed_slope_is_that_of_rrelu_in_use() -> None:
    x = torch.tensor([-1.0])
    assert float(nw.RReLU()(x)) == pytest.approx(-MEAN_SLOPE)


@pytest.mark.parametrize(("good", "verdict"), [(True, "confirmed"), (False, "refuted")])
def test_l87_and_l88_can_be_confirmed_and_refuted(good: bool, verdict: str) -> None:
    high = -0.1 if good else 0.1
    numbers = {
        "layer 1: |a - 0.25|, low": 0.1 if good else 0.0,
        "training loss, PReLU - ReLU, high": high,
        "training loss, PReLU - LeakyReLU 0.25, high": high,
        "gap, RReLU - LeakyReLU, mean slope, high": high,
        "validation accuracy, RReLU - LeakyReLU, mean slope, low": 0.0,
    }
    assert LabResult({}, prelu_criteria(numbers), "").verdict == verdict
    assert LabResult({}, rrelu_criteria(numbers), "").verdict == verdict
