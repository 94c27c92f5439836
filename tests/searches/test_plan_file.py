"""Plans as TOML: what is written is what is read, and what no file holds is named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import netwise as nw
from netwise.recipe.families import FAMILIES
from netwise.searches.axes import Axis
from netwise.searches.methods import METHODS
from netwise.searches.plan_file import (
    SEARCH_FAMILIES,
    plan_from_dict,
    plan_hash,
    plan_text,
    read_plan,
    write_plan,
)

SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.__name__)
def test_a_plan_with_each_method_is_read_as_it_was_written(method: type[nw.SearchMethod]) -> None:
    axes = (
        nw.axes.Choice("optimizer.kind", ("SGD", "Adam")),
        nw.axes.Log("optimizer.lr", 1e-4, 1.0, when="optimizer.kind", among=("SGD",)),
    )
    plan = nw.SearchPlan(space=nw.Space(axes), method=method(), trials=7, folds=3, seed=5)
    assert plan_from_dict(tomllib.loads(plan_text(plan))) == plan


def twice(recipe: nw.Recipe, value: object) -> nw.Recipe:
    return recipe.but(epochs=2 * int(str(value)))


def test_axes_with_functions_are_named_since_no_file_holds_them(tmp_path: Path) -> None:
    space = nw.Space((*SPACE.axes, nw.axes.Integer("own", 1, 4, change=twice)))
    write_plan(nw.SearchPlan(space=space), tmp_path / "search.toml")
    assert ":twice" in (tmp_path / "search.toml").read_text()
    read = read_plan(tmp_path / "search.toml")
    assert read.custom_axes == ("own",)
    assert read.plan.space == space  # a function is no part of what is compared
    assert read.plan.space.axes[1].change is None
    assert read.storage is None


def test_the_password_of_a_storage_is_not_written(tmp_path: Path) -> None:
    plan = nw.SearchPlan(space=SPACE)
    write_plan(plan, tmp_path / "search.toml", "postgresql://me:secret@host/base")
    assert "secret" not in (tmp_path / "search.toml").read_text()
    assert read_plan(tmp_path / "search.toml").storage == "postgresql://me:***@host/base"


def test_axes_may_be_at_the_top_level() -> None:
    axes = [{"kind": "Log", "field": "optimizer.lr", "low": 1e-4, "high": 1.0}]
    assert plan_from_dict({"axes": axes}) == plan_from_dict({"space": {"axes": axes}})
    assert plan_from_dict({"axes": axes}).space == SPACE


def test_equal_plans_have_equal_hashes_and_others_not() -> None:
    plan = nw.SearchPlan(space=SPACE)
    assert plan_hash(plan) == plan_hash(nw.SearchPlan(space=SPACE))
    assert plan_hash(plan) != plan_hash(plan.but(seed=1))
    assert len(plan_hash(plan)) == 8


def test_files_written_before_the_rename_of_whole_axes_are_read() -> None:
    axes = [{"kind": "Whole", "field": "width", "low": 2, "high": 8}]
    assert plan_from_dict({"axes": axes}).space.axes == (nw.axes.Integer("width", 2, 8),)


def test_a_recipe_knows_no_axes_and_a_plan_knows_both() -> None:
    assert Axis not in FAMILIES
    assert set(FAMILIES) < set(SEARCH_FAMILIES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trials = ", "is no TOML: "),
        ("trials = 0\nfold = 3", "at least 1.*\n.*fold .*Did you mean `folds`"),
    ],
)
def test_a_wrong_file_is_refused_with_what_to_write(
    tmp_path: Path, text: str, message: str
) -> None:
    axis = '[[axes]]\nkind = "Log"\nfield = "optimizer.lr"\nlow = 1e-4\nhigh = 1.0\n'
    (tmp_path / "s.toml").write_text(f"{text}\n{axis}")
    with pytest.raises(nw.RecipeFileError, match=f"(?s){message}"):
        read_plan(tmp_path / "s.toml")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(nw.RecipeFileError, match="cannot be read: No such file"):
        read_plan(tmp_path / "none.toml")
