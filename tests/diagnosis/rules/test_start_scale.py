"""Weights that start too large or too small, on both sides of the limits."""

from __future__ import annotations

import math

import pytest

import netwise as nw
from histories import GUESS, LAYERS, found, observed
from netwise import signals
from netwise.diagnosis.rules import start_scale

UNIT = math.sqrt(30)  # the norm of a layer of 30 units with a gain of 1


def run(
    gain: float, loss: float = GUESS, final: float = 2.3, inputs: float = 1.0, spread: float = 0.5
) -> nw.History:
    """Four layers that start with this gain, and a first loss."""
    return observed(
        {
            signals.LOSS: [loss, *[2.3] * 9],
            signals.INPUT_MEAN: [0.0] * 10,
            signals.INPUT_STD: [inputs] * 10,
        },
        by_layer={
            signals.WEIGHT_NORM: [[gain * UNIT] * 10] * 4,
            signals.ACTIVATION_MEAN: [[0.0] * 10] * 4,
            signals.ACTIVATION_STD: [[1.0] * 10] * 4,
            signals.OUTPUT_SPREAD: [[spread] * 10] * 4,
        },
        final=final,
    )


def test_large_weights_with_a_huge_first_loss() -> None:
    finding = found(start_scale.start_too_large(run(10, loss=40)))
    assert finding.evidence[0].value == pytest.approx(10)
    assert finding.evidence[1].value == pytest.approx(40 / GUESS)
    assert finding.layers == tuple(layer.name for layer in LAYERS)
    assert finding.grade == "cause"


@pytest.mark.parametrize(
    "sound",
    [
        run(2.5, loss=40),  # large outputs of usual weights: the loss or the targets
        run(16),  # weights that the network divides by the root of their inputs
        run(10, loss=40, final=0.2),  # it has learned
        run(10, loss=40, inputs=500),  # the inputs are the cause
    ],
    ids=["usual", "scaled", "learned", "inputs"],
)
def test_large_weights_that_are_no_fault(sound: nw.History) -> None:
    assert start_scale.start_too_large(sound) is None


def test_large_weights_that_saturate() -> None:
    saturated = {("activation.saturated", "layer2"): nw.Series((0, 1), (0.9, 0.9))}
    history = run(10)
    finding = found(
        start_scale.start_too_large(history.but(series={**history.series, **saturated}))
    )
    assert "layer2 start at their limits" in finding.sentence


def test_small_weights_through_which_nothing_passes() -> None:
    finding = found(start_scale.start_too_small(run(0.01, spread=1e-6)))
    assert finding.evidence[1].value == pytest.approx(1e-6)
    # Less is too small only where it fades with depth.
    assert found(start_scale.start_too_small(run(0.05, spread=1e-6))).grade == "cause"
    assert start_scale.start_too_small(run(0.05, spread=1e-3)) is None
    assert start_scale.start_too_small(run(0.5, spread=1e-6)) is None
    # Such as sine layers with a factor of 30 in the activation, or norm layers.
    assert start_scale.start_too_small(run(0.01, spread=0.5)) is None
    assert start_scale.start_too_small(run(0.01, spread=1e-6, final=0.1)) is None


def test_tables_and_layers_that_start_at_zero_do_not_count() -> None:
    tables = tuple(nw.Layer(f"layer{i}", "Embedding", 30, 30) for i in range(1, 5))
    for history in (run(10, loss=40).but(layers=tables), run(0.0)):
        for rule in (start_scale.start_too_large, start_scale.start_too_small):
            assert rule(history) == nw.Unchecked(start_scale.NO_START)


def test_an_unknown_outcome_is_not_checked() -> None:
    history = run(10).but(facts=nw.RunFacts())
    assert isinstance(start_scale.start_too_large(history), nw.Unchecked)


def test_tables_of_large_embeddings() -> None:
    layers = tuple(nw.Layer(name, "Embedding", 50, 8) for name in ("users", "items"))

    def run(size: float, loss: float, final: float = 2.3) -> nw.History:
        norms = {signals.WEIGHT_NORM: [[size * math.sqrt(50 * 8)] * 10] * 2}
        return observed(
            {signals.LOSS: [loss, *[2.3] * 9]}, layers=layers, by_layer=norms, final=final
        )

    finding = found(start_scale.start_too_large(run(20.0, 1e4)))
    assert "embeddings of users start with the standard deviation 20" in finding.sentence
    assert isinstance(start_scale.start_too_large(run(1.0, 1e4)), nw.Unchecked)  # as torch draws
    assert isinstance(start_scale.start_too_large(run(20.0, 2.3)), nw.Unchecked)
