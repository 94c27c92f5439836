"""Cells of a column as numbers, points in time or words, from arrays, frames or plain Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from netwise.errors import DataError, short_repr

# Cells of a column: a sequence of Python values, or float64 with NaN, datetime64 with NaT, or
# objects with None for gaps.
Cells = Sequence[Any] | np.ndarray

MISSING_WORDS = frozenset({"", "?", "na", "n/a", "nan", "null", "none"})
MISSING = "(missing)"  # the word of a gap in a column of words
# The gaps that a file can look up, which knows whole words only.
WRITTEN_MISSING = tuple(
    sorted(
        {written for word in MISSING_WORDS for written in (word, word.upper(), word.title())}
        | {"NaN", "N/a"}
    )
)


def is_missing(cell: object) -> bool:
    """Whether a cell is a gap: None, NaN, NaT, `pandas.NA`, or a word such as "?"."""
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING_WORDS
    if cell is None:
        return True
    try:
        return bool(cell != cell)
    except (TypeError, ValueError):  # pandas.NA is neither true nor false
        return True


def is_number(cell: object) -> bool:
    """Whether a cell is a finite number, or a text that is one."""
    if isinstance(cell, bool):
        return False
    try:
        return math.isfinite(float(cell))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False


def as_numbers(cells: Cells, name: str) -> np.ndarray:
    """float64 (rows,) with NaN for gaps.

    Raises:
        DataError: a cell is no finite number; names the row.
    """
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "biuf":
        values = cells.astype(np.float64)
        infinite = np.flatnonzero(np.isinf(values))
        if not len(infinite):
            return values
        raise _unfit(name, int(infinite[0]), cells[infinite[0]], "number", "a finite number")
    return _each(cells, name, _number, "number", "a number").astype(np.float64)


def as_dates(cells: Cells, name: str) -> np.ndarray:
    """datetime64[us] (rows,) with NaT for gaps; points in time with a time zone in UTC.

    Raises:
        DataError: a cell is no date; names the row.
    """
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
        return cells.astype("datetime64[us]")
    return _each(cells, name, _date, "date", "a date such as 2024-05-31 or 2024-05-31 14:30")


def as_words(cells: Cells) -> list[str | None]:
    """A word for each cell, None for gaps. Whole numbers are written without a decimal point, so
    that 1, 1.0 and "1" are one word."""
    return [_word(cell) for cell in cells]


def _word(cell: Any) -> str | None:
    if isinstance(cell, str):
        return cell.strip() or None
    if is_missing(cell):
        return None
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def _number(cell: Any) -> float | None:
    if is_missing(cell):
        return math.nan
    if isinstance(cell, np.bool_ | bool):
        return float(cell)
    return float(cell) if is_number(cell) else None


def _date(cell: Any) -> np.datetime64 | None:
    if is_missing(cell):
        return np.datetime64("NaT", "us")
    if isinstance(cell, str):
        try:
            cell = datetime.fromisoformat(cell.strip())
        except ValueError:
            return None
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        cell = cell.astimezone(UTC).replace(tzinfo=None)
    if isinstance(cell, date):
        return np.datetime64(cell.isoformat(), "us")
    return cell.astype("datetime64[us]") if isinstance(cell, np.datetime64) else None


def _each(
    cells: Cells, name: str, convert: Callable[[Any], Any], kind: str, write: str
) -> np.ndarray:
    """Each cell by itself; `convert` gives None for what does not fit."""
    values = []
    for row, cell in enumerate(cells):
        value = convert(cell)
        if value is None:
            raise _unfit(name, row, cell, kind, write)
        values.append(value)
    return np.array(values, dtype="datetime64[us]" if kind == "date" else np.float64)


def _unfit(name: str, row: int, cell: object, kind: str, write: str) -> DataError:
    return DataError(
        f"column {short_repr(name)}, row {row + 1}: {short_repr(cell)} is no {kind}, and the "
        f"column had {kind}s in training: write {write}, or leave the cell empty"
    )
