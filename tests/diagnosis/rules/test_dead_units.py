"""Dead ReLU units: on histories made by hand on both sides of the limit."""

from __future__ import annotations

import netwise as nw
from histories import flat, found, history
from netwise import signals
from netwise.diagnosis.rules import dead_units


def test_dead_relu() -> None:
    layers = (nw.Layer("a", "Linear", 3, 9, "ReLU"), nw.Layer("b", "Linear", 9, 3, "Identity"))
    sick = {signals.DEAD_UNITS: flat(0.8), signals.ACTIVATION_ZEROS: flat(0.99)}
    assert (
        found(dead_units.dead_relu(history(sick, layers=layers))).sentence
        == "80 % of the units of a are 0 for all samples, since the start."
    )
    later = {signals.DEAD_UNITS: [[0.1, 0.2, 0.9]], signals.ACTIVATION_ZEROS: flat(0.5)}
    assert found(dead_units.dead_relu(history(later, layers=layers))).steps[0] == 20
    assert dead_units.dead_relu(history({signals.DEAD_UNITS: flat(0.5)}, layers=layers)) is None
    assert (
        dead_units.dead_relu(
            history(sick, layers=(nw.Layer("a", "Linear", 3, 9, "Tanh"), layers[1]))
        )
        is None
    )
    assert isinstance(dead_units.dead_relu(history(layers=layers)), nw.Unchecked)
