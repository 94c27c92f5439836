"""Recipes as TOML. pydantic reads the file, by models made from the parts' own fields, and stays in
here."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic_core import PydanticCustomError

from netwise.atomic import write_atomically
from netwise.data import DATA, Arrays, Data
from netwise.data.views import innermost
from netwise.errors import Problem, RecipeFileError, WrongValue, close_matches, short_repr
from netwise.networks import NETWORKS, CustomNetwork, Network
from netwise.networks.energy import MACHINES, NEGATIVE_PHASES
from netwise.part import FieldRule, InvalidValue, Part, field_rule
from netwise.parts.activations import ACTIVATIONS, Activation
from netwise.parts.augment import AUGMENTS, Augment
from netwise.parts.averaging import AVERAGINGS, Averaging
from netwise.parts.clipping import CLIPPINGS, Clipping
from netwise.parts.finetuning import FineTune
from netwise.parts.initializers import INITIALIZERS, Initializer
from netwise.parts.losses import LOSSES, Loss
from netwise.parts.optimizers import OPTIMIZERS, Optimizer
from netwise.parts.penalties import PENALTIES, Penalty
from netwise.parts.preprocess import PREPROCESSES, Preprocess
from netwise.parts.schedules import SCHEDULES, Schedule
from netwise.parts.stopping import STOPPINGS, Stopping
from netwise.recipe.origin import From
from netwise.recipe.recipe import Recipe
from netwise.renamed import current_name

P = TypeVar("P", bound=Part)
KEPT: dict[str, Path] = {}  # by digest: files of arrays that this process has written or read
LARGEST = 1_000_000  # bytes: a recipe is a page of text
ARRAYS_FILE = (
    "data.safetensors"  # beside the recipe: the arrays of data that the user had in memory
)


def _by_name(members: tuple[type[Part], ...]) -> dict[str, type[Part]]:
    return {member.__name__: member for member in members}


class Families(Mapping[type[Part], Mapping[str, type[Part]]]):
    """The parts that a file can name: family -> name in the file -> class. Immutable, hashed by
    identity; `families | more` is a new value."""

    def __init__(self, members: Mapping[type[Part], Mapping[str, type[Part]]]) -> None:
        self._members = {
            family: MappingProxyType(dict(by_name)) for family, by_name in members.items()
        }

    def __getitem__(self, family: type[Part]) -> Mapping[str, type[Part]]:
        return self._members[family]

    def __iter__(self) -> Iterator[type[Part]]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __or__(self, more: Mapping[type[Part], Mapping[str, type[Part]]]) -> Families:
        return Families({**self, **more})

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


# Every part that a recipe file or the command line can name, by family. The one place where text
# becomes a part.
_RECIPE_MEMBERS: dict[type[Part], dict[str, type[Part]]] = {
    Data: dict(DATA),
    Network: _by_name((*NETWORKS, *MACHINES)),
    Activation: _by_name(ACTIVATIONS),
    Initializer: _by_name((*INITIALIZERS, From)),
    Loss: _by_name((*LOSSES, *NEGATIVE_PHASES)),
    Penalty: _by_name(PENALTIES),
    Optimizer: _by_name(OPTIMIZERS),
    Schedule: _by_name(SCHEDULES),
    Clipping: _by_name(CLIPPINGS),
    Stopping: _by_name(STOPPINGS),
    Preprocess: _by_name(PREPROCESSES),
    Augment: _by_name(AUGMENTS),
    FineTune: {"FineTune": FineTune},
    Averaging: _by_name(AVERAGINGS),
}
FAMILIES = Families(_RECIPE_MEMBERS)


def recipe_text(recipe: Recipe) -> str:
    """The recipe as TOML: every field, so that a change of a default changes no stored run.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> nw.recipe_text(recipe).splitlines()[0]
        'batch_size = 64'
    """
    import tomli_w

    plain = plain_of(recipe)
    tables = {key: value for key, value in plain.items() if isinstance(value, dict | list)}
    return tomli_w.dumps(
        {**{key: value for key, value in plain.items() if key not in tables}, **tables}
    )


def plain_of(part: Part) -> dict[str, Any]:
    """A part as the plain values that its file has."""
    plain: dict[str, Any] = {}
    if not isinstance(part, Recipe):
        plain["kind"] = kind_of(part)
    if isinstance(part, Arrays):
        plain["digest"] = part.digest
    for each in dataclasses.fields(part):  # type: ignore[arg-type]
        value = getattr(part, each.name)
        if isinstance(part, Arrays) and each.name in ("X", "y", "classes", "weights"):
            continue
        if value is None or (isinstance(value, tuple) and not value):
            continue
        if isinstance(value, Part):
            plain[each.name] = plain_of(value)
        elif isinstance(value, tuple):
            plain[each.name] = [plain_of(v) if isinstance(v, Part) else v for v in value]
        else:
            plain[each.name] = value
    return plain


def with_fields(recipe: Recipe, values: Mapping[str, Any], name: str = "recipe") -> Recipe:
    """The recipe with fields changed by their dotted names, read as a file would be. Another `kind`
    comes with its own defaults.

    Raises:
        RecipeFileError: the recipe has no such field, or a value cannot be; `name` says in what.

    Example:
        >>> import netwise as nw
        >>> from netwise.recipe.file import with_fields
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> with_fields(recipe, {"optimizer.lr": 0.5, "optimizer.kind": "SGD"}).optimizer == nw.SGD(lr=0.5)
        True
    """
    touched = {field.split(".")[0] for field in values}
    parts = {
        each.name: getattr(recipe, each.name)
        for each in dataclasses.fields(recipe)
        if each.name not in touched
    }
    # Parts that are not touched stay the values they are: some hold what no file does, such as
    # arrays or the function of a network.
    plain = plain_of(recipe) | {
        name: part for name, part in parts.items() if isinstance(part, Part)
    }
    # Another kind of part comes first: the fields of the old one are not its own.
    for field, value in sorted(values.items(), key=lambda each: each[0].split(".")[-1] != "kind"):
        *path, last = field.split(".")
        place: Any = plain
        for bit in path:
            place = place.setdefault(bit, {}) if isinstance(place, dict) else None
            if not isinstance(place, dict):
                raise RecipeFileError(
                    name,
                    [
                        Problem(
                            field,
                            short_repr(value),
                            f"{bit} is no table: it has no fields of its own",
                        )
                    ],
                )
        if last == "kind" and place.get("kind") != value:
            place.clear()
        place[last] = list(value) if isinstance(value, tuple) else value
    return recipe_of(plain, name)


def kind_of(part: Part) -> str:
    """What a file calls this part."""
    for members in FAMILIES.values():
        for name, member in members.items():
            if type(part) is member:
                return name
    return type(part).__name__


def write_recipe(recipe: Recipe, path: str | Path) -> None:
    """Write the recipe as TOML, atomically; arrays in memory go to `data.safetensors` beside it.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "recipe.toml"
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> nw.write_recipe(recipe, path)
        >>> nw.read_recipe(path) == recipe
        True
    """
    path = Path(path)
    if (
        isinstance(recipe.init, From)
        and recipe.init.recipe is not None
        and isinstance(recipe.init.recipe.data, Arrays)
    ):
        told = "holds arrays in memory, which one file cannot keep beside this recipe's own: train it into a folder and name that, init=From(folder)"
        raise WrongValue("recipe", [Problem("init.recipe.data", "arrays", told)])
    held = innermost(recipe.data)
    if isinstance(held, Arrays):
        _write_arrays(held, path.with_name(ARRAYS_FILE))
    write_atomically(path, recipe_text(recipe))


def read_recipe(path: str | Path) -> Recipe:
    """The recipe in a TOML file. Reading imports and runs nothing that the file names.

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
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise RecipeFileError(
                path.name,
                [
                    Problem(
                        "file",
                        f"{size:,} bytes",
                        f"is larger than a recipe can be ({LARGEST:,} bytes)",
                    )
                ],
            )
        raw = path.read_bytes()
    except OSError as error:
        raise RecipeFileError(
            path.name, [Problem("file", str(path), f"cannot be read: {error.strerror}")]
        ) from None
    return recipe_from(raw, path.name, path.parent)


def recipe_from(raw: bytes, name: str = "recipe", folder: Path | None = None) -> Recipe:
    """The recipe in the bytes of a TOML file; `folder` has the arrays that it may speak of."""
    try:
        plain = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RecipeFileError(
            name, [Problem("file", "", f"is no UTF-8 text (byte {error.start}): save it as UTF-8")]
        ) from None
    except RecursionError:
        raise RecipeFileError(
            name, [Problem("file", "", "is nested too deeply for a recipe")]
        ) from None
    except ValueError as error:
        raise RecipeFileError(
            name, [Problem("file", "", f"is no TOML: {str(error)[:200]}")]
        ) from None
    return recipe_of(plain, name, folder)


def recipe_of(plain: Mapping[str, Any], name: str = "recipe", folder: Path | None = None) -> Recipe:
    """The recipe that plain values describe, as a file has them."""
    plain = dict(plain)
    plain["data"] = _with_arrays(plain.get("data"), folder, name)
    if plain["data"] is None:
        del plain["data"]
    return part_of(Recipe, plain, name)


def part_of(cls: type[P], plain: Mapping[str, Any], name: str, families: Families = FAMILIES) -> P:
    """The part of this class that plain values describe; `families` has the parts they can name.

    Raises:
        RecipeFileError: every wrong field at once, by its dotted name.
    """
    try:
        read = _model(cls, families).model_validate(plain)  # type: ignore[arg-type]  # hashable
        return cls(**_values(read))
    except ValidationError as wrong:
        raise RecipeFileError(name, _rows(wrong, cls)) from None
    except WrongValue as wrong:  # fields that are right alone and wrong together
        raise RecipeFileError(name, wrong.problems) from None
    except RecursionError:
        raise RecipeFileError(
            name, [Problem("file", "", "is nested too deeply for a recipe")]
        ) from None


def _with_arrays(data: Any, folder: Path | None, name: str) -> Any:
    """The data table with arrays in the place of what names them, also inside a view."""
    if not isinstance(data, Mapping):
        return data
    if str(data.get("kind", "")).lower() == "arrays":
        return _read_arrays(data, folder, name)
    return (
        {**data, "data": _with_arrays(data["data"], folder, name)}
        if isinstance(data.get("data"), Mapping)
        else data
    )


def named(family: type[Part], name: str, families: Families = FAMILIES) -> type[Part]:
    """The member of a family that text names, whatever its case.

    Raises:
        InvalidValue: nobody has this name; says which are near.
    """
    members, name = families[family], current_name(name)
    for known, member in members.items():
        if known.lower() == name.lower():
            return member
    close = close_matches(name, members)
    hint = f". Did you mean {close}?" if close else f". There are: {', '.join(members)}."
    raise InvalidValue(f"is no known {family.family_name}{hint}")


@cache
def _model(cls: type[Part], families: Families) -> type[BaseModel]:
    """A pydantic model with the fields of a part."""
    described: dict[str, Any] = {}
    for each in dataclasses.fields(cls):  # type: ignore[arg-type]
        rule = field_rule(each)
        if not each.init or (rule is None and cls is not CustomNetwork):
            continue
        check = BeforeValidator(_own_source if rule is None else _reader(rule, each, families))
        required = (
            each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        )
        described[each.name] = (
            Annotated[Any, check],
            ... if required else Field(default=each.default),
        )
    return create_model(
        cls.__name__,
        __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True),
        **described,
    )


def _values(read: BaseModel) -> dict[str, Any]:
    return {name: getattr(read, name) for name in type(read).model_fields}


def _own_source(value: Any) -> Any:
    if not isinstance(value, str):
        raise _told(InvalidValue('must be a text "module:name"', '"models:build"'), value)
    return value


def _reader(rule: FieldRule, field: dataclasses.Field[Any], families: Families) -> Any:
    def read(value: Any) -> Any:
        if rule.family is None:
            return _accepted(rule, value)
        if rule.is_row:
            if not isinstance(value, list):
                raise _told(
                    InvalidValue(
                        f"must be a row of tables, each of them {rule.family.with_article()}"
                    ),
                    value,
                )
            return tuple(_numbered(rule.family, each, i, families) for i, each in enumerate(value))
        return _part(rule.family, value, field.default, families)

    return read


def _numbered(family: type[Part], value: Any, place: int, families: Families) -> Part:
    try:
        return _part(family, value, None, families)
    except PydanticCustomError as wrong:
        context = wrong.context or {}
        problems = context.get("problems") or [
            Problem("", context["given"], context["reason"], context["instead"])
        ]
        inside = [
            replace(p, field=f"{place}.{p.field}" if p.field else str(place)) for p in problems
        ]
        raise PydanticCustomError("inner", "inner", {"problems": inside}) from None


def _accepted(rule: FieldRule, value: Any) -> Any:
    try:
        return rule.accept(value)
    except InvalidValue as wrong:
        raise _told(wrong, value) from None


def _part(family: type[Part], value: Any, default: Any, families: Families) -> Part:
    if isinstance(value, family):
        return value
    if family is Recipe and isinstance(value, Mapping):  # one that another begins from
        try:
            return recipe_of(value)
        except RecipeFileError as wrong:
            raise PydanticCustomError(
                "inner", "inner", {"problems": list(wrong.problems)}
            ) from None
    if isinstance(value, str):
        value = {"kind": value}
    if not isinstance(value, Mapping):
        raise _told(
            InvalidValue(
                f"must be a table with a kind, or the name of {family.with_article()}",
                f'"{next(iter(families[family]))}"',
            ),
            value,
        )
    kind = value.get("kind")
    if kind is None and isinstance(default, Part):
        kind = kind_of(default)
    if kind is None and len(families[family]) == 1:
        kind = next(iter(families[family]))
    if not isinstance(kind, str):
        raise _told(
            InvalidValue(
                f"needs a kind: which {family.family_name}? There are: {', '.join(families[family])}."
            ),
            value if kind is None else kind,
        )
    try:
        cls = named(family, kind, families)
    except InvalidValue as wrong:
        raise _told(InvalidValue(wrong.reason, wrong.instead), kind) from None
    given = {key: each for key, each in value.items() if key != "kind"}
    try:
        read = _model(cls, families).model_validate(given)  # type: ignore[arg-type]  # hashable
        return cls(**_values(read))
    except ValidationError as wrong:
        raise PydanticCustomError("inner", "inner", {"problems": _rows(wrong, cls)}) from None
    except WrongValue as together:
        raise PydanticCustomError("inner", "inner", {"problems": list(together.problems)}) from None


def _told(wrong: InvalidValue, value: Any) -> PydanticCustomError:
    return PydanticCustomError(
        "unfitting",
        "unfitting",
        {"reason": wrong.reason, "instead": wrong.instead, "given": short_repr(value)},
    )


def _rows(wrong: ValidationError, cls: type[Part]) -> list[Problem]:
    """pydantic's errors as problems, in the order of the part's fields, unknown ones last."""
    fields = {each.name: each for each in dataclasses.fields(cls) if each.init}  # type: ignore[arg-type]
    known = list(fields)
    rows: list[tuple[int, Problem]] = []
    for error in wrong.errors():
        name = ".".join(str(bit) for bit in error["loc"])[:60]
        place = known.index(name) if name in known else len(known)
        context = error.get("ctx", {})
        if error["type"] == "unfitting":
            rows.append(
                (place, Problem(name, context["given"], context["reason"], context["instead"]))
            )
        elif error["type"] == "inner":
            rows += [(place, problem.inside(name)) for problem in context["problems"]]
        elif error["type"] == "extra_forbidden":
            close = close_matches(name, known)
            hint = f"Did you mean {close}?" if close else f"There are: {', '.join(known)}."
            rows.append((place, Problem(name, "", f"unknown field. {hint}")))
        else:
            rule = field_rule(fields[name]) if name in known else None
            reason, instead = _missing(rule)
            rows.append((place, Problem(name, "", f"is missing{reason}", instead)))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def _missing(rule: FieldRule | None) -> tuple[str, str]:
    if rule is None:
        return "", ""
    try:
        rule.accept(None)
    except InvalidValue as wrong:
        reason = wrong.reason.partition(": ")[2]
        return (f": {reason}" if reason else ""), wrong.instead
    return "", ""


def _write_arrays(data: Arrays, path: Path) -> None:
    from safetensors.torch import save

    if data.digest in KEPT and not path.exists():
        try:
            path.hardlink_to(KEPT[data.digest])  # the same bytes, kept once for all runs of a study
        except OSError:
            pass
        else:
            return
    kept = {"X": data.X, "y": data.y} | ({} if data.weights is None else {"weights": data.weights})
    content = save(
        {name: tensor.contiguous() for name, tensor in kept.items()},
        {"classes": json.dumps(data.classes)},
    )
    write_atomically(path, content)
    KEPT[data.digest] = path


def _read_arrays(table: Mapping[str, Any], folder: Path | None, name: str) -> Data:
    from safetensors import SafetensorError, safe_open

    path = (folder or Path()) / ARRAYS_FILE
    if not path.is_file():
        raise RecipeFileError(
            name,
            [
                Problem(
                    "data",
                    "arrays",
                    f"are not there: they lie in {ARRAYS_FILE} beside the recipe, and {path} is absent",
                )
            ],
        )
    try:
        with safe_open(path, "pt") as file:
            x, y = file.get_tensor("X"), file.get_tensor("y")
            weights = file.get_tensor("weights") if "weights" in file.keys() else None  # noqa: SIM118
            classes = tuple(json.loads((file.metadata() or {})["classes"]))
    except (SafetensorError, KeyError, ValueError) as error:
        raise RecipeFileError(
            name, [Problem("data", "arrays", f"cannot be read from {path}: {error}")]
        ) from None
    known = {"valid", "test", "split_seed", "scale_target", "allow_missing"}
    unknown = sorted(set(table) - known - {"kind", "digest"})
    if unknown:
        raise RecipeFileError(
            name, [Problem(f"data.{key}", "", "unknown field") for key in unknown]
        )
    try:
        data = Arrays(
            X=x,
            y=y,
            classes=classes,
            weights=weights,
            **{key: table[key] for key in known & set(table)},
        )
    except WrongValue as wrong:
        raise RecipeFileError(
            name, [problem.inside("data") for problem in wrong.problems]
        ) from None
    if data.digest != table.get("digest"):
        raise RecipeFileError(
            name,
            [
                Problem(
                    "data.digest",
                    short_repr(table.get("digest")),
                    f"is not that of {path}: these are other arrays",
                )
            ],
        )
    KEPT[data.digest] = path
    return data
