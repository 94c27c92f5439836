"""Rare classes that a run of `fit` does not answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

import netwise as nw
from netwise.diagnosis.rules.rare_classes import answers_majority

FIT = nw.Provenance(recipe="abc")


def history(shares: tuple[float, ...], rows: tuple[tuple[int, int, int], ...]) -> nw.History:
    facts = nw.RunFacts(task="classification", class_shares=shares, valid_answers=rows)
    return nw.History({}, facts=facts, made_by=FIT)


def test_a_network_that_answers_the_majority_is_found() -> None:
    found = answers_majority(history((0.98, 0.02), ((980, 1000, 980), (20, 0, 0))))
    assert isinstance(found, nw.Finding)
    assert "the network answers the majority" in found.sentence
    assert "0 of 20 validation samples" in found.sentence


def test_rare_classes_among_several_are_found() -> None:
    rows = ((100, 105, 95), (100, 100, 92), (10, 5, 1))
    found = answers_majority(history((0.48, 0.48, 0.04), rows))
    assert isinstance(found, nw.Finding)
    assert "The rare class 2: 1 of 10" in found.sentence
    assert "answers the majority" not in found.sentence
    named = history((0.48, 0.48, 0.04), rows)
    named = named.but(facts=replace(named.facts, class_names=("a", "b", "fraud")))
    assert "The rare class fraud: 1 of 10" in str(answers_majority(named))


@pytest.mark.parametrize(
    ("shares", "rows"),
    [
        ((0.9, 0.1), ((90, 90, 85), (10, 10, 8))),  # answered as often
        ((0.6, 0.4), ((60, 100, 60), (40, 0, 0))),  # not rare
        ((0.98, 0.02), ((98, 100, 98), (2, 0, 0))),  # too few to tell
        ((0.9, 0.1), ((90, 20, 10), (10, 80, 2))),  # nothing is learned
        ((1.0, 0.0), ((90, 90, 90), (0, 0, 0))),  # a class without samples
    ],
)
def test_others_are_not(shares: tuple[float, ...], rows: tuple[tuple[int, int, int], ...]) -> None:
    assert answers_majority(history(shares, rows)) is None


def test_even_classes_are_clear_and_loops_are_not_asked() -> None:
    even = history((0.5, 0.5), ((50, 50, 50), (50, 50, 50)))
    assert answers_majority(even) is None
    rule = next(each for each in nw.RULES if each.name == "answers_majority")
    assert rule.is_about(even)
    assert not rule.is_about(even.but(made_by=nw.Provenance()))
