"""Hidden activations that hide the differences between samples, and harmless ones."""

from __future__ import annotations

import netwise as nw
from histories import found, observed
from netwise import signals
from netwise.diagnosis.rules.flat_activation import activation_flattens


def run(
    spreads: tuple[float, float] = (0.4, 0.01),
    activation: str = "Sigmoid",
    final: float = 2.2,
    saturated: float = 0.0,
) -> nw.History:
    layers = (
        nw.Layer("a", "Linear", 3, 3, "ReLU"),
        nw.Layer("b", "Linear", 3, 3, activation),
        nw.Layer("c", "Linear", 3, 2),
    )
    rows = {
        signals.OUTPUT_SPREAD: [[value] * 8 for value in (*spreads, 0.001)],
        signals.ACTIVATION_SATURATED: [[0.0] * 8, [saturated] * 8, [0.0] * 8],
    }
    return observed(layers=layers, final=final, by_layer=rows)


def test_a_sigmoid_of_weak_inputs() -> None:
    finding = found(activation_flattens(run()))
    assert finding.layers == ("b",)
    assert "40 times less than before it" in finding.sentence


def test_harmless_spreads() -> None:
    assert activation_flattens(run((0.05, 0.02))) is None  # the samples were alike before
    assert activation_flattens(run((0.9, 0.07))) is None
    assert activation_flattens(run(activation="Tanh")) is None  # its outputs lie about 0
    assert activation_flattens(run(final=0.1)) is None  # it learned
    assert activation_flattens(run(saturated=0.9)) is None  # at its limits: another fault


def test_without_spreads_or_a_baseline_it_is_not_checked() -> None:
    assert isinstance(activation_flattens(observed()), nw.Unchecked)
    assert isinstance(activation_flattens(run().but(facts=nw.RunFacts())), nw.Unchecked)
