"""How rules read an observed loop: reasons, floors, names and code in sentences."""

from __future__ import annotations

import math

import pytest

import netwise as nw
from histories import history, observed
from netwise import signals
from netwise.diagnosis.rules import observation


def test_a_field_that_was_not_observed_gives_its_reason() -> None:
    sharded = observed(not_observed={"not_reached": "weights are sharded"})
    assert observation.observed(sharded, "losses", "not_reached") == nw.Unchecked(
        "weights are sharded"
    )
    assert observation.observed(sharded, "losses") is sharded.wiring
    assert observation.observed(history(), "losses") == nw.Unchecked(observation.NOT_OBSERVED)


def test_a_reason_covers_the_signals_below_its_name() -> None:
    run = observed(not_observed={"evaluation": "each step holds a pass without gradients"})
    for signal in (signals.EVALUATION_INPUT_MEAN, signals.NORM_MEAN_OFFSET):
        answer = observation.signal_of_loop(run, signal)
        assert answer == nw.Unchecked("each step holds a pass without gradients")
    answer = observation.signal_of_loop(run, signals.GRADIENT_ZERO)
    assert isinstance(answer, nw.Unchecked)
    assert "a backward pass gave exactly 0" in answer.reason


def test_values_that_are_not_finite_do_not_count() -> None:
    run = observed({signals.GRADIENT_ZERO: [1.0, math.nan, math.inf, 0.0]})
    answer = observation.signal_of_loop(run, signals.GRADIENT_ZERO)
    assert answer == nw.Unchecked("5 watched steps are needed, and 2 recorded: train for longer")
    series = observation.signal_of_loop(run, signals.GRADIENT_ZERO, 2)
    assert series == nw.Series((0, 30), (1.0, 0.0))
    assert observation.steps_where(series, lambda v: v > 0) == (0,)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (list("abcdefg"), "a, b, c, d and 3 more"),
    ],
    ids=len,
)
def test_names_in_a_sentence(names: list[str], text: str) -> None:
    assert observation.listed(names) == text


@pytest.mark.parametrize(
    ("weights", "code"),
    [
        (["fc.weight", "fc.bias"], "model.fc"),
        (["0.conv.weight"], "model[0].conv"),
        (["a.weight", "b.weight"], "model"),
        (["body.0.a.weight", "body.1.weight"], "model.body"),
        (["scale"], "model"),
        ([], "model"),
    ],
    ids=str,
)
def test_code_for_the_module_of_weights(weights: list[str], code: str) -> None:
    assert observation.code_of(weights) == code


def test_the_layers_of_weights() -> None:
    layers = tuple(nw.Layer(name, "Linear", 3, 3) for name in ("a", "a.b", "ab"))
    run = nw.History({}, layers)
    assert observation.layers_of(run, ["a.b.weight"]) == ("a", "a.b")
    assert observation.layers_of(run, ["ab.bias"]) == ("ab",)
