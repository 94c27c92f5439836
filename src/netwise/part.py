"""What a field of a part may hold, why, and why its default is what it is.

A field is declared once, in its dataclass; the same rule then serves the constructor, the recipe
file and the command line:

    lr: float = number(0.1, above=0, because="a negative step climbs", why="...")
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from netwise.errors import Problem, WrongValue, short_repr


class InvalidValue(ValueError):
    """A value breaks a field's rule: `reason` as in `Problem`, and what to write instead."""

    def __init__(self, reason: str, instead: str = "") -> None:
        super().__init__(reason)
        self.reason, self.instead = reason, instead


@dataclass(frozen=True)
class FieldRule:
    """What a field accepts.

    Args:
        accept: takes any value, returns the clean one or raises `InvalidValue`.
        why: the reason for the default, for people.
        family: for a field that holds a part: the class that its values have.
        many: the field holds a tuple of parts.
    """

    accept: Callable[[object], object]
    why: str = ""
    family: type[Part] | None = None
    is_row: bool = False


def _field(rule: FieldRule, default: Any) -> Any:
    return dataclasses.field(default=default, metadata={"rule": rule})


def _told(value: object) -> str:
    return "" if value is MISSING or value is None else _toml(value)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return repr(value)


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
    """A finite real number within limits; whole numbers are taken as real ones."""
    write = write or _told(default)
    reason = f": {because}" if because else ""

    def accept(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise InvalidValue("must be a number" + reason, write)
        try:
            clean = float(value)
        except OverflowError:
            clean = math.inf
        if not math.isfinite(clean):
            raise InvalidValue("must be a finite number" + reason, write)
        _within(clean, above, least, below, most, reason, write)
        return clean

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
    """A whole number within limits; 3.0 is not one, nor is true."""
    write = write or _told(default)
    reason = f": {because}" if because else ""

    def accept(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise InvalidValue("must be a whole number" + reason, write)
        _within(int(value), None, least, None, most, reason, write)
        return int(value)

    return _field(FieldRule(accept, why), default)


def _within(
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


def flag(default: bool, *, why: str = "") -> Any:
    """True or false."""

    def accept(value: object) -> object:
        if not isinstance(value, bool):
            raise InvalidValue("must be true or false", _toml(default))
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
    """A text; with `among`, one of these."""
    write = write or _told(default)
    reason = f": {because}" if because else ""

    def accept(value: object) -> object:
        if value is None and optional:
            return None
        if not isinstance(value, str) or not value:
            raise InvalidValue("must be a text" + reason, write)
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
    """A row of whole numbers."""
    write = write or _told(default)
    reason = f": {because}" if because else ""

    def accept(value: object) -> object:
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise InvalidValue("must be a row of whole numbers" + reason, write)
        if not shortest <= len(value) <= longest:
            raise InvalidValue(
                f"must hold {shortest} to {longest} numbers, not {len(value)}{reason}", write
            )
        for i, each in enumerate(value):
            if (
                isinstance(each, bool)
                or not isinstance(each, Integral)
                or not least <= int(each) <= most
            ):
                raise InvalidValue(
                    f"[{i}] = {short_repr(each)} must be a whole number from {least} to {most}",
                    write,
                )
        return tuple(int(each) for each in value)

    return _field(FieldRule(accept, why), default)


def numbers(
    default: Any = MISSING,
    *,
    above: float | None = None,
    because: str = "",
    write: str = "",
    why: str = "",
) -> Any:
    """A row of finite real numbers."""
    write = write or _told(default)
    reason = f": {because}" if because else ""

    def accept(value: object) -> object:
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise InvalidValue("must be a row of numbers" + reason, write)
        for i, each in enumerate(value):
            try:
                clean = (
                    math.nan
                    if isinstance(each, bool) or not isinstance(each, Real)
                    else float(each)
                )
            except OverflowError:
                clean = math.inf
            if not math.isfinite(clean) or (above is not None and not clean > above):
                raise InvalidValue(
                    f"[{i}] = {short_repr(each)} must be a finite number{'' if above is None else f' above {above:g}'}{reason}",
                    write,
                )
        return tuple(float(each) for each in value)

    return _field(FieldRule(accept, why), default)


def texts(default: Any = MISSING, *, because: str = "", write: str = "", why: str = "") -> Any:
    """A row of texts."""
    reason = f": {because}" if because else ""

    def accept(value: object) -> object:
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise InvalidValue("must be a row of texts" + reason, write)
        if not all(isinstance(each, str) for each in value):
            raise InvalidValue("must hold texts only" + reason, write)
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
    """Another part, such as a recipe's optimizer."""
    reason = f": {because}" if because else ""

    def accept(value: object) -> object:
        if (value is None and optional) or isinstance(value, family):
            return value
        if isinstance(value, type) and issubclass(value, family):
            raise InvalidValue(f"is a class and not a value{reason}", f"{value.__name__}()")
        raise InvalidValue(f"must be {family.with_article()}{reason}", write or _called(default))

    return _field(FieldRule(accept, why, family), default)


def parts(family: type[Part], *, why: str = "") -> Any:
    """A row of parts, by default none."""

    def accept(value: object) -> object:
        if isinstance(value, family):
            raise InvalidValue(
                "must be a row of parts, also where it holds one", f"({type(value).__name__}(...),)"
            )
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise InvalidValue(f"must be a row, each of them {family.with_article()}")
        for i, each in enumerate(value):
            if not isinstance(each, family):
                raise InvalidValue(f"[{i}] = {short_repr(each)} must be {family.with_article()}")
        return tuple(value)

    return _field(FieldRule(accept, why, family, is_row=True), ())


def _called(default: object) -> str:
    return "" if default is MISSING or default is None else f"{type(default).__name__}()"


class Part:
    """A frozen value that checks its own fields when it is made.

    Subclasses are frozen dataclasses whose fields come from this file. All wrong fields are told at
    once.
    """

    family_name: ClassVar[str] = "part"  # the family's word, for messages
    kind: ClassVar[str] = "Part"  # what a file calls it: the name of its class, or what it declares

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" not in cls.__dict__:
            cls.kind = cls.__name__

    def written_fields(self) -> dict[str, Any]:
        """The fields that a file holds of this part, by name."""
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        problems: list[Problem] = []
        for each in dataclasses.fields(self):  # type: ignore[arg-type]
            rule: FieldRule | None = each.metadata.get("rule")
            if rule is None:
                continue
            value = getattr(self, each.name)
            try:
                object.__setattr__(self, each.name, rule.accept(value))
            except InvalidValue as wrong:
                problems.append(Problem(each.name, short_repr(value), wrong.reason, wrong.instead))
        if not problems:
            problems = self.conflicts()
        if problems:
            raise WrongValue(type(self).__name__, problems)

    def conflicts(self) -> list[Problem]:
        """Problems of fields that are right alone and wrong together; none by default."""
        return []

    def but(self, **changes: Any) -> Self:
        """A copy with these fields changed, checked like any other."""
        known = [each.name for each in dataclasses.fields(self) if each.init]  # type: ignore[arg-type]
        for name in changes:
            if name not in known:
                from netwise.errors import UnknownName

                raise UnknownName(f"field of {type(self).__name__}", name, known)
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    @classmethod
    def with_article(cls) -> str:
        return ("an " if cls.family_name[0] in "aeiou" else "a ") + cls.family_name


def field_rule(field: dataclasses.Field[Any]) -> FieldRule | None:
    """The rule that a dataclass field was declared with, or None."""
    rule: FieldRule | None = field.metadata.get("rule")
    return rule
