"""Fields of parts: what each may hold, why, and the reason for its default.

A part is a frozen dataclass, such as an optimizer or a whole recipe. A field is declared once, in
its class; the same rule then serves the constructor, recipe files and the command line:

    lr: float = number(0.1, above=0, because="a negative step climbs", why="...")

Arguments that the functions of this module share:

* `default`: the value where none is given; a field without one is required.
* `above`, `least`, `below`, `most`: limits, exclusive (`above`, `below`) or inclusive.
* `because`: the reason for the limits. It ends the error message: "must be above 0: a negative
  step climbs".
* `write`: what the error message proposes; by default the default.
* `why`: the reason for the default, shown by `netwise check --why`.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass
from importlib import import_module
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from netwise.errors import Problem, UnknownName, WrongValue, short_repr


class InvalidValue(ValueError):
    """A value breaks the rule of a field. Where it is caught, the field's name is added.

    Args:
        reason: a predicate, as in `Problem`.
        instead: what to write; "" where no single answer is right.
    """

    def __init__(self, reason: str, instead: str = "") -> None:
        super().__init__(reason)
        self.reason, self.instead = reason, instead


@dataclass(frozen=True)
class FieldRule:
    """What a field accepts.

    Args:
        accept: takes any value, returns the converted one or raises `InvalidValue`.
        why: the reason for the default, for people.
        family: for a field that holds a part: the class that its values have.
        is_row: the field holds a tuple of parts.
    """

    accept: Callable[[object], object]
    why: str = ""
    family: type[Part] | None = None
    is_row: bool = False


def field_rule(field: dataclasses.Field[Any]) -> FieldRule | None:
    """The rule that a dataclass field was declared with, or None."""
    rule: FieldRule | None = field.metadata.get("rule")
    return rule


def _field(rule: FieldRule, default: Any) -> Any:
    return dataclasses.field(default=default, metadata={"rule": rule})


def _as_toml(value: object) -> str:
    """A default as a recipe file has it; "" where there is none."""
    if value is MISSING or value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # quotes are escaped as in TOML
    if isinstance(value, tuple):
        return "[" + ", ".join(_as_toml(item) for item in value) + "]"
    return repr(value)


def _constructor(default: object) -> str:
    """A call that makes a part of the default's class; "" where there is no default."""
    return "" if default is MISSING or default is None else f"{type(default).__name__}()"


def _ending(because: str) -> str:
    return f": {because}" if because else ""


def _check_limits(
    value: float,
    above: float | None,
    least: float | None,
    below: float | None,
    most: float | None,
    reason: str,
    write: str,
) -> None:
    if above is not None and not value > above:
        raise InvalidValue(f"must be above {above:g}{reason}", write)
    if least is not None and not value >= least:
        raise InvalidValue(f"must be at least {least:g}{reason}", write)
    if below is not None and not value < below:
        raise InvalidValue(f"must be below {below:g}{reason}", write)
    if most is not None and not value <= most:
        raise InvalidValue(f"must be at most {most:g}{reason}", write)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _finite(value: object) -> float | None:
    """A real number as a float; None for anything else, and for what is not finite."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None


def number(
    default: Any = MISSING,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
    because: str = "",
    write: str = "",
    why: str = "",
) -> Any:
    """A field for a finite real number within limits; integers become floats."""
    write, reason = write or _as_toml(default), _ending(because)

    def accept(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise InvalidValue("must be a number" + reason, write)
        converted = _finite(value)
        if converted is None:
            raise InvalidValue("must be a finite number" + reason, write)
        _check_limits(converted, above, least, below, most, reason, write)
        return converted

    return _field(FieldRule(accept, why), default)


def integer(
    default: Any = MISSING,
    *,
    least: int | None = None,
    most: int | None = None,
    because: str = "",
    write: str = "",
    why: str = "",
) -> Any:
    """A field for a whole number within limits; neither 3.0 nor true is one."""
    write, reason = write or _as_toml(default), _ending(because)

    def accept(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise InvalidValue("must be a whole number" + reason, write)
        _check_limits(int(value), None, least, None, most, reason, write)
        return int(value)

    return _field(FieldRule(accept, why), default)


def flag(default: bool, *, why: str = "") -> Any:
    """A field for true or false."""

    def accept(value: object) -> object:
        if not isinstance(value, bool):
            raise InvalidValue("must be true or false", _as_toml(default))
        return value

    return _field(FieldRule(accept, why), default)


def text(
    default: Any = MISSING,
    *,
    among: Sequence[str] = (),
    because: str = "",
    write: str = "",
    why: str = "",
    optional: bool = False,
) -> Any:
    """A field for a string that is not empty; with `among`, for one of these."""
    write, reason = write or _as_toml(default), _ending(because)

    def accept(value: object) -> object:
        if value is None and optional:
            return None
        if not isinstance(value, str) or not value:
            raise InvalidValue("must be a string" + reason, write)
        if "\0" in value:
            raise InvalidValue("must not hold a NUL character", write)
        if among and value not in among:
            raise InvalidValue(f"must be one of {', '.join(among)}{reason}", write)
        return value

    return _field(FieldRule(accept, why), default)


def integers(
    default: Any = MISSING,
    *,
    least: int = 1,
    most: int = 1_000_000,
    shortest: int = 1,
    longest: int = 1000,
    because: str = "",
    write: str = "",
    why: str = "",
) -> Any:
    """A field for a tuple of `shortest` to `longest` whole numbers, each within limits."""
    write, reason = write or _as_toml(default), _ending(because)

    def accept(value: object) -> object:
        if not _is_list(value):
            raise InvalidValue("must be a list of whole numbers" + reason, write)
        assert isinstance(value, Sequence)
        if not shortest <= len(value) <= longest:
            raise InvalidValue(
                f"must hold {shortest} to {longest} numbers, not {len(value)}{reason}", write
            )
        for i, item in enumerate(value):
            whole = isinstance(item, Integral) and not isinstance(item, bool)
            if not whole or not least <= int(item) <= most:
                raise InvalidValue(
                    f"[{i}] = {short_repr(item)} must be a whole number from {least} to {most}",
                    write,
                )
        return tuple(int(item) for item in value)

    return _field(FieldRule(accept, why), default)


def numbers(
    default: Any = MISSING,
    *,
    above: float | None = None,
    shortest: int = 0,
    because: str = "",
    write: str = "",
    why: str = "",
) -> Any:
    """A field for a tuple of at least `shortest` finite real numbers."""
    write, reason = write or _as_toml(default), _ending(because)
    limit = "" if above is None else f" above {above:g}"

    def accept(value: object) -> object:
        if not _is_list(value):
            raise InvalidValue("must be a list of numbers" + reason, write)
        assert isinstance(value, Sequence)
        if len(value) < shortest:
            raise InvalidValue(f"must hold at least {shortest} number{reason}", write)
        for i, item in enumerate(value):
            converted = _finite(item)
            if converted is None or (above is not None and not converted > above):
                raise InvalidValue(
                    f"[{i}] = {short_repr(item)} must be a finite number{limit}{reason}", write
                )
        return tuple(float(item) for item in value)

    return _field(FieldRule(accept, why), default)


def texts(default: Any = MISSING, *, because: str = "", write: str = "", why: str = "") -> Any:
    """A field for a tuple of strings."""
    reason = _ending(because)

    def accept(value: object) -> object:
        if not _is_list(value):
            raise InvalidValue("must be a list of strings" + reason, write)
        assert isinstance(value, Sequence)
        if not all(isinstance(item, str) for item in value):
            raise InvalidValue("must hold strings only" + reason, write)
        return tuple(value)

    return _field(FieldRule(accept, why), default)


def part(
    family: type[Part],
    default: Any = MISSING,
    *,
    optional: bool = False,
    because: str = "",
    write: str = "",
    why: str = "",
) -> Any:
    """A field for another part, such as a recipe's optimizer."""
    write, reason = write or _constructor(default), _ending(because)

    def accept(value: object) -> object:
        if (value is None and optional) or isinstance(value, family):
            return value
        if isinstance(value, type) and issubclass(value, family):
            raise InvalidValue(f"is a class and not a value{reason}", f"{value.__name__}()")
        raise InvalidValue(f"must be {family.with_article()}{reason}", write)

    return _field(FieldRule(accept, why, family), default)


def parts(family: type[Part], *, why: str = "") -> Any:
    """A field for a tuple of parts, by default an empty one."""

    def accept(value: object) -> object:
        if isinstance(value, family):
            instead = f"({type(value).__name__}(...),)"
            raise InvalidValue("must be a list of parts, even of one", instead)
        if not _is_list(value):
            raise InvalidValue(f"must be a list, each item {family.with_article()}", "[]")
        assert isinstance(value, Sequence)
        for i, item in enumerate(value):
            if not isinstance(item, family):
                instead = ""
                if isinstance(item, type) and issubclass(item, family):
                    instead = f"{item.__name__}()"
                raise InvalidValue(
                    f"[{i}] = {short_repr(item)} must be {family.with_article()}", instead
                )
        return tuple(value)

    return _field(FieldRule(accept, why, family, is_row=True), ())


class Part:
    """A frozen value that checks its own fields when it is made.

    Subclasses are frozen dataclasses whose fields are made by the functions of this module.

    Raises:
        WrongValue: one field or more holds a wrong value; the message has all of them.
    """

    family_name: ClassVar[str] = "part"  # names the family in messages
    kind: ClassVar[str] = "Part"  # what a file calls it: the name of its class, or what it declares

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" not in cls.__dict__:
            cls.kind = cls.__name__

    def written_fields(self) -> dict[str, Any]:
        """The fields that a file holds of this part, by name."""
        return {field.name: getattr(self, field.name) for field in _fields(self)}

    def __post_init__(self) -> None:
        problems: list[Problem] = []
        for field in _fields(self):
            rule = field_rule(field)
            if rule is None:
                continue
            value = getattr(self, field.name)
            try:
                object.__setattr__(self, field.name, rule.accept(value))
            except InvalidValue as error:
                problems.append(Problem(field.name, short_repr(value), error.reason, error.instead))
        if not problems:
            problems = self.conflicts()
        if problems:
            raise WrongValue(type(self).__name__, problems)

    def conflicts(self) -> list[Problem]:
        """Problems of fields that are valid alone and contradict each other; none by default.

        Checked where every field is valid by itself.
        """
        return []

    def but(self, **changes: Any) -> Self:
        """A copy with these fields changed, checked like any other.

        Raises:
            UnknownName: there is no such field.
            WrongValue: a new value is wrong.
        """
        known = [field.name for field in _fields(self) if field.init]
        for name in changes:
            if name not in known:
                raise UnknownName(f"field of {type(self).__name__}", name, known)
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    @classmethod
    def with_article(cls) -> str:
        """The family's name in a sentence: "an optimizer"."""
        return ("an " if cls.family_name[0] in "aeiou" else "a ") + cls.family_name


class Kinds(Mapping[str, type[Any]]):
    """Classes of a family by the kind that a file names them by. A class is taken from its package
    when it is asked for, so that what names all of them need not import them.

    Args:
        package: that has the classes.
        names: of those whose kind is their name.
        kinds: name of the class by its kind, for all others.

    Example:
        >>> kinds = Kinds("netwise", "SGD", digits="data")
        >>> list(kinds), kinds["SGD"].__name__
        (['SGD', 'digits'], 'SGD')
    """

    def __init__(self, package: str, *names: str, **kinds: str) -> None:
        names_by_kind = {**{name: name for name in names}, **kinds}
        self._homes = {kind: (package, name) for kind, name in names_by_kind.items()}

    def __getitem__(self, kind: str) -> type[Any]:
        package, name = self._homes[kind]
        found: type[Any] = getattr(import_module(package), name)
        return found

    def __or__(self, other: Kinds) -> Kinds:
        """The kinds of both."""
        both = Kinds("")
        both._homes = self._homes | other._homes
        return both

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)


def _fields(part: Part) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(part)  # type: ignore[arg-type]  # each subclass is a dataclass
