"""Targets in a form that no network can predict well."""

from __future__ import annotations

from typing import Any

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.target_forms import targets_in_any_order, targets_wrap

DATA: dict[str, Any] = {"train_samples": 400, "class_targets": False, "linear_score": 0.4}


def run(r2: float | None = 0.4, **facts: Any) -> nw.History:
    data = nw.DataFacts(**{**DATA, "evaluation_r2": r2, **facts})
    return observed(final=0.5).but(data=data)


def test_targets_that_are_predicted_once_they_are_sorted() -> None:
    finding = found(targets_in_any_order(run(sorted_targets=(0.9, 1))))
    assert "0.4 as they are, and with 0.9 once they are sorted" in finding.sentence
    assert "sort(1)" in finding.change
    points = found(targets_in_any_order(run(None, sorted_targets=(0.9, 2))))
    assert "groups of 2 columns" in points.sentence


def test_angles_with_their_range() -> None:
    finding = found(targets_wrap(run(targets_on_circle=(0.95, 359.2, 0.5))))
    assert "(359, degrees)" in finding.sentence
    assert "y / 360" in finding.change
    other = found(targets_wrap(run(targets_on_circle=(0.95, 2.0, 0.5))))
    assert "range (2)" in other.sentence


def test_no_finding_without_a_gain_or_in_a_run_that_does_as_well() -> None:
    assert targets_in_any_order(run(sorted_targets=(0.45, 1))) is None
    assert targets_in_any_order(run(0.9, sorted_targets=(0.9, 1))) is None
    assert targets_in_any_order(run()) is None
    assert targets_wrap(run(targets_on_circle=(0.95, 359.0, 0.02))) is None
    assert targets_wrap(run(targets_on_circle=(0.45, 359.0, 0.5))) is None
    assert targets_wrap(run(0.97, targets_on_circle=(0.95, 359.0, 0.5))) is None
    assert isinstance(targets_wrap(run(class_targets=True)), nw.Unchecked)
    assert isinstance(targets_in_any_order(observed()), nw.Unchecked)
