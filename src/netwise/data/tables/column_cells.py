"""The cells of one column while it is decided what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from netwise.data.tables.gaps import is_gap
from netwise.data.tables.kinds import CONSTANT, BadCell, ColumnReading
from netwise.data.tables.number_forms import plain_numbers

if TYPE_CHECKING:
    import polars as pl

SHOWN = 5  # cells and words in a message


@dataclass(frozen=True)
class Decided:
    """A column with its values, and cells that do not fit."""

    reading: ColumnReading
    values: pl.Series
    bad: tuple[BadCell, ...] = ()
    bad_count: int = 0


@dataclass(frozen=True)
class ColumnCells:
    """The cells of one column.

    Args:
        name: of the column.
        cells: texts without blanks around them, or values of another type; gaps are null.
        words: the different texts that are no plain numbers.
        plain: the plain numbers; null elsewhere.
        target: the column is to be predicted.
    """

    name: str
    cells: pl.Series
    words: pl.Series
    plain: pl.Series
    target: bool = False

    @property
    def rows(self) -> int:
        return len(self.cells)

    @cached_property
    def gaps(self) -> int:
        return self.cells.null_count()

    @property
    def held(self) -> int:
        """Number of cells that are no gaps."""
        return self.rows - self.gaps

    def has(self, sign: str) -> bool:
        """Whether one of the words has this character."""
        return bool(self.words.str.contains(sign, literal=True).any())

    def reading(self, kind: str, reason: str, values: pl.Series, form: str = "") -> ColumnReading:
        """What was found, from the values as they were read."""
        distinct = values.n_unique() - bool(values.null_count())
        missing = values.null_count()
        if distinct == 1 and not missing and self.rows > 1:
            reason = f"all {self.rows:,} cells are {shown(self.cells.head(1))}"
            kind = CONSTANT
        misfits = missing - self.gaps
        return ColumnReading(self.name, kind, reason, self.rows, missing, distinct, form, misfits)

    def decided(self, reading: ColumnReading, values: pl.Series, expected: str) -> Decided:
        """The column as it was read, with the cells that do not fit."""
        if values.null_count() == self.gaps:
            return Decided(reading, values.alias(self.name))
        rows = (values.is_null() & self.cells.is_not_null()).arg_true()
        bad = tuple(
            BadCell(self.name, int(row) + 1, str(self.cells[row]), expected)
            for row in rows.head(SHOWN)
        )
        return Decided(reading, values.alias(self.name), bad, len(rows))


def text_cells(
    column: pl.Series, na: Sequence[str] = (), *, target: bool = False, gap_words: bool = True
) -> ColumnCells:
    """The cells of a column of texts.

    Different texts are looked at once each: most columns have few, or are plain numbers.

    Args:
        column: texts, or null.
        na: words that mark a missing value, besides the usual ones.
        target: the column is to be predicted.
        gap_words: the usual words mark a missing value.
    """
    plain = plain_numbers(column)
    if na:
        plain = plain.set(is_gap(column.str.strip_chars(), na), None)
    words = column.filter(plain.is_null()).drop_nulls().unique(maintain_order=True)
    stripped = words.str.strip_chars()
    if not (stripped == words).all():
        column = column.str.strip_chars()
        words = stripped.unique(maintain_order=True)
        plain = plain_numbers(column)
    gaps = is_gap(words, na, words=gap_words)
    if gaps.any():
        column = column.set(column.is_in(words.filter(gaps).implode()).fill_null(True), None)
        words = words.filter(~gaps)
        plain = plain.set(column.is_null(), None)
    return ColumnCells(column.name, column, words, plain, target)


def shown(cells: pl.Series) -> str:
    """The first of these cells, for people."""
    return ", ".join(map(str, cells.head(SHOWN).to_list()))
