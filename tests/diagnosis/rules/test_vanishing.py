"""Vanishing gradient: on histories made by hand on both sides of the limit."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import flat, found, history
from netwise import signals
from netwise.diagnosis.rules import vanishing


def test_a_layer_beside_the_way_of_the_gradient() -> None:
    """Keys and queries get small gradients through a softmax, and the values do not."""
    rest = [1e-2] * 9
    layers = tuple(nw.Layer(f"layer{i}", "Linear", 8, 8) for i in range(12))
    branch = history({signals.GRADIENT_RMS: flat(1e-5, 1e-5, 5e-3, *rest)}, layers=layers)
    assert vanishing.vanishing_gradient(branch) is None
    chain = history({signals.GRADIENT_RMS: flat(1e-5, 2e-5, 5e-5, *rest)}, layers=layers)
    assert found(vanishing.vanishing_gradient(chain)).evidence[0].value == pytest.approx(1000)


def test_gradients_of_weights_whose_size_is_arbitrary_say_nothing() -> None:
    """As of those in front of a batch normalization."""
    shrinks = {signals.GRADIENT_RMS: flat(1e-5, 1e-4, 1e-3, 1e-2)}
    for behind, is_found in ((), True), ((0,), False), ((1, 2), True):
        layers = tuple(
            nw.Layer(f"layer{i}", "Conv2d", 8, 8, "ReLU", normalised=i in behind) for i in range(4)
        )
        answer = vanishing.vanishing_gradient(history(shrinks, layers=layers))
        assert isinstance(answer, nw.Finding) == is_found


def test_vanishing_gradient() -> None:
    finding = found(
        vanishing.vanishing_gradient(history({signals.GRADIENT_RMS: flat(1e-5, 1e-4, 1e-3, 1e-2)}))
    )
    assert (
        finding.sentence
        == "The gradient of layer1 is 1,000 times smaller than that of layer4: 10.0 times smaller "
        "with each layer."
    )
    assert finding.layers == ("layer1", "layer2")
    assert finding.evidence[0].value == pytest.approx(1000)
    assert (
        vanishing.vanishing_gradient(
            history({signals.GRADIENT_RMS: flat(1e-3, 1e-3, 1e-3, 2.4e-2)})
        )
        is None
    )
    assert (
        vanishing.vanishing_gradient(
            history({signals.GRADIENT_RMS: flat(1e-5, 1e-4, 1e-3, 1e-2)}, final=0.1)
        )
        is None
    )  # it learned: harmless
    assert (
        found(vanishing.vanishing_gradient(history({signals.GRADIENT_RMS: flat(0.0, 1.0)})))
        .evidence[0]
        .value
        > 1e30
    )  # a gradient of exactly 0 is found too
    late = history({signals.GRADIENT_RMS: [[1.0] * 4 + [1e-6] * 9, [1.0] * 13]})
    assert found(vanishing.vanishing_gradient(late)).steps == (40, 120)
    assert isinstance(
        vanishing.vanishing_gradient(history({signals.GRADIENT_RMS: flat(1e-5, 1.0, steps=3)})),
        nw.Unchecked,
    )


def test_recurrent_layers_whose_gradient_fades_later_show_another_fault() -> None:
    """As one whose units were driven to their limits by steps that are too long."""
    fades, steady = [1e-2] * 3 + [1e-5] * 8, [1e-2] * 11
    for kind, first, is_found in (
        ("GRU", fades, False),
        ("LSTM", fades, False),
        ("RNN", [1e-5] * 11, True),
        ("Linear", fades, True),
    ):
        layers = (nw.Layer("encoder", kind, 8, 16), nw.Layer("head", "Linear", 16, 3))
        run = history({signals.GRADIENT_RMS: [first, steady]}, layers=layers)
        assert isinstance(vanishing.vanishing_gradient(run), nw.Finding) is is_found, kind


def test_queries_and_keys_that_are_written_out() -> None:
    """They act through a softmax alone, and no next layer gets their outputs."""
    small = {signals.GRADIENT_RMS: flat(1e-4, 1e-4, 5e-3, 1e-2)}
    for between, is_found in ("", False), ("Tanh", True):
        layers = (
            *(nw.Layer(f"layer{i}", "Linear", 8, 8, between) for i in range(3)),
            nw.Layer("last", "Linear", 8, 3),
        )
        answer = vanishing.vanishing_gradient(history(small, layers=layers))
        assert isinstance(answer, nw.Finding) == is_found
