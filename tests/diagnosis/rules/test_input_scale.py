"""Unnormalised inputs: on histories made by hand on both sides of the limits."""

from __future__ import annotations

import netwise as nw
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


def test_where_it_is_not_known_what_is_learned_the_first_layer_has_to_be_flooded() -> None:
    def run(size: float, activations: float, saturated: float = 0.0) -> nw.History:
        return history(
            {
                signals.ACTIVATION_STD: [[activations] * 3],
                signals.ACTIVATION_SATURATED: [[saturated] * 3],
            },
            {signals.INPUT_MEAN: [0.0] * 3, signals.INPUT_STD: [size] * 3},
            facts=nw.RunFacts(),
        )

    rule = input_scale.inputs_not_normalised
    assert found(rule(run(1000.0, 250.0))).rule == "inputs_not_normalised"
    assert found(rule(run(1000.0, 1.0, 0.9))).rule == "inputs_not_normalised"
    assert isinstance(rule(run(1000.0, 1.0)), nw.Unchecked)  # a normalization comes first
    assert isinstance(rule(run(70.0, 20.0)), nw.Unchecked)  # pixels from 0 to 255


def test_inputs_that_grow_with_the_weights_are_no_cause() -> None:
    """States that are fed back: the rate is too high, and the inputs of the start were sound."""

    def run(*spreads: float) -> nw.History:
        return history(
            whole={signals.INPUT_MEAN: [0.0] * len(spreads), signals.INPUT_STD: list(spreads)}
        )

    rule = input_scale.inputs_not_normalised
    assert rule(run(1.0, 1.5, 2.0, 40.0, 300.0, 2000.0, 9000.0)) is None
    assert found(rule(run(400.0, 500.0, 300.0, 400.0))).rule == "inputs_not_normalised"
    assert found(rule(run(400.0, 1.0, 500.0, 2000.0, 2000.0))).rule == "inputs_not_normalised"


def test_a_few_rows_of_another_size() -> None:
    def run(*spreads: float) -> nw.History:
        return history(
            whole={signals.INPUT_MEAN: [0.0] * len(spreads), signals.INPUT_STD: list(spreads)}
        )

    finding = found(input_scale.inputs_not_normalised(run(*[1.0] * 7, 500.0, *[1.0] * 4)))
    assert "In 1 of 12 watched batches, first in step 70" in finding.sentence
    assert input_scale.inputs_not_normalised(run(*[1.0] * 7, 5.0, *[1.0] * 4)) is None
