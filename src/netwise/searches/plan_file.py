"""Plans of searches as TOML, read by the same rules as recipes."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netwise.atomic import write_atomically
from netwise.errors import Problem, RecipeFileError
from netwise.recipe.families import FAMILIES, Families, by_kind
from netwise.recipe.plain import plain_of
from netwise.recipe.reader import part_of
from netwise.renamed import with_old_names
from netwise.searches.axes import AXES, Axis
from netwise.searches.methods import METHODS, SearchMethod
from netwise.searches.plan import SearchPlan

# A search's file names axes and methods in the way in which it names the parts of a recipe.
SEARCH_FAMILIES: Families = {**FAMILIES, Axis: by_kind(AXES), SearchMethod: by_kind(METHODS)}


def plan_text(search: SearchPlan) -> str:
    """The plan as TOML, every field."""
    import tomli_w

    return tomli_w.dumps(_plain(search))


def plan_hash(search: SearchPlan) -> str:
    """8 hex digits; equal for equal plans, and the same as before parts were renamed."""
    return hashlib.sha256(with_old_names(plan_text(search)).encode()).hexdigest()[:8]


def _plain(search: SearchPlan) -> dict[str, Any]:
    plain = plain_of(search)
    plain.pop("kind")
    plain["space"].pop("kind")
    for axis, table in zip(search.space.axes, plain["space"]["axes"], strict=True):
        table.pop("change", None)
        if axis.change is not None:
            table["change"] = (
                f"{axis.change.__module__}:{getattr(axis.change, '__qualname__', 'function')}"
            )
    return plain


def write_plan(search: SearchPlan, path: Path, storage: str | None = None) -> None:
    """Write the plan, atomically; with the URL of its storage, less the password."""
    import tomli_w

    plain = _plain(search)
    if storage is not None:
        from sqlalchemy.engine import make_url

        plain["storage"] = make_url(storage).render_as_string(hide_password=True)
    write_atomically(path, tomli_w.dumps(plain))


def read_plan(path: Path) -> tuple[SearchPlan, str | None, list[str]]:
    """(the plan, the URL of its storage or None, names of axes whose function only the user
    has)."""
    plain = read_toml(path)
    storage = plain.pop("storage", None)
    space = plain.get("space")
    tables = space.get("axes", []) if isinstance(space, Mapping) else []
    own = [
        str(table.get("field"))
        for table in tables
        if isinstance(table, dict) and table.pop("change", None) is not None
    ]
    return plan_from_dict(plain, path.name), storage, own


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as plain values."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RecipeFileError(
            path.name, [Problem("file", str(path), f"cannot be read: {error.strerror}")]
        ) from None
    except (ValueError, RecursionError) as error:
        raise RecipeFileError(
            path.name, [Problem("file", "", f"is no TOML: {str(error)[:200]}")]
        ) from None


def plan_from_dict(plain: Mapping[str, Any], name: str = "search") -> SearchPlan:
    """The plan that plain values describe, as a file has them; `axes` may stand at the top, without
    a `space` around them."""
    plain = dict(plain)
    if "axes" in plain and "space" not in plain:
        plain["space"] = {"axes": plain.pop("axes")}
    if isinstance(plain.get("space"), Mapping):
        plain["space"] = {key: value for key, value in plain["space"].items() if key != "kind"}
    return part_of(SearchPlan, plain, name, SEARCH_FAMILIES)
