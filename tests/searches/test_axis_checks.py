"""Values of axes that no trial could use are named before the first trial."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw
from netwise.searches.axis_checks import unusable_values

RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=1)
RATE = nw.axes.Log("optimizer.lr", 1e-4, 1.0)


def refused(*axes: nw.axes.Axis) -> list[str]:
    return [each.field for each in unusable_values(RECIPE, nw.Space(axes))]


@pytest.mark.parametrize(
    ("axis", "field"),
    [
        (nw.axes.Log("optimizer.lrr", 1e-4, 1.0), "space.optimizer.lrr"),
        (nw.axes.Integer("no_such_field", 1, 2), "space.no_such_field"),
        (nw.axes.Linear("optimizer.lr.x", 0.0, 1.0), "space.optimizer.lr.x"),
        (nw.axes.Choice("network.activation", ("ReLU", "Tanhh")), "space.network.activation"),
        (nw.axes.Linear("optimizer.lr", -1.0, 1.0), "space.optimizer.lr"),
        (nw.axes.Choice("optimizer", ({"kind": "SGD", "lr": -1}, "Adam")), "space.optimizer.lr"),
    ],
)
def test_a_value_that_no_recipe_accepts_is_named(axis: nw.axes.Axis, field: str) -> None:
    first = nw.axes.Integer("batch_size", 8, 64)
    assert refused(first, axis)[0] == field


def test_values_that_some_trial_can_use_are_not_refused() -> None:
    kinds = nw.axes.Choice("optimizer.kind", ("Adam", "SGD"))
    momentum = nw.axes.Linear("optimizer.momentum", 0.0, 0.9, when="optimizer.kind", among=("SGD",))
    assert refused(kinds, momentum, RATE, nw.axes.Integer("width", 2, 9)) == []
    assert refused(kinds, momentum.but(among=("Adam",)))[0] == "space.optimizer.momentum"


def test_a_function_of_ones_own_is_not_called() -> None:
    def change(recipe: nw.Recipe, value: object) -> nw.Recipe:
        raise AssertionError

    assert refused(nw.axes.Integer("anything", 1, 2, change=change)) == []


def test_a_search_says_so_before_its_folder_is_made(tmp_path: Path) -> None:
    space = nw.Space((nw.axes.Log("optimizer.lrr", 1e-4, 1.0),))
    with pytest.raises(nw.WrongValue, match=r"space\.optimizer\.lrr +unknown field\. Did you mean"):
        nw.search(RECIPE, space, folder=tmp_path / "study", trials=2, jobs=1)
    assert not (tmp_path / "study").exists()
