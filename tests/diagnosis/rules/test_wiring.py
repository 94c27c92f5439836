"""Weights missing from the optimizer, and gradients never set to zero."""

from __future__ import annotations

from histories import flat, found, history, report_of_a_loop
from netwise import signals
from netwise.diagnosis.rules import wiring


def test_weights_stand_still() -> None:
    half = history({signals.UPDATE_RATIO: flat(0.0, 1e-3), signals.GRADIENT_RATIO: flat(0.1, 0.1)})
    assert found(wiring.weights_stand_still(half)).layers == ("layer1",)
    rounded = history({signals.UPDATE_RATIO: flat(0.0), signals.GRADIENT_RATIO: flat(1e-12)})
    assert wiring.weights_stand_still(rounded) is None
    accumulated = history(
        {signals.UPDATE_RATIO: [[0.0, 0.0, 0.0, 1e-3] * 3], signals.GRADIENT_RATIO: [[0.1] * 12]}
    )
    assert wiring.weights_stand_still(accumulated) is None


def test_gradients_that_are_never_cleared_are_found_and_declared_accumulation_is_not() -> None:
    assert report_of_a_loop(clear=False).found[0].rule == "stale_gradients"
    assert "stale_gradients" in report_of_a_loop().clear
    assert "stale_gradients" in report_of_a_loop(accumulate=4).clear


def test_a_layer_that_the_optimizer_does_not_have_is_found() -> None:
    finding = report_of_a_loop(frozen=True).found[0]
    assert finding.rule == "weights_stand_still"
    assert finding.layers == ("0",)
    assert finding.sentence == (
        "The weights of 0 have not changed in any step, though they get gradients."
    )
