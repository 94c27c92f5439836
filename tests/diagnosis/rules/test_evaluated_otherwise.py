"""Evaluations that ask for something else than training."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, observed
from netwise import signals
from netwise.diagnosis.rules.evaluated_otherwise import (
    evaluation_asks_otherwise,
    evaluation_drawn_anew,
    inputs_beyond_training,
)

RAW = (0.0, 1.0, 150.0, 70.0)  # scaled in training and not in evaluation


def run(valid: float | None = None, **facts: object) -> nw.History:
    whole = {} if valid is None else {signals.VALID_LOSS: [valid] * 3}
    return observed(whole).but(data=nw.DataFacts(**facts))  # type: ignore[arg-type]


def test_targets_in_other_units() -> None:
    finding = found(evaluation_asks_otherwise(run(target_units=RAW, evaluation_r2=-4.6)))
    assert "150 and 70 in evaluation" in finding.sentence
    back = found(evaluation_asks_otherwise(run(target_units=(150, 70, 0, 1), evaluation_r2=-27e3)))
    assert back.grade == "cause"


@pytest.mark.parametrize(
    "facts",
    [
        {"evaluation_r2": 0.6},  # answers were scaled back
        {"evaluation_r2": -0.2},  # they were, and are wrong
        {"evaluation_r2": None},
        {"evaluation_r2": -4.6, "inputs_apart": 0.8},  # other data
        {"evaluation_r2": -4.6, "beyond_training": 0.6},
        {"evaluation_r2": -4.6, "target_units": (0.0, 1.0, 3.0, 1.2)},  # a shift
    ],
)
def test_evaluations_that_do_not_follow_from_units(facts: dict[str, object]) -> None:
    assert evaluation_asks_otherwise(run(**{"target_units": RAW, **facts})) is None


def test_a_network_that_learns_to_return_its_inputs_and_is_asked_for_others() -> None:
    facts = {"copies_inputs": True, "evaluation_copies_inputs": False}
    assert "with all noise" in found(evaluation_asks_otherwise(run(**facts))).sentence
    assert evaluation_asks_otherwise(run(**facts, evaluation_r2=0.9)) is None
    both = run(copies_inputs=True, evaluation_copies_inputs=True)
    assert evaluation_asks_otherwise(both) is None
    unknown = run(copies_inputs=True, evaluation_copies_inputs=None)
    assert evaluation_asks_otherwise(unknown) is None


def test_augmentation_in_the_evaluation() -> None:
    assert (
        "random_split"
        in found(evaluation_drawn_anew(run(drawn_anew=True, training_seen=0.0))).sentence
    )
    assert evaluation_drawn_anew(run(drawn_anew=True, training_seen=0.7)) is None
    assert evaluation_drawn_anew(run(drawn_anew=False, training_seen=0.0)) is None
    assert evaluation_drawn_anew(run(0.1, drawn_anew=True, training_seen=0.0)) is None


def test_inputs_beyond_those_of_training() -> None:
    assert "77 %" in found(inputs_beyond_training(run(beyond_training=0.77))).sentence
    assert inputs_beyond_training(run(beyond_training=0.3)) is None
    assert inputs_beyond_training(run(beyond_training=0.77, evaluation_r2=0.9)) is None
    assert isinstance(inputs_beyond_training(run()), nw.Unchecked)
    ratios = {signals.EVALUATION_INPUT_RATIO: [16.0] * 3}
    scaled = observed(ratios).but(data=nw.DataFacts(beyond_training=0.77))
    assert inputs_beyond_training(scaled) is None  # prepared otherwise
