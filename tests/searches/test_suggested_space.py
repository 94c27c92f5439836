"""Spaces for a recipe: valid everywhere, and the same when read from the file."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw
from netwise.cli.commands.search import recipe_and_plan
from netwise.searches.suggested_space import suggested_plan, write_space

RECIPES = {
    "mlp": nw.suggest(nw.data.iris()),
    "ensemble": nw.suggest(nw.data.iris(), "ensemble"),
    "regression": nw.suggest(nw.data.diabetes(), "ensemble"),
    "linear": nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3))),
    "images": nw.suggest(nw.data.digits(), "convnet"),
    "two optimizers": nw.Recipe(
        data=nw.data.iris(),
        network=nw.MLP((4, 8, 3)),
        optimizer=nw.SwitchOptimizer(first=nw.Adam(), then=nw.SGD(), epoch=2),
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_every_corner_of_the_space_is_a_recipe(name: str) -> None:
    recipe = RECIPES[name]
    space = nw.suggest_space(recipe)
    for fraction in (0.0, 0.5, 1.0):
        point = {axis.name: axis.value_at(fraction) for axis in space.axes}
        assert nw.check(space.apply(recipe, point)) == []


def test_the_rate_of_the_recipe_is_in_the_middle_and_missing_fields_have_no_axis() -> None:
    names = {name: [a.name for a in nw.suggest_space(r).axes] for name, r in RECIPES.items()}
    assert names["linear"] == ["optimizer.lr", "loss.label_smoothing"]
    assert "optimizer.weight_decay" in names["ensemble"]
    assert "loss.label_smoothing" not in names["regression"]
    assert "width" not in names["images"]
    assert names["two optimizers"][0] == "rate"
    rate = nw.suggest_space(RECIPES["ensemble"]).axes[0]
    assert rate.value_at(0.5) == pytest.approx(RECIPES["ensemble"].optimizer.lr)


def test_a_written_space_is_read_as_the_same_recipe_and_plan(tmp_path: Path) -> None:
    recipe = RECIPES["ensemble"]
    plan = suggested_plan(recipe, 7)
    write_space(recipe, plan, tmp_path / "space.toml")
    assert recipe_and_plan(tmp_path / "space.toml") == (recipe, plan)
