"""An error of the first step is a finding; without a step there is a reason."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.first_step import step_fails


def test_an_error() -> None:
    run = history().but(first_batch=nw.FirstBatch(error="RuntimeError: shapes"))
    assert "RuntimeError: shapes" in found(step_fails(run)).sentence


def test_no_error_and_no_step() -> None:
    assert step_fails(history().but(first_batch=nw.FirstBatch())) is None
    without = nw.FirstBatch(not_known={"error": "no loss was given"})
    assert step_fails(history().but(first_batch=without)) == nw.Unchecked("no loss was given")
    assert isinstance(step_fails(history()), nw.Unchecked)
