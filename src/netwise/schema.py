"""Values that were read from files, checked against declared types.

The schema of a file is the type annotations of the class that it is read into, so that there is no
second description that could differ. A dataclass accepts its own fields and no others; a
`TypedDict` accepts other keys too, which later versions may have added.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from netwise.errors import FileRefused, NetwiseError, RunFolderError, close_matches, short_repr
from netwise.file_errors import file_access_error
from netwise.regular_files import read_regular

NOT_FINITE = ("nan", "inf", "-inf")  # texts for the numbers that JSON does not have
AT_MOST = 256 << 20  # bytes of a text file other than the rows of a history
LARGEST = 2**63 - 1  # of whole numbers: what arrays and databases hold

T = TypeVar("T")


class SchemaError(NetwiseError, ValueError):
    """A value of a file has another type than declared, or the file is no JSON or TOML.

    Args:
        field: dotted name of the value; "" for the file as a whole.
        reason: a predicate, such as "must be a whole number".
        given: the value as the message shows it; "" where there is none.
    """

    def __init__(self, field: str, reason: str, given: str = "") -> None:
        self.field, self.reason, self.given = field, reason, given
        subject = f"{field or 'the whole'} = {given}" if given else field or "it"
        super().__init__(f"{subject} {reason}")


@dataclass(frozen=True)
class Least:
    """The lowest value that an annotated number may have.

    >>> typed(Annotated[int, Least(1)], 0, "epochs")
    Traceback (most recent call last):
    ...
    netwise.schema.SchemaError: epochs = 0 must be at least 1
    """

    low: float

    def reason(self, value: Any) -> str:
        """Why the value is refused; "" where it is not."""
        return f"must be at least {self.low}" if value < self.low else ""


Count = Annotated[int, Least(0)]


def parse_json(raw: bytes) -> Any:
    """The value of a JSON file.

    Raises:
        SchemaError: it is no UTF-8 text or no JSON, is nested too deeply, or has a text that is no
            Unicode.

    Example:
        >>> parse_json(b'{"step": 3')
        Traceback (most recent call last):
        ...
        netwise.schema.SchemaError: it is no JSON: Expecting ',' delimiter (column 11)
    """
    value = _parsed(raw, json.loads, "JSON")
    if b"\\ud" in raw.lower():
        # An escape for one half of a pair: such a text can be neither printed nor written again.
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise SchemaError("", "has a text with half of a surrogate pair") from None
    return value


def parse_toml(raw: bytes) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        SchemaError: it is no UTF-8 text or no TOML, or is nested too deeply.
    """
    return dict(_parsed(raw, tomllib.loads, "TOML"))


def read_json(path: Path, shape: Any, otherwise: str, *, at_most: int = AT_MOST) -> Any:
    """A JSON file as plain values, which are those of a declared type.

    Args:
        path: of the file.
        shape: as in `typed`.
        otherwise: what to do where the file is damaged and there is no copy of it, such as "delete
            it.".
        at_most: its largest size in bytes.

    Raises:
        RunFolderError: it is damaged; names the file and the field.
        FileAccessError: it cannot be read.
        FileNotFoundError: it is absent.
        FileRefused: it is no regular file, or too large.
    """
    plain = _read(path, parse_json, otherwise, at_most)
    with naming_the_file(path, otherwise):
        typed(shape, plain)
    return plain


@contextmanager
def naming_the_file(path: Path, otherwise: str) -> Iterator[None]:
    """Inside, a `SchemaError` becomes the `RunFolderError` of a damaged file; see `read_json`."""
    try:
        yield
    except SchemaError as error:
        raise damaged(path, error, otherwise) from None


def read_toml(path: Path, otherwise: str, *, at_most: int = AT_MOST) -> dict[str, Any]:
    """A TOML file as plain values; arguments and errors as of `read_json`."""
    return dict(_read(path, parse_toml, otherwise, at_most))


def damaged(path: Path, reason: object, otherwise: str) -> RunFolderError:
    """The error of a file whose content is not what netwise wrote."""
    return RunFolderError(
        f"{path} is damaged, because {reason}. Restore it from a copy, or {otherwise}"
    )


def _read(path: Path, parse: Callable[[bytes], Any], otherwise: str, at_most: int) -> Any:
    try:
        return parse(read_regular(path, at_most))
    except SchemaError as error:
        raise damaged(path, error, otherwise) from None
    except (FileNotFoundError, FileRefused):
        raise
    except OSError as error:
        raise file_access_error(error, path) from None


def _parsed(raw: bytes, parse: Callable[[str], Any], form: str) -> Any:
    try:
        return parse(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise SchemaError("", f"is no UTF-8 text: byte {error.start + 1}") from None
    except RecursionError:
        raise SchemaError("", f"is no {form} of netwise: it is nested too deeply") from None
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if b"\n" in raw else ""
        raise SchemaError("", f"is no JSON: {error.msg} ({line}column {error.colno})") from None
    except ValueError as error:
        raise SchemaError("", f"is no {form}: {str(error)[:200]}") from None


def typed(shape: Any, plain: object, field: str = "") -> Any:
    """A plain value as one of a declared type: lists become tuples, objects become dataclasses.

    Args:
        shape: the type: `int`, `float`, `bool`, `str`, `None`, `Any`, a dataclass, a `TypedDict`,
            or a union, `tuple`, `list`, `frozenset`, `Mapping`, `Literal` or `Annotated` of such. A
            float may be a whole number or a text of `NOT_FINITE`.
        plain: the value, as `json` or `tomllib` gives it.
        field: its name in messages.

    Raises:
        SchemaError: a value has another type, is out of range, is missing, or is unknown.

    Example:
        >>> from netwise.history import RunEnd
        >>> typed(RunEnd, {"how": "finished", "sentence": "Done.", "step": "x"}, "ended")
        Traceback (most recent call last):
        ...
        netwise.schema.SchemaError: ended.step = 'x' must be a whole number
    """
    if shape is Any:
        return plain
    if shape in _SCALARS:
        return _scalar(shape, plain, field)
    if is_dataclass(shape):
        return _as_dataclass(shape, plain, field)
    if is_typeddict(shape):
        return _as_typed_dict(shape, plain, field)
    kind, parts = get_origin(shape), get_args(shape)
    if kind in (Union, UnionType):
        return _one_of(parts, plain, field)
    if kind is Annotated:
        return _within_limits(parts, plain, field)
    if kind is Literal:
        if isinstance(plain, str | int | bool | None) and plain in parts:
            return plain
        raise _wrong(shape, plain, field)
    if kind is tuple:
        return _as_tuple(parts, plain, field)
    if kind is frozenset:
        return frozenset(_as_tuple((parts[0], ...), plain, field))
    if kind is list:
        return list(_as_tuple((parts[0], ...), plain, field))
    if not isinstance(plain, Mapping):
        raise _wrong(shape, plain, field)
    return {key: typed(parts[1], value, _inside(field, key)) for key, value in plain.items()}


def typed_by_kind(shapes: Mapping[str, Any], plain: object, field: str) -> Any:
    """An object as one of several types, by the name in its entry "kind".

    Args:
        shapes: the types, by kind.
        plain, field: as in `typed`.

    Raises:
        SchemaError: as for `typed`, or there is no such kind.
    """
    given = typed(dict[str, Any], plain, field)
    kind = given.pop("kind", None)
    if not isinstance(kind, str) or kind not in shapes:
        raise SchemaError(f"{field}.kind", f"must be one of {', '.join(shapes)}", _shown(kind))
    return typed(shapes[kind], given, field)


_SCALARS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    NoneType: "null",
    None: "null",
}


def _scalar(shape: Any, plain: object, field: str) -> Any:
    if shape is float and not isinstance(plain, bool):
        if isinstance(plain, int) and abs(plain) < 2**1023:
            return float(plain)
        if isinstance(plain, str) and plain in NOT_FINITE:
            return float(plain)
    if plain is None and shape is None:
        return None
    if shape is None or type(plain) is not shape:  # `True` is no whole number
        raise _wrong(shape, plain, field)
    if shape is int and not -LARGEST <= plain <= LARGEST:  # type: ignore[operator]
        raise SchemaError(field, "must be below 2**63", short_repr(plain))
    return plain


def _as_dataclass(shape: Any, plain: object, field: str) -> Any:
    if not isinstance(plain, Mapping):
        raise _wrong(shape, plain, field)
    types = _hints(shape)
    known = {each.name: each for each in fields(shape) if each.init}
    for name in plain:
        if name not in known:
            close = close_matches(str(name), known)
            hint = f": did you mean {close}?" if close else ", or of a later version of netwise"
            raise SchemaError(_inside(field, name), f"is an unknown field{hint}")
    for name, each in known.items():
        if name not in plain and each.default is MISSING and each.default_factory is MISSING:
            raise SchemaError(_inside(field, name), "is missing")
    return shape(
        **{name: typed(types[name], value, _inside(field, name)) for name, value in plain.items()}
    )


def _as_typed_dict(shape: Any, plain: object, field: str) -> dict[str, Any]:
    if not isinstance(plain, Mapping):
        raise _wrong(shape, plain, field)
    values = dict(plain)
    for name, hint in _hints(shape).items():
        optional = get_origin(hint) is NotRequired
        if name in plain:
            inner = get_args(hint)[0] if optional else hint
            values[name] = typed(inner, plain[name], _inside(field, name))
        elif not optional:
            raise SchemaError(_inside(field, name), "is missing")
    return values


@lru_cache(maxsize=256)
def _hints(shape: Any) -> dict[str, Any]:
    return get_type_hints(shape, include_extras=True)


def _one_of(shapes: Sequence[Any], plain: object, field: str) -> Any:
    """The value as the first type of a union that accepts it."""
    if plain is None and NoneType in shapes:
        return None
    wanted, refused = [], None
    for shape in shapes:
        try:
            return typed(shape, plain, field)
        except SchemaError as error:
            wanted.append(_wanted(shape))
            if error.field != field or error.reason != f"must be {wanted[-1]}":
                refused = refused or error  # the type is right, and something in it is not
    raise refused or SchemaError(field, f"must be {' or '.join(wanted)}", _shown(plain))


def _within_limits(parts: Sequence[Any], plain: object, field: str) -> Any:
    shape, *limits = parts
    value = typed(shape, plain, field)
    for limit in limits:
        if isinstance(limit, Least) and (reason := limit.reason(value)):
            raise SchemaError(field, reason, short_repr(plain))
    return value


def _as_tuple(parts: Sequence[Any], plain: object, field: str) -> tuple[Any, ...]:
    if not isinstance(plain, list | tuple):
        raise SchemaError(field, "must be a list", _shown(plain))
    if len(parts) == 2 and parts[1] is Ellipsis:
        parts = (parts[0],) * len(plain)
    elif len(parts) != len(plain):
        raise SchemaError(field, f"must have {len(parts)} values and has {len(plain)}")
    return tuple(
        typed(part, value, f"{field}[{i}]")
        for i, (part, value) in enumerate(zip(parts, plain, strict=True))
    )


def _inside(field: str, name: object) -> str:
    """The name of a value inside of another one."""
    if isinstance(name, str) and name.isidentifier():
        return f"{field}.{name}" if field else name
    return f"{field}[{short_repr(name)}]"


def _wrong(shape: Any, plain: object, field: str) -> SchemaError:
    return SchemaError(field, f"must be {_wanted(shape)}", _shown(plain))


def _wanted(shape: Any) -> str:
    """What a type accepts, in words."""
    if shape in _SCALARS:
        return _SCALARS[shape]
    kind, parts = get_origin(shape), get_args(shape)
    if kind is Annotated:
        return _wanted(parts[0])
    if kind in (Union, UnionType):
        return " or ".join(_wanted(part) for part in parts)
    if kind is Literal:
        return f"one of {', '.join(map(str, parts))}"
    return "a list" if kind in (tuple, list, frozenset) else "an object with names"


def _shown(plain: object) -> str:
    """A value in a message. Of lists and objects only the size: they may be large or deep."""
    if plain is None:
        return "null"
    if isinstance(plain, Mapping):
        return f"an object of {len(plain)}"
    return f"a list of {len(plain)}" if isinstance(plain, list | tuple) else short_repr(plain)
