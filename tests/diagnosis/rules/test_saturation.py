"""Saturated units: on histories made by hand on both sides of the limit."""

from __future__ import annotations

from dataclasses import replace

import netwise as nw
from histories import LAYERS, flat, found, history
from netwise import signals
from netwise.diagnosis.rules import saturation


def test_saturation() -> None:
    assert found(
        saturation.saturation(history({signals.ACTIVATION_SATURATED: flat(0.6, 0.9, 0.1)}))
    ).layers == ("layer1", "layer2")
    assert (
        saturation.saturation(history({signals.ACTIVATION_SATURATED: flat(0.5, 0.4, 0.1)})) is None
    )
    assert (
        saturation.saturation(history({signals.ACTIVATION_SATURATED: flat(0.0, 0.0, 0.0, 1.0)}))
        is None
    )  # the output layer may saturate
    assert (
        saturation.saturation(history({signals.ACTIVATION_SATURATED: flat(0.9)}, final=0.1)) is None
    )
    memorised = history(
        {signals.ACTIVATION_SATURATED: flat(0.9)}, {signals.VALID_LOSS: [2.3, 2.2]}, final=0.1
    )
    assert (
        found(saturation.saturation(memorised)).sentence
        == "90 % of the outputs of layer1 are at their limits, from the start."
    )
    unknown = history(layers=(nw.Layer("a", "Linear", 3, 3, ""), LAYERS[0]))
    assert isinstance(saturation.saturation(unknown), nw.Unchecked)


def test_frozen_layers_that_no_gradient_goes_through() -> None:
    frozen = tuple(replace(layer, trainable=False) for layer in LAYERS[:3])
    saturated = {signals.ACTIVATION_SATURATED: flat(0.9, 0.9, 0.9, 0.1)}
    assert saturation.saturation(history(saturated, layers=(*frozen, LAYERS[3]))) is None
    inner = (LAYERS[0], *frozen[1:], LAYERS[3])
    assert found(saturation.saturation(history(saturated, layers=inner))).layers[0] == "layer1"
