"""Criteria of L05 and L06 can fail; a published run is placed among ours as by hand."""

from __future__ import annotations

import pytest

from netwise.labs.overfitting.all_images import gap_criteria, inside, penalty_criteria, place_of

GAP = {
    "best training minus best test accuracy, points: mean": 2.4,
    "best training minus best test accuracy, points: lowest": 2.2,
    "share of seeds at or below the published run": 0.4,
}
PENALTY = {
    "gain of L2, points: mean": 0.9,
    "gain of L2, points: low": 0.7,
    "L2: best training minus best test accuracy, points: mean": 0.9,
    "L2: share of seeds at or below the published run": 0.9,
}


def test_each_criterion_of_the_gap_can_fail() -> None:
    assert all(criterion.holds for criterion in gap_criteria(GAP, [95.2, 95.5]))
    wide = {**GAP, "best training minus best test accuracy, points: mean": 3.1}
    narrow = {**GAP, "best training minus best test accuracy, points: lowest": 1.5}
    assert [c.holds for c in gap_criteria(wide, [95.2, 95.5])] == [False, True, True]
    assert [c.holds for c in gap_criteria(narrow, [95.2, 95.5])] == [True, False, True]
    assert [c.holds for c in gap_criteria(GAP, [95.4, 95.5])] == [True, True, False]


@pytest.mark.parametrize(
    ("name", "bad", "place"),
    [
        ("gain of L2, points: mean", 1.6, 0),
        ("L2: best training minus best test accuracy, points: mean", 1.3, 1),
        ("gain of L2, points: low", 0.0, 2),
    ],
)
def test_each_criterion_of_the_penalty_can_fail(name: str, bad: float, place: int) -> None:
    best = [96.3, 96.5]
    assert all(criterion.holds for criterion in penalty_criteria(PENALTY, best))
    holds = [criterion.holds for criterion in penalty_criteria({**PENALTY, name: bad}, best)]
    assert holds == [i != place for i in range(4)]
    assert not penalty_criteria(PENALTY, [96.0, 96.4])[3].holds


def test_a_published_run_is_placed_among_ours() -> None:
    placed = place_of(3.0, [1.0, 2.0, 3.0, 4.0])
    assert placed["share of seeds at or below the published run"] == 0.75
    above = placed["published run, standard deviations above our mean"]
    assert above == pytest.approx(0.5 / (5 / 3) ** 0.5)
    assert inside(3.0, [1.0, 4.0])
    assert not inside(5.0, [1.0, 4.0])
