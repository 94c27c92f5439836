"""Half of the threshold beside a grid of rates, on a small recipe."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.runs import final_accuracy
from netwise.labs.tuning import learning_rate_threshold
from netwise.labs.tuning.learning_rate_threshold import (
    GRID,
    HalfThresholdSettings,
    compare_with_grid,
    threshold_criteria,
    threshold_recipes,
)


def test_the_grid_is_even_in_the_logarithm() -> None:
    assert GRID[0] == pytest.approx(10**-3.5, rel=1e-2)
    assert GRID[-1] == pytest.approx(10**1.5, rel=1e-2)
    for low, high in pairwise(GRID):
        assert high / low == pytest.approx(10 ** (5 / 11), rel=1e-2)


def test_the_comparison_is_with_the_best_of_the_grid(
    small: nw.Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_rate_threshold, "GRID", (0.0001, 0.1))
    monkeypatch.setattr(learning_rate_threshold, "fit_many", partial(nw.fit_many, jobs=1))
    row = compare_with_grid(small)
    runs = [nw.fit(small.but(optimizer=nw.SGD(lr=lr, momentum=0.9))) for lr in (0.0001, 0.1)]
    assert row["best of 12"] == max(final_accuracy(run) for run in runs)
    rule = nw.rate_threshold(small)
    assert rule is not None
    assert row["threshold"] == rule.threshold
    half = nw.fit(small.but(optimizer=nw.SGD(lr=rule.threshold / 2, momentum=0.9)))
    assert row["at half of it"] == final_accuracy(half)
    assert row["behind, points"] == pytest.approx(100 * (row["best of 12"] - row["at half of it"]))


def test_a_recipe_that_learns_at_no_rate_is_an_error(
    small: nw.Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_rate_threshold, "rate_threshold", lambda recipe: None)
    with pytest.raises(LookupError) as error:
        compare_with_grid(small)
    assert str(error.value) == (
        f"the rule found no learning rate for recipe {small.hash}: the loss falls at none. "
        "Use a recipe that learns at one of 0.000316 to 31.6."
    )


def test_recipes_differ_in_what_their_names_say() -> None:
    recipes = threshold_recipes(HalfThresholdSettings())
    assert nw.recipe_diff(recipes["ReLU, batch 10"], recipes["ReLU, batch 50"]).keys() == {
        "batch_size"
    }
    assert nw.recipe_diff(recipes["ReLU, batch 50"], recipes["ReLU, momentum"]).keys() == {
        "optimizer"
    }


def test_l12_is_refuted_where_the_rule_is_behind() -> None:
    near = {f"recipe {i}": 0.5 for i in range(5)} | {"last": 3.0}
    criteria = threshold_criteria(near)
    assert [criterion.holds for criterion in criteria] == [True, True]
    assert criteria[0].value == pytest.approx(5 / 6)
    assert criteria[1].value == 3.0
    behind = threshold_criteria({**near, "recipe 0": 6.0, "recipe 1": 2.0})
    assert LabResult({}, behind, "", {}).verdict == "refuted"
    assert [criterion.holds for criterion in behind] == [False, False]
