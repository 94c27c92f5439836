"""Plans of searches: fields that contradict each other."""

from __future__ import annotations

import pytest

import netwise as nw

SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 1}, "folds = 1 .* one fold leaves no samples to train on. Write 5"),
        ({"repeats": 3}, "repeats = 3 .* folds = 0. Write repeats = 1, or folds = 5"),
        ({"trials": 0}, "trials = 0 .* at least 1"),
        ({"seeds": "other"}, "must be one of same, each"),
    ],
)
def test_contradictions_are_refused_with_what_to_write(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(nw.WrongValue, match=message):
        nw.SearchPlan(space=SPACE, **settings)


def test_a_plan_is_a_frozen_value_with_defaults() -> None:
    plan = nw.SearchPlan(space=SPACE)
    assert plan.but(trials=7) == nw.SearchPlan(space=SPACE, trials=7)
    assert plan.trials == 50
    assert plan.method == nw.Bayesian()
    assert hash(plan) == hash(nw.SearchPlan(space=SPACE))
