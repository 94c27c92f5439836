"""Symmetric initialization is a fact of the layers."""

from __future__ import annotations

import netwise as nw
from histories import found, history, observed
from netwise import signals
from netwise.diagnosis.rules import symmetry


def test_hidden_layers_of_equal_units_are_found() -> None:
    equal = tuple(nw.Layer(n, "Linear", 3, 3, "Tanh", True, True) for n in "abc")
    finding = found(symmetry.start_symmetric(history(layers=equal)))
    assert finding.layers == ("a", "b")  # the last layer may start with equal units
    assert finding.sentence.startswith("All units of a, b start with the same weights")
    assert symmetry.start_symmetric(history(layers=equal, final=0.1)) is None  # it learned
    assert symmetry.start_symmetric(history(layers=equal[:1])) is None  # a linear model


def test_units_that_become_different_are_healthy() -> None:
    """The second matrix of LoRA starts at 0."""
    equal = tuple(nw.Layer(n, "Linear", 3, 3, "Tanh", True, True) for n in "ab")
    unknown = nw.RunFacts()

    def run(values: list[float], facts: nw.RunFacts = unknown) -> object:
        rows = {signals.UNITS_EQUAL: [values, values]}
        return symmetry.start_symmetric(observed(layers=equal, by_layer=rows, facts=facts))

    assert run([1.0, 0.0, 0.0, 0.0, 0.0]) is None
    assert found(run([1.0] * 5)).layers == ("a",)
    assert isinstance(run([1.0] * 3), nw.Unchecked)
    assert isinstance(symmetry.start_symmetric(history(layers=equal, facts=unknown)), nw.Unchecked)


def test_units_that_start_alike_and_not_at_zero_compute_the_same() -> None:
    layers = (
        nw.Layer("a", "Linear", 3, 3, "ReLU", True, True),
        nw.Layer("b", "Linear", 3, 2, "Softmax"),
    )

    def run(norm: float, final: float) -> object:
        rows = {
            signals.UNITS_EQUAL: [[1.0] + [0.0] * 9, [0.0] * 10],
            signals.WEIGHT_NORM: [[norm] * 10, [1.0] * 10],
        }
        facts = nw.RunFacts(loss_of_guessing=1.0)
        whole = {signals.LOSS: [final] * 10}
        run = observed(whole, layers, facts, final, by_layer=rows)
        return symmetry.start_symmetric(run)

    assert found(run(3.0, 0.9)).layers == ("a",)
    assert run(0.0, 0.9) is None  # one of two branches
    assert run(3.0, 0.1) is None  # it learned


def test_layers_that_are_not_trained_may_have_equal_units() -> None:
    frozen = tuple(nw.Layer(n, "Linear", 3, 3, "Tanh", False, True) for n in "ab")
    assert symmetry.start_symmetric(history(layers=frozen)) is None
