"""Scores of evaluations on the wrong numbers."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found
from netwise.diagnosis.rules.score_shapes import (
    HALF_OF_LOGITS,
    ONE_COLUMN,
    OVER_SAMPLES,
    ROUNDED_LOGITS,
    VALUES,
    score_misread,
)

WIDENED = "(24, 1) and (24,) give (24, 24)"


def run(misread: str, **wiring: object) -> nw.History:
    known = nw.Wiring(module="Net", score_misread=misread, **wiring)  # type: ignore[arg-type]
    return nw.History.from_rows([], wiring=known)


@pytest.mark.parametrize(
    ("misread", "words"),
    [
        (ONE_COLUMN, "always 0"),
        (OVER_SAMPLES, "along the samples"),
        (VALUES, "indices"),
        (ROUNDED_LOGITS, "rounds the outputs"),
        (HALF_OF_LOGITS, "above 0.5"),
        (WIDENED, WIDENED),
    ],
)
def test_each_kind(misread: str, words: str) -> None:
    answer = found(score_misread(run(misread)))
    assert words in answer.sentence
    assert answer.change


def test_a_loss_of_the_same_shapes_is_named_instead() -> None:
    assert score_misread(run(WIDENED, widened="(8, 1) to (8, 8)")) is None
    assert found(score_misread(run(ONE_COLUMN, widened="(8, 1) to (8, 8)")))


def test_without_an_evaluation_it_is_not_checked() -> None:
    answer = score_misread(run("", not_observed={"evaluation": "no pass was seen"}))
    assert answer == nw.Unchecked("no pass was seen")
    assert score_misread(run("")) is None
