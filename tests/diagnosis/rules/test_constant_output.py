"""Outputs without inputs, and a softmax of one unit."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.constant_output import (
    constant_output,
    dead_at_start,
    softmax_of_one_unit,
)


def run(**facts: object) -> nw.History:
    return history().but(first_batch=nw.FirstBatch(**facts))  # type: ignore[arg-type]


def test_rectifiers_and_unused_inputs() -> None:
    dead = found(
        constant_output(
            run(
                constant_output=True,
                constant_after="body.1",
                constant_kind="rectifier of the outputs",
            )
        )
    )
    assert dead.layers == ("body.1",)
    assert "`body.1`" in dead.sentence
    unused = found(constant_output(run(constant_output=True, constant_after="the inputs")))
    assert "No layer gets the inputs" in unused.sentence


def test_an_index_that_keeps_what_is_the_same_for_all() -> None:
    kept = found(constant_output(run(constant_output=True, constant_kind="getitem")))
    assert "an index in `forward` keeps is the same" in kept.sentence
    assert "batch_first" in kept.sentence
    assert kept.layers == ()


@pytest.mark.parametrize("kind", ["sigmoid", "linear", "softmax", "softmax of one unit"])
def test_what_is_not_certain_is_left_to_others(kind: str) -> None:
    assert constant_output(run(constant_output=True, constant_kind=kind)) is None


def test_rectifiers_inside_of_the_network() -> None:
    facts = {"constant_output": True, "constant_after": "1", "constant_kind": "rectifier"}
    assert found(dead_at_start(run(**facts))).layers == ("1",)
    assert dead_at_start(run(**{**facts, "constant_kind": "rectifier of the outputs"})) is None
    assert constant_output(run(**facts)) is None


def test_a_softmax_of_one_unit() -> None:
    finding = found(
        softmax_of_one_unit(
            run(constant_output=True, constant_after="7", constant_kind="softmax of one unit")
        )
    )
    assert finding.layers == ("7",)
    assert softmax_of_one_unit(run(constant_output=True, constant_kind="rectifier")) is None


@pytest.mark.parametrize("rule", [constant_output, dead_at_start, softmax_of_one_unit])
def test_healthy_and_unknown(rule: object) -> None:
    assert callable(rule)
    assert rule(run(constant_output=False)) is None
    assert isinstance(rule(run(not_known={"constant_output": "x"})), nw.Unchecked)


def test_a_softmax_inside_of_the_network() -> None:
    facts = nw.FirstBatch(
        unit_softmax="softmax over axis 2 of (50, 20, 1)",
        unit_softmax_of="score",
        unit_softmax_at="net.py:8",
        constant_output=False,
    )
    finding = found(softmax_of_one_unit(history().but(first_batch=facts)))
    assert finding.layers == ("score",)
    assert "(net.py:8) runs over the single unit of `score`" in finding.sentence
