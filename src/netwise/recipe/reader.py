"""Recipes from TOML files: every part is read by the rules of its own fields, and every wrong field
is reported, not only the first."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from netwise.data import Arrays
from netwise.errors import Problem, RecipeFileError, WrongValue, close_matches, short_repr
from netwise.file_errors import file_errors
from netwise.file_text import as_file_text
from netwise.part import FieldRule, InvalidValue, Part, field_rule
from netwise.recipe.array_file import read_arrays
from netwise.recipe.families import FAMILIES, Families, find_class
from netwise.recipe.plain import plain_of
from netwise.recipe.recipe import Recipe
from netwise.recipe.user_code import trusted
from netwise.regular_files import read_regular

P = TypeVar("P", bound=Part)
LARGEST = 1_000_000  # bytes; a recipe or the plan of a search is a page of text
TOO_DEEP = "is nested too deeply for a recipe: write each part as one table"
LONGEST_NAME = 60  # characters of an unknown field's name that a message shows


def read_recipe(path: str | Path, *, trust_own: bool = False) -> Recipe:
    """The recipe in a TOML file. Reading imports and runs nothing that the file names.

    Args:
        path: of the file.
        trust_own: code of your own that the file names, as the source of a `CustomNetwork`, may be
            imported and run when the recipe is trained. Default false: training it is refused.

    Raises:
        RecipeFileError: every wrong field at once, by its dotted name.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "recipe.toml"
        >>> _ = path.write_text('data = "digits"\\nnetwork = {kind = "MLP", widths = [64, 30, 10]}')
        >>> nw.read_recipe(path).optimizer.lr
        0.001
    """
    path = Path(path)
    recipe = recipe_of(read_toml(path), path.name, path.parent)
    return trusted(recipe) if trust_own else recipe


def read_toml(path: Path) -> dict[str, Any]:
    """The plain values in a TOML file, a recipe or the plan of a search; texts are marked as those
    of a file (`netwise.file_text`).

    Raises:
        RecipeFileError: the file cannot be read, is no regular file or too large, or is no TOML.
    """
    with file_errors(path):
        return toml_table(_bytes_of(path), path.name)


def _bytes_of(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            reason = (
                f"is larger than a recipe can be ({LARGEST:,} bytes): name the recipe's own file, "
                "such as runs/digits-3f2a/recipe.toml"
            )
            raise RecipeFileError.of(path.name, "file", f"{size:,} bytes", reason)
        return read_regular(path, LARGEST)
    except OSError as error:
        reason = f"cannot be read: {error.strerror}. Check the path; `netwise runs` lists all runs"
        raise RecipeFileError.of(path.name, "file", str(path), reason) from None


def recipe_from_bytes(raw: bytes, name: str = "recipe", folder: Path | None = None) -> Recipe:
    """The recipe in the bytes of a TOML file.

    Args:
        raw: what the file holds.
        name: what errors call the file.
        folder: where the arrays of a recipe with arrays lie. Default: the current folder.

    Raises:
        RecipeFileError: no TOML, or wrong fields.
    """
    return recipe_of(toml_table(raw, name), name, folder)


def toml_table(raw: bytes, name: str) -> dict[str, Any]:
    """The plain values in the bytes of a TOML file that errors call `name`; texts are marked as
    those of a file (`netwise.file_text`).

    Raises:
        RecipeFileError: the bytes are no TOML.
    """
    try:
        table: dict[str, Any] = as_file_text(tomllib.loads(raw.decode("utf-8")))
    except UnicodeDecodeError as error:
        reason = f"is no UTF-8 text (byte {error.start}): save it as UTF-8"
        raise RecipeFileError.of(name, "file", "", reason) from None
    except RecursionError:
        raise RecipeFileError.of(name, "file", "", TOO_DEEP) from None
    except ValueError as error:
        reason = (
            f"is no TOML: {str(error)[:200]}. Repair it; the recipe.toml of every run is an example"
        )
        raise RecipeFileError.of(name, "file", "", reason) from None
    return table


def recipe_of(plain: Mapping[str, Any], name: str = "recipe", folder: Path | None = None) -> Recipe:
    """The recipe that plain values describe, as `recipe_from_bytes` has them from a file."""
    return part_of(Recipe, plain, name, folder=folder)


def part_of(
    cls: type[P],
    plain: Mapping[str, Any],
    name: str,
    families: Families = FAMILIES,
    *,
    folder: Path | None = None,
) -> P:
    """The part of this class that plain values describe.

    Args:
        cls: class of the part.
        plain: its fields by name, without `kind`.
        name: what errors call the file.
        families: which kinds the fields can name. Default: those of recipes.
        folder: where the arrays of a recipe with arrays lie. Default: the current folder.

    Raises:
        RecipeFileError: every wrong field at once, by its dotted name.

    Example:
        >>> import netwise as nw
        >>> from netwise.recipe.reader import part_of
        >>> plain = {"first": "Adam", "then": {"kind": "SGD", "lr": 0.1}}
        >>> part_of(nw.SwitchOptimizer, plain, "recipe").then
        SGD(lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.0)
    """
    try:
        return _Reader(families, folder).part(cls, plain)
    except WrongValue as error:
        raise RecipeFileError(name, error.problems) from None
    except RecursionError:
        raise RecipeFileError.of(name, "file", "", TOO_DEEP) from None


@dataclass(frozen=True)
class _Reader:
    """Makes parts of plain values.

    Its methods raise WrongValue with all problems; each caller adds the name of the field that it
    was reading, so that the outermost error has dotted names.
    """

    families: Families
    folder: Path | None

    def part(self, cls: type[P], table: Mapping[str, Any]) -> P:
        """The part of a class, from its fields by name."""
        fields = _readable_fields(cls)
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, (field, rule) in fields.items():
            if name in table:
                try:
                    values[name] = self.value(field, rule, table[name])
                except WrongValue as error:
                    problems += [problem.inside(name) for problem in error.problems]
            elif field.default is MISSING and field.default_factory is MISSING:
                reason, instead = _reason_of(rule)
                problems.append(Problem(name, "", f"is missing{reason}", instead))
        problems += [_unknown(name, fields) for name in table if name not in fields]
        if problems:
            raise WrongValue(cls.__name__, problems)
        return cls(**values)  # raises for fields that are right alone and wrong together

    def value(self, field: dataclasses.Field[Any], rule: FieldRule, value: Any) -> Any:
        """The value of one field."""
        if rule.family is None:
            try:
                return rule.accept(value)
            except InvalidValue as error:
                raise WrongValue.of(
                    "value", "", short_repr(value), error.reason, error.instead
                ) from None
        if not rule.is_row:
            return self.member(rule.family, value, field.default)
        if not isinstance(value, list):
            reason = (
                f"must be a list of tables, each of them {rule.family.with_article()}: write "
                'name = ["A", {kind = "B", field = 1}]'
            )
            raise WrongValue.of("value", "", short_repr(value), reason)
        return self.members(rule.family, value)

    def members(self, family: type[Part], rows: list[Any]) -> tuple[Part, ...]:
        """Parts of one family; problems are named by their row, from 0."""
        members, problems = [], []
        for i, row in enumerate(rows):
            try:
                members.append(self.member(family, row, None))
            except WrongValue as error:
                problems += [problem.inside(str(i)) for problem in error.problems]
        if problems:
            raise WrongValue(family.family_name, problems)
        return tuple(members)

    def member(self, family: type[Part], value: Any, default: Any) -> Part:
        """One part of a family: a table with its kind, its kind alone, or the part itself.

        A family that the families do not list, such as `Recipe`, has one member: the class itself.
        """
        if isinstance(value, family):
            return value
        kinds = self.families.get(family)
        if kinds is None:
            if not isinstance(value, Mapping):
                reason = f"must be a table: write the fields of {family.with_article()} in braces"
                raise WrongValue.of("value", "", short_repr(value), reason)
            return self.part(family, value)
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, Mapping):
            reason = f"must be a table with a kind, or the name of {family.with_article()}"
            example = f'"{next(iter(kinds))}"'
            raise WrongValue.of("value", "", short_repr(value), reason, example)
        kind = value.get("kind")
        if kind is None:
            kind = default.kind if isinstance(default, Part) else None
            kind = next(iter(kinds)) if kind is None and len(kinds) == 1 else kind
        if not isinstance(kind, str):
            reason = f"needs a kind: which {family.family_name}? There are: {', '.join(kinds)}."
            given = value if kind is None else kind
            raise WrongValue.of("value", "", short_repr(given), reason)
        try:
            cls = find_class(family, kind, self.families)
        except InvalidValue as error:
            raise WrongValue.of(
                "value", "", short_repr(kind), error.reason, error.instead
            ) from None
        table = {name: item for name, item in value.items() if name != "kind"}
        return read_arrays(table, self.folder) if cls is Arrays else self.part(cls, table)


def _readable_fields(cls: type[Part]) -> dict[str, tuple[dataclasses.Field[Any], FieldRule]]:
    """The fields that a file can hold: those with a rule."""
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]  # every part is a dataclass
    rules = ((field, field_rule(field)) for field in fields if field.init)
    return {field.name: (field, rule) for field, rule in rules if rule is not None}


def _reason_of(rule: FieldRule) -> tuple[str, str]:
    """(why a required field must be there, what to write), from the field's own rule."""
    try:
        rule.accept(None)
    except InvalidValue as error:
        reason = error.reason.partition(": ")[2]
        return (f": {reason}" if reason else ""), error.instead
    return "", ""


def _unknown(name: object, fields: Mapping[str, object]) -> Problem:
    name = str(name)[:LONGEST_NAME]
    close = close_matches(name, fields)
    hint = f"Did you mean {close}?" if close else f"There are: {', '.join(fields)}."
    return Problem(name, "", f"unknown field. {hint}")


def with_fields(recipe: Recipe, values: Mapping[str, Any], name: str = "recipe") -> Recipe:
    """The recipe with fields changed by their dotted names, read as a file would be.

    Another `kind` comes with its own defaults.

    Args:
        recipe: what to change.
        values: new values by dotted names, such as `optimizer.lr`.
        name: what errors call the recipe.

    Raises:
        RecipeFileError: the recipe has no such field, or a value breaks the field's rule.

    Example:
        >>> import netwise as nw
        >>> from netwise.recipe.reader import with_fields
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> changed = with_fields(recipe, {"optimizer.lr": 0.5, "optimizer.kind": "SGD"})
        >>> changed.optimizer == nw.SGD(lr=0.5)
        True
    """
    changed = {field.split(".")[0] for field in values}
    plain = plain_of(recipe)
    # Parts that do not change stay the objects they are: some hold what no file does, such as
    # arrays or the function of a network.
    for field in dataclasses.fields(recipe):
        part = getattr(recipe, field.name)
        if isinstance(part, Part) and field.name not in changed:
            plain[field.name] = part
    # Another kind comes first: the fields of the old kind are not its own.
    kinds_first = sorted(values.items(), key=lambda item: item[0].split(".")[-1] != "kind")
    for field_name, value in kinds_first:
        *path, last = field_name.split(".")
        table = _table_at(plain, path, field_name, value, name)
        if last == "kind" and table.get("kind") != value:
            table.clear()
        table[last] = list(value) if isinstance(value, tuple) else value
    return recipe_of(plain, name)


def _table_at(
    plain: dict[str, Any], path: list[str], field: str, value: object, name: str
) -> dict[str, Any]:
    """The table that `path` leads to, made where it is absent."""
    table: Any = plain
    for step in path:
        table = table.setdefault(step, {})
        if not isinstance(table, dict):
            reason = (
                f"{step} is {short_repr(table)}, not a table: it has no fields. Set {step} itself"
            )
            raise RecipeFileError.of(name, field, short_repr(value), reason)
    return cast("dict[str, Any]", table)
