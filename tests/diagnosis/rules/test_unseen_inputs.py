"""What of the inputs does not reach the outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import netwise as nw
from histories import GUESS, found, observed
from netwise import signals
from netwise.diagnosis.rules.unseen_inputs import (
    labels_change,
    order_unseen,
    read_from_padding,
    samples_standardised_alone,
)

FACTS = nw.RunFacts(loss_of_guessing=GUESS, classes=10, class_targets=True)
KNOWN = {"evaluation_samples": 400, "evaluation_chance_score": 0.1}
LEARNABLE = nw.DataFacts(chance_score=0.1, linear_score=0.9, unordered_score=0.15)
HOPELESS = {**KNOWN, "evaluation_linear_score": 0.12}
CHANGE = {"contradicting_rows": 0.52, "contradicting_by_chance": 0.5, "repeated_rows": 0.0}


def run(loss: float, data: nw.DataFacts | None = None, **first: Any) -> nw.History:
    """A run that ends at this loss."""
    ended = observed({signals.LOSS: [loss] * 20}, facts=FACTS)
    return ended.but(data=data or LEARNABLE, first_batch=nw.FirstBatch(**first))


@pytest.mark.parametrize(
    ("rule", "data", "first", "words"),
    [
        (labels_change, nw.DataFacts(**CHANGE), {}, "into different orders"),
        (order_unseen, LEARNABLE, {"order_unseen": True}, "Add positions"),
        (
            read_from_padding,
            LEARNABLE,
            {"hidden_share": 1e-6, "padded_places": 33},
            "behind 33 places of padding",
        ),
        (
            samples_standardised_alone,
            nw.DataFacts(rows_standardised=True, class_targets=False, **HOPELESS),  # type: ignore[arg-type]
            {},
            "mean 0 and standard deviation 1",
        ),
    ],
)
def test_a_run_that_learns_nothing(
    rule: Callable[[nw.History], object], data: nw.DataFacts, first: dict[str, Any], words: str
) -> None:
    assert words in found(rule(run(GUESS, data, **first))).sentence
    assert rule(run(0.1 * GUESS, data, **first)) is None  # it learns all the same


@pytest.mark.parametrize(
    ("rule", "history"),
    [
        (labels_change, run(GUESS, nw.DataFacts(**{**CHANGE, "contradicting_rows": 0.2}))),
        (labels_change, run(GUESS, nw.DataFacts(**{**CHANGE, "repeated_rows": 0.3}))),
        (order_unseen, run(GUESS, order_unseen=False)),
        (  # of the symbols alone
            order_unseen,
            run(GUESS, replace(LEARNABLE, unordered_score=0.85), order_unseen=True),
        ),
        (read_from_padding, run(GUESS, hidden_share=0.3)),
        (samples_standardised_alone, run(GUESS, nw.DataFacts(rows_standardised=False))),
    ],
)
def test_neighbours(rule: Callable[[nw.History], object], history: nw.History) -> None:
    assert rule(history) is None


def test_rows_that_are_sorted_by_their_length() -> None:
    data = nw.DataFacts(**CHANGE, sorted_by_length=True)
    assert "sort the labels along" in found(labels_change(run(GUESS, data))).sentence
