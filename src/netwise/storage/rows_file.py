"""Reads the rows of a history: a file with one JSON object per line, which may have millions.

Neighbouring lines nearly always have the same names, so they are read together: their names are
compared as bytes, and their numbers are parsed as one list. That takes half the time of parsing
each line, and leaves columns. Lines that do not fit are read one at a time, with all checks.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from netwise.history import Series
from netwise.packed_numbers import PackedNumbers
from netwise.regular_files import open_regular
from netwise.schema import LARGEST, Count, SchemaError, parse_json, typed
from netwise.storage.seals import RowsCheck

CHUNK = 1 << 18  # bytes that are read at once: they stay in the processor's cache
MOST_ROWS = 256  # of a block
LONGEST_LINE = 64 << 20  # bytes
STEP, EPOCH = "step", "epoch"  # all other names are signals

Column = Sequence[float]
Names = tuple[str, ...]


def read_series(path: Path, check: RowsCheck | None = None) -> dict[tuple[str, str], Series]:
    """The series of all signals in a file of rows, by (signal, layer).

    Args:
        path: of the file; there are no series where it is absent.
        check: gets all bytes of the file.

    Raises:
        SchemaError: a complete line is no row; names the line and the field.
    """
    recorded = _Recorded()
    for names, columns in read_columns(path, check):
        recorded.add(names, columns)
    return recorded.series()


def read_columns(
    path: Path, check: RowsCheck | None = None
) -> Iterator[tuple[Names, Sequence[Column]]]:
    """The rows of a file, as blocks of neighbours that have the same names.

    A last line without its end is an incomplete row, and is left out.

    Gives the names and one column of numbers for each.

    Raises:
        SchemaError: a complete line is no row; names the line and the field.
    """
    first, keys, kept, numbers = 1, None, list[bytes](), list[bytes]()
    for line in _lines(path, check):
        pieces = line.split(b'"')
        if pieces[1::2] != keys or len(kept) == MOST_ROWS:
            if kept:
                yield from _block(first, keys or [], kept, numbers)
            first, keys, kept, numbers = first + len(kept), pieces[1::2], [], []
        kept.append(line)
        numbers.append(b"".join(pieces[::2]))
    if kept:
        yield from _block(first, keys or [], kept, numbers)


def _lines(path: Path, check: RowsCheck | None) -> Iterator[bytes]:
    """The complete lines, with JSON's literals in the place of the texts for infinite numbers."""
    rest = b""
    try:
        file = open_regular(path)
    except FileNotFoundError:
        return
    with file:
        while chunk := file.read(CHUNK):
            if check is not None:
                check.add(chunk)
            text = rest + chunk
            if b'nan"' in text or b'inf"' in text:
                text = _with_literals(text)
            *lines, rest = text.split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise SchemaError("", f"has a line of over {LONGEST_LINE:,} bytes")
            yield from lines


def _with_literals(text: bytes) -> bytes:
    text = text.replace(b': "nan"', b": NaN").replace(b': "inf"', b": Infinity")
    return text.replace(b': "-inf"', b": -Infinity")


def _block(
    first: int, keys: Sequence[bytes], lines: Sequence[bytes], numbers: Sequence[bytes]
) -> Iterator[tuple[Names, Sequence[Column]]]:
    """Lines with the same texts between their quotes, the first of which has number `first`."""
    together = _read_together(keys, numbers)
    if together is not None:
        yield together
        return
    for number, line in enumerate(lines, first):
        row = _read_alone(number, line)
        yield tuple(row), [(value,) for value in row.values()]


def _read_together(
    keys: Sequence[bytes], numbers: Sequence[bytes]
) -> tuple[Names, Sequence[Column]] | None:
    """Lines such as `{"step": 3, "loss": 0.5}` that have lost their names: `{: 3, : 0.5}`.

    None unless all of them are exactly of this form, with valid values. Then each is parsed alone.
    """
    names, text = _names(tuple(keys)), b",".join(numbers)
    # With one brace for each line and no letters of true, false and null, only numbers are left.
    if not names or text.count(b"{") != len(numbers) or any(each in text for each in b"[]us"):
        return None
    text = text.replace(b"{: ", b"[").replace(b", : ", b",").replace(b"}", b"]")
    try:
        columns = list(zip(*json.loads(f"[{text.decode()}]"), strict=True))
        for column in columns:
            array("d", column)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    if len(columns) != len(names):
        return None
    for name in (STEP, EPOCH):
        column = columns[names.index(name)] if name in names else (0,)
        if set(map(type, column)) != {int} or min(column) < 0 or max(column) > LARGEST:
            return None
    return names, columns


@lru_cache(maxsize=256)
def _names(keys: tuple[bytes, ...]) -> Names:
    """The texts between the quotes as the names of a row; () where they are no plain names."""
    try:
        names = tuple(key.decode("utf-8") for key in keys)
    except UnicodeDecodeError:
        return ()
    is_plain = not any("\\" in name for name in names) and len(set(names)) == len(names)
    return names if is_plain and STEP in names else ()


def parse_row(line: bytes) -> dict[str, float]:
    """One line as a row, with all checks.

    Raises:
        SchemaError: it is none.
    """
    plain = parse_json(line)
    row: dict[str, float] = typed(dict[str, float], plain)
    if STEP not in row:
        raise SchemaError(STEP, "is missing")
    for name in (STEP, EPOCH):
        if name in plain:
            typed(Count, plain[name], name)
    return row | {name: value for name, value in plain.items() if type(value) is int}


def _read_alone(number: int, line: bytes) -> dict[str, float]:
    """The row in the line of this number."""
    try:
        return parse_row(line)
    except SchemaError as error:
        place = f"line {number}: {error.field}" if error.field else f"line {number}"
        raise SchemaError(place, error.reason, error.given) from None


@dataclass(eq=False)
class _Group:
    """Signals that were recorded in the same rows, so that they share one array of steps."""

    steps: array[int]
    values: dict[str, array[float]]

    def part(self, names: Iterable[str]) -> _Group:
        """These signals as a group of their own."""
        return _Group(array("q", self.steps), {name: self.values.pop(name) for name in names})


class _Recorded:
    """Collects blocks of rows in 8 bytes for a number, and in 8 for the step of a group."""

    def __init__(self) -> None:
        self._groups: list[_Group] = []
        self._groups_of: dict[Names, list[_Group]] = {}

    def add(self, names: Names, columns: Sequence[Column]) -> None:
        """Add the rows of a block."""
        by_name = dict(zip(names, columns, strict=True))
        if names not in self._groups_of:
            self._groups_of[names] = self._regroup(names)
        for group in self._groups_of[names]:
            group.steps.extend(by_name[STEP])  # type: ignore[arg-type]
            for name, values in group.values.items():
                values.extend(by_name[name])

    def _regroup(self, names: Names) -> list[_Group]:
        """The groups that have these signals and no others."""
        signals = dict.fromkeys(name for name in names if name not in (STEP, EPOCH))
        for group in list(self._groups):
            here = [name for name in group.values if name in signals]
            if here and len(here) < len(group.values):
                self._groups.append(group.part(here))
                self._groups_of.clear()
        known = {name for group in self._groups for name in group.values}
        new = {name: array("d") for name in signals if name not in known}
        if new:
            self._groups.append(_Group(array("q"), new))
        return [group for group in self._groups if not signals.keys().isdisjoint(group.values)]

    def series(self) -> dict[tuple[str, str], Series]:
        """One series for each signal."""
        found = {}
        for group in self._groups:
            steps = PackedNumbers(group.steps)
            for name, values in group.values.items():
                signal, _, layer = name.partition("|")
                found[signal, layer] = Series(steps, PackedNumbers(values))
        return found
