"""The rule on curves by hand, and criteria of L14 that can fail."""

from __future__ import annotations

import pytest

from netwise.labs.rates.no_improvement import EarlyStop, apply_rule, stop_criteria

GOOD = {
    "usual: epochs saved, %": 50.0,
    "usual: test accuracy lost, points: mean": 0.1,
    "plateau: test accuracy lost, points: mean": 3.0,
    "usual: test accuracy lost, points: high": 0.2,
    "plateau: runs that lose more than 1 point, %": 80.0,
}


@pytest.mark.parametrize(("place", "bad"), [(0, 30.0), (1, 0.3), (2, 1.0), (3, 0.4), (4, 40.0)])
def test_each_criterion_can_fail(place: int, bad: float) -> None:
    assert all(criterion.holds for criterion in stop_criteria(GOOD))
    changed = {**GOOD, list(GOOD)[place]: bad}
    assert [c.holds for c in stop_criteria(changed)] == [i != place for i in range(5)]


def test_the_rule_stops_on_a_plateau_and_loses_what_follows() -> None:
    valid, test = [0.5, 0.6, 0.6, 0.6, 0.9], [0.4, 0.55, 0.5, 0.5, 0.8]
    early, late = apply_rule(valid, test, 2), apply_rule(valid, test, 3)
    assert (early.epochs, late.epochs) == (4, 5)
    assert early.lost == pytest.approx(25.0)
    assert late.lost == pytest.approx(0.0)


def test_a_rule_that_never_stops_loses_nothing() -> None:
    assert apply_rule([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], 1) == EarlyStop(3, 0.0)
