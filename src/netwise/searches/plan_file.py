"""Plans of searches as TOML, read by the same rules as recipes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netwise.atomic import write_atomically
from netwise.recipe.families import FAMILIES, Families, by_kind
from netwise.recipe.plain import plain_of
from netwise.recipe.reader import part_of, read_toml
from netwise.renamed import with_old_names
from netwise.searches.axes import AXES, Axis
from netwise.searches.methods import METHODS, SearchMethod
from netwise.searches.plan import SearchPlan

# A search's file names axes and methods in the way in which it names the parts of a recipe.
SEARCH_FAMILIES: Families = {**FAMILIES, Axis: by_kind(AXES), SearchMethod: by_kind(METHODS)}


@dataclass(frozen=True)
class PlanFile:
    """The contents of a search.toml.

    Args:
        plan: of the search.
        storage: the URL of its storage, without a password, or None.
        custom_axes: names of the axes that change the recipe by a function, which no file holds.
    """

    plan: SearchPlan
    storage: str | None
    custom_axes: tuple[str, ...]


def plan_text(plan: SearchPlan) -> str:
    """The plan as TOML, every field."""
    import tomli_w

    return tomli_w.dumps(plan_as_dict(plan))


def plan_hash(plan: SearchPlan) -> str:
    """8 hex digits; equal for equal plans, and the same as before parts were renamed."""
    return hashlib.sha256(with_old_names(plan_text(plan)).encode()).hexdigest()[:8]


def plan_as_dict(plan: SearchPlan) -> dict[str, Any]:
    """The plan as the plain values of its file."""
    plain = plain_of(plan)
    plain.pop("kind")
    plain["space"].pop("kind")
    for axis, table in zip(plan.space.axes, plain["space"]["axes"], strict=True):
        table.pop("change", None)
        if axis.change is not None:
            name = getattr(axis.change, "__qualname__", "function")
            table["change"] = f"{axis.change.__module__}:{name}"
    return plain


def write_plan(plan: SearchPlan, path: Path, storage: str | None = None) -> None:
    """Write the plan, atomically, with the URL of its storage; its password is left out."""
    import tomli_w

    plain = plan_as_dict(plan)
    if storage is not None:
        from sqlalchemy.engine import make_url

        plain["storage"] = make_url(storage).render_as_string(hide_password=True)
    write_atomically(path, tomli_w.dumps(plain))


def read_plan(path: Path) -> PlanFile:
    """The plan in a search.toml.

    Raises:
        RecipeFileError: all wrong fields.
    """
    plain = read_toml(path)
    storage = plain.pop("storage", None)
    space = plain.get("space")
    tables = space.get("axes", []) if isinstance(space, Mapping) else []
    custom = tuple(
        str(table.get("field"))
        for table in tables
        if isinstance(table, dict) and table.pop("change", None) is not None
    )
    return PlanFile(plan_from_dict(plain, path.name), storage, custom)


def plan_from_dict(plain: Mapping[str, Any], name: str = "search") -> SearchPlan:
    """The plan that plain values describe, as a file has them; `axes` may be at the top level,
    without a `space` around them.

    Raises:
        RecipeFileError: all wrong fields; `name` is the file's.
    """
    plain = dict(plain)
    if "axes" in plain and "space" not in plain:
        plain["space"] = {"axes": plain.pop("axes")}
    if isinstance(plain.get("space"), Mapping):
        plain["space"] = {key: value for key, value in plain["space"].items() if key != "kind"}
    return part_of(SearchPlan, plain, name, SEARCH_FAMILIES)
