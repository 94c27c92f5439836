"""What the columns of a table are: their kinds, and what was found in each."""

from __future__ import annotations

from dataclasses import dataclass

NUMBER = "number"
WHOLE = "whole number"
BOOLEAN = "truth value"
CATEGORY = "category"
DATE = "date"
TEXT = "text"
IDENTIFIER = "identifier"
CONSTANT = "constant"
EMPTY = "empty"
KINDS = (NUMBER, WHOLE, BOOLEAN, CATEGORY, DATE, TEXT, IDENTIFIER, CONSTANT, EMPTY)


@dataclass(frozen=True)
class ColumnReading:
    """What one column of a table was read as.

    Args:
        name: of the column.
        kind: one of `KINDS`.
        reason: why it is of this kind, as a sentence without its full stop.
        rows: number of its cells.
        gaps: number of cells without a value.
        distinct: number of different values, gaps not counted.
        form: how its cells are written. Numbers: the decimal sign. Dates: the format in the
            notation of `strptime`. Else "".
        misfits: number of cells that do not fit the kind, and were read as gaps.
    """

    name: str
    kind: str
    reason: str
    rows: int
    gaps: int
    distinct: int
    form: str = ""
    misfits: int = 0


@dataclass(frozen=True)
class BadCell:
    """A cell that does not fit its column.

    Args:
        column: name of the column.
        row: number of its row, from 1 below the header.
        text: what the cell holds.
        expected: what the column has: "number" or "date".
    """

    column: str
    row: int
    text: str
    expected: str
