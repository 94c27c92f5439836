"""Advice before a search, and what it must not say."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=4
)
RATE = nw.axes.Log("optimizer.lr", 1e-4, 1.0)
WIDTH = nw.axes.Integer("width", 2, 32, log=True)


def test_advice_comes_with_its_reason_and_stops_what_cannot_be(tmp_path: Path) -> None:
    four = nw.Space(
        (RATE, WIDTH, nw.axes.Integer("batch_size", 4, 8), nw.axes.Integer("epochs", 1, 2))
    )
    problems = nw.search_advice(RECIPE, nw.SearchPlan(space=four, method=nw.Grid(1)))
    assert [problem.field for problem in problems] == ["method"]
    assert "power of their number" in problems[0].reason
    linear = nw.SearchPlan(
        space=nw.Space(
            (nw.axes.Linear("optimizer.lr", 1e-4, 1.0), nw.axes.Integer("width", 2, 500))
        )
    )
    assert [problem.field for problem in nw.search_advice(RECIPE, linear)] == [
        "space.optimizer.lr",
        "space.width",
    ]
    wide = nw.SearchPlan(space=nw.Space((nw.axes.Log("optimizer.lr", 1e-6, 1.0),)))
    assert [problem.instead for problem in nw.search_advice(RECIPE.but(epochs=100), wide)] == [
        "method = CoarseToFine()"
    ]
    blind = RECIPE.but(data=nw.data.iris(valid=0.0))
    with pytest.raises(nw.WrongValue, match="the test part is never used to choose"):
        nw.search(blind, nw.Space((RATE,)), folder=tmp_path / "s")
    assert not (tmp_path / "s").exists()
    folds = nw.SearchPlan(space=nw.Space((RATE,)), folds=2)
    assert nw.search_advice(blind, folds) == []  # folds need no validation part


@pytest.mark.parametrize(
    "axis",
    [
        nw.axes.Linear("optimizer.lr", 0.05, 0.5),  # one decade
        nw.axes.Linear("network.dropout", 0.0, 0.9),  # a share, not a factor
        nw.axes.Integer("width", 2, 500, log=True),
        nw.axes.Integer("epochs", 10, 50),
        RATE,
    ],
    ids=lambda axis: f"{type(axis).__name__} {axis.name}",
)
def test_a_sensible_axis_gets_no_advice(axis: nw.axes.Axis) -> None:
    assert nw.search_advice(RECIPE, nw.SearchPlan(space=nw.Space((axis,)))) == []


def test_methods_with_short_runs_may_search_a_wide_range() -> None:
    wide, recipe = nw.Space((nw.axes.Log("optimizer.lr", 1e-6, 1.0),)), RECIPE.but(epochs=100)
    for method in (nw.CoarseToFine(), nw.Halving(), nw.Population()):
        assert nw.search_advice(recipe, nw.SearchPlan(space=wide, method=method)) == []
