"""The searches of the repository can be read, fit their recipes, and have nothing against them but
advice."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw
from netwise.cli.commands.search import recipe_and_plan
from netwise.errors import CANNOT_RUN

FILES = sorted((Path(__file__).parent.parent.parent / "searches").glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_search_can_be_read_and_begun(path: Path) -> None:
    recipe, plan = recipe_and_plan(path)
    assert not [
        problem for problem in nw.search_advice(recipe, plan) if problem.grade == CANNOT_RUN
    ]
    point = {axis.name: axis.value_at(0.5) for axis in plan.space.axes}
    assert not [
        problem
        for problem in nw.check(plan.space.apply(recipe, point))
        if problem.grade == CANNOT_RUN
    ]
