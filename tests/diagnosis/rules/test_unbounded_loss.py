"""A loss without a lowest value falls faster and faster; a likelihood slows down."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

import netwise as nw
from histories import found, history, observed
from netwise.diagnosis.rules import Finding, Unchecked
from netwise.diagnosis.rules.unbounded_loss import errors_scaled_away, loss_unbounded
from netwise.signals import LOSS


def run(loss: Callable[[int], float], steps: int = 120, **facts: object) -> nw.History:
    wiring = nw.Wiring("Net", **facts)  # type: ignore[arg-type]
    return history(whole={LOSS: [loss(k) for k in range(steps)]}).but(wiring=wiring)


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        (lambda k: 1 - 1e-3 * k**2, True),
        (lambda k: 1 - math.exp(k / 10), True),
        (lambda k: 1 - 0.1 * k, False),  # data without noise
        (lambda k: -math.log(1 + k), False),
        (lambda k: 5 * math.exp(-k / 30), False),
        (lambda k: 1e6 - k**2, False),  # far above 0
    ],
)
def test_curves(loss: Callable[[int], float], found: bool) -> None:
    assert isinstance(loss_unbounded(run(loss)), Finding) is found


def test_what_is_not_checked() -> None:
    assert isinstance(loss_unbounded(run(lambda k: -(k**2), opponents=("D",))), Unchecked)
    assert isinstance(loss_unbounded(run(lambda k: -(k**2), steps=20)), Unchecked)


def test_errors_that_the_network_scales_itself() -> None:
    term = nw.LossTerm(by_hand=True, place="a.py:7", free_scale="Exp")
    finding = found(errors_scaled_away(observed(losses=(term,))))
    assert "(exp, a.py:7)" in finding.sentence
    assert errors_scaled_away(observed(losses=(term,), maximizes=True)) is None
    assert errors_scaled_away(observed(losses=(nw.LossTerm(by_hand=True),))) is None
