"""Symmetric initialization is a fact of the layers."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules import symmetry


def test_hidden_layers_of_equal_units_are_found() -> None:
    equal = tuple(nw.Layer(n, "Linear", 3, 3, "Tanh", True, True) for n in "abc")
    finding = found(symmetry.start_symmetric(history(layers=equal)))
    assert finding.layers == ("a", "b")  # the last layer may start with equal units
    assert finding.sentence.startswith("All units of a, b start with the same weights")
    assert symmetry.start_symmetric(history(layers=equal, final=0.1)) is None  # it learned
    assert symmetry.start_symmetric(history(layers=equal[:1])) is None  # a linear model


def test_layers_that_are_not_trained_may_have_equal_units() -> None:
    frozen = tuple(nw.Layer(n, "Linear", 3, 3, "Tanh", False, True) for n in "ab")
    assert symmetry.start_symmetric(history(layers=frozen)) is None
