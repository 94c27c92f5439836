"""Unnormalised inputs: on histories made by hand on both sides of the limits."""

from __future__ import annotations

from histories import found, history
from netwise import signals
from netwise.diagnosis.rules import input_scale


def test_inputs_not_normalised() -> None:
    assert (
        found(
            input_scale.inputs_not_normalised(
                history(whole={signals.INPUT_MEAN: [0.0] * 3, signals.INPUT_STD: [900.0] * 3})
            )
        ).strength
        == 90
    )
    assert found(
        input_scale.inputs_not_normalised(
            history(whole={signals.INPUT_MEAN: [50.0] * 3, signals.INPUT_STD: [1.0] * 3})
        )
    )
    for mean, spread in ((0.13, 0.31), (0.0, 1.0), (0.5, 0.1), (-1.0, 0.5)):
        assert (
            input_scale.inputs_not_normalised(
                history(whole={signals.INPUT_MEAN: [mean], signals.INPUT_STD: [spread]})
            )
            is None
        )
