"""Losses that fail by an operation of their own."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found
from netwise.diagnosis.rules.unstable_loss import SMALLEST, unstable_loss

TEXT = "Step 7: The loss is nan at train.py:3. The cause: Log of 0."


def run(**wiring: object) -> nw.History:
    known = nw.Wiring(module="Net", **wiring)  # type: ignore[arg-type]
    return nw.History.from_rows([], wiring=known)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("Log", "log_softmax"), ("Log2", "log_softmax"), ("Exp", "overflows"), ("Sqrt", "root")],
)
def test_an_operation_of_the_loss(kind: str, words: str) -> None:
    answer = found(unstable_loss(run(not_finite=TEXT, not_finite_step=7, not_finite_in_loss=kind)))
    assert words in answer.sentence
    assert (answer.steps[0], answer.grade) == (7, "cause")
    assert answer.change


def test_a_value_that_was_made_elsewhere() -> None:
    assert unstable_loss(run(not_finite=TEXT, not_finite_step=7)) is None
    assert unstable_loss(run()) is None


@pytest.mark.parametrize(
    ("lowest", "sign"), [(SMALLEST / 10, True), (0.0, True), (SMALLEST * 10, False), (-1.0, False)]
)
def test_a_logarithm_that_is_nearly_infinite(lowest: float, sign: bool) -> None:
    answer = unstable_loss(run(losses=(nw.LossTerm("cross entropy", lowest=lowest),)))
    assert isinstance(answer, nw.Finding) == sign
    if isinstance(answer, nw.Finding):
        assert answer.grade == "suspect"
