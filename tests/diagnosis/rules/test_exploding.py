"""Exploding gradient: on histories made by hand on both sides of the limits."""

from __future__ import annotations

import pytest

from histories import flat, found, history
from netwise import signals
from netwise.diagnosis.rules import exploding


def test_exploding_gradient() -> None:
    assert found(
        exploding.exploding_gradient(history({signals.GRADIENT_RMS: flat(1.0, 0.1, 0.01)}))
    ).evidence[0].value == pytest.approx(100)
    assert (
        exploding.exploding_gradient(history({signals.GRADIENT_RMS: flat(0.69, 0.1, 0.01)})) is None
    )
    start = history(
        {signals.GRADIENT_RMS: flat(1.0, 1.0), signals.GRADIENT_RATIO: flat(500.0, 1.0)},
        {signals.LOSS: [100.0] * 8},
    )
    assert (
        found(exploding.exploding_gradient(start)).sentence
        == "Before the first step the gradient of layer1 is 500 times as large as its weights."
    )
    targets = history(
        {signals.GRADIENT_RMS: flat(1.0, 1.0), signals.GRADIENT_RATIO: flat(500.0, 1.0)},
        {signals.LOSS: [2.4] * 8},
    )
    assert (
        exploding.exploding_gradient(targets) is None
    )  # the network's outputs are not far off: it is the targets that are large
