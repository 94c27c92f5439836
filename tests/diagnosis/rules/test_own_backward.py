"""A backward pass that is not the derivative."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.own_backward import backward_misfits


def run(**facts: object) -> nw.History:
    return history().but(first_batch=nw.FirstBatch(**facts))  # type: ignore[arg-type]


def test_a_wrong_backward() -> None:
    finding = found(backward_misfits(run(own_backward="Own", agreement=0.0, of_numbers=True)))
    assert "`Own.backward` is not the derivative of `Own.forward`" in finding.sentence
    assert "gradcheck(Own.apply" in finding.change


@pytest.mark.parametrize(
    "facts",
    [
        {"own_backward": ""},
        {"own_backward": "Own", "agreement": 0.99, "of_numbers": True},
        {"own_backward": "Own", "agreement": 0.4},  # an estimate
    ],
)
def test_no_fault(facts: dict[str, object]) -> None:
    assert backward_misfits(run(**facts)) is None


def test_not_asked() -> None:
    assert isinstance(backward_misfits(run()), nw.Unchecked)
