"""Rare classes that are not answered."""

from __future__ import annotations

from typing import Any

import pytest

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules import imbalance

Rows = tuple[tuple[int, int, int], ...]


def answer(
    shares: tuple[float, ...],
    evaluation: Rows | None = None,
    training: Rows | None = None,
    weighted: bool = False,
    **wiring: Any,
) -> object:
    facts = nw.RunFacts(classes=len(shares), class_shares=shares, weighted_loss=weighted)
    data = nw.DataFacts(answers=training, evaluation_answers=evaluation)
    return imbalance.class_imbalance(observed(facts=facts, **wiring).but(data=data))


RARE = (0.49, 0.49, 0.02)
NEVER = ((100, 150, 98), (100, 149, 97), (100, 1, 1))
FIFTY = (0.98, 0.02)
NO = ((980, 1000, 980), (20, 0, 0))


def test_a_class_that_was_made_rare() -> None:
    finding = found(answer(RARE, NEVER))
    assert finding.sentence.startswith("Class 2: at the least 2 % of the training targets")
    assert finding.grade == "cause"


def test_answers_of_the_most_frequent_class_only() -> None:
    assert "of 20 targets of other classes 0 were answered" in found(answer(FIFTY, NO)).sentence
    assert found(answer(FIFTY, None, NO))


@pytest.mark.parametrize(
    ("shares", "evaluation"),
    [
        (RARE, ((100, 100, 98), (100, 100, 97), (100, 100, 80))),
        (RARE, ((100, 300, 98), (100, 0, 0), (100, 0, 0))),  # it has learned nothing at all
        (FIFTY, ((980, 985, 975), (20, 15, 12))),
        ((0.6, 0.4), ((60, 100, 60), (40, 0, 0))),
        ((0.3, *[0.0175] * 40), ((300, 800, 300), *[(17, 5, 1)] * 40)),
    ],
    ids=["answered", "nothing learned", "answered in part", "balanced", "letters of a text"],
)
def test_rare_classes_that_are_no_fault(shares: tuple[float, ...], evaluation: Rows) -> None:
    assert answer(shares, evaluation) is None


def test_weights_and_opponents() -> None:
    assert answer(FIFTY, NO, weighted=True) is None
    assert answer(FIFTY, NO, opponents=("Generator",)) is None
    assert isinstance(answer(FIFTY), nw.Unchecked)


@pytest.mark.parametrize(("ranked", "is_found"), [(0.9, True), (0.6, False), (None, True)])
def test_an_event_that_cannot_be_foreseen_is_no_fault(ranked: float | None, is_found: bool) -> None:
    facts = nw.RunFacts(classes=2, class_shares=FIFTY)
    data = nw.DataFacts(evaluation_answers=NO, rare_ranking=ranked)
    answer = imbalance.class_imbalance(observed(facts=facts).but(data=data))
    assert isinstance(answer, nw.Finding) == is_found


def test_a_column_of_yes_and_no() -> None:
    facts = nw.RunFacts(target_low=0, target_high=1, target_mean=0.02, target_std=0.14)
    run = observed(facts=facts).but(data=nw.DataFacts(evaluation_answers=NO))
    assert found(imbalance.class_imbalance(run))
