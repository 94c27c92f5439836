"""What each column of a table is, decided from all of its cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netwise.data.tables.date_forms import dates, find_form
from netwise.data.tables.gaps import is_gap
from netwise.data.tables.kinds import (
    BOOLEAN,
    CATEGORY,
    CONSTANT,
    DATE,
    EMPTY,
    IDENTIFIER,
    NUMBER,
    TEXT,
    WHOLE,
    BadCell,
    ColumnReading,
)
from netwise.data.tables.number_forms import COMMA, POINT, decimal_votes, numbers, unit_of
from netwise.data.tables.options import ReadOptions
from netwise.data.tables.typing_cells import TRUTH, as_kind, native, present_cells

if TYPE_CHECKING:
    import polars as pl

FEW = 0.05  # share of cells that do not fit, below which they are mistakes
ONE_MISTAKE = 10  # cells that fit, from which on a single other one is a mistake
EXACT = 2**53  # whole numbers up to here are exact as float64
SHOWN = 5  # cells and words in a message
_ID_NAME = re.compile(
    r"(?i)(^|[\s_.#-])(id|ids|uuid|guid|index|idx|key|nr|no|num|number|nummer|code|rowid|rownum|row)"
    r"\.?$|^#$|^unnamed: ?\d+$|^column\d+$|^id[\s_.#-]|[a-z](?-i:ID|Id)$"
)
_CODE_NAME = re.compile(r"(?i)(^|[\s_.-])(zip|plz|postcode|postal|zipcode|phone|tel|iban|isbn|ean)")


@dataclass(frozen=True)
class Decided:
    """A column with its values, and cells that do not fit."""

    reading: ColumnReading
    values: pl.Series
    bad: tuple[BadCell, ...] = ()
    bad_count: int = 0


def file_decimal(columns: Sequence[pl.Series], sep: str = "") -> str:
    """The decimal sign that most columns of numbers prove; without a proof, the point."""
    votes = [decimal_votes(column) for column in columns if _has_comma(column)]
    commas = sum(vote[COMMA] > vote[POINT] for vote in votes)
    points = sum(vote[POINT] > vote[COMMA] for vote in votes)
    return COMMA if commas > points else POINT


def _has_comma(column: pl.Series) -> bool:
    return bool(column.str.contains(COMMA, literal=True).any())


def decide(
    column: pl.Series, options: ReadOptions, *, usual: str = POINT, target: bool = False
) -> Decided:
    """What a column is.

    Args:
        column: its cells, texts or of another type.
        options: with words for gaps, the decimal sign, and kinds that are given.
        usual: the decimal sign of the file, for columns that show none.
        target: the column is to be predicted: its words are never taken for gaps.
    """
    import polars as pl  # heavy

    given = dict(options.kinds).get(column.name)
    if column.dtype != pl.String:
        column = native(column)
    if given is not None:
        return _as_given(column, given, options, usual)
    if column.dtype != pl.String:
        return _of_type(column)
    cells = column.str.strip_chars()
    gaps = is_gap(cells, options.na)
    if gaps.all():
        return _empty(column.name, len(cells))
    told = _Column(column.name, cells.set(gaps, None))
    sign, why = _decimal(told.cells, options.decimal, usual)
    found = _as_numbers(told, sign, why) or _as_truth(told) or _as_dates(told)
    if found is None and target:
        told = _Column(column.name, cells.set(is_gap(cells, options.na, words=False), None))
    return found or _as_words(told)


def _empty(name: str, rows: int) -> Decided:
    import polars as pl  # heavy

    reading = ColumnReading(name, EMPTY, "it has no value", rows, rows, 0)
    return Decided(reading, pl.Series(name, [None] * rows, pl.String))


def _as_given(column: pl.Series, kind: str, options: ReadOptions, usual: str) -> Decided:
    """The column as a kind that the user names."""
    import polars as pl  # heavy

    form = options.decimal or usual
    if kind == DATE and column.dtype == pl.String:
        held = column.str.strip_chars()
        form = find_form(held.filter(~is_gap(held, options.na)))
    told = _Column(column.name, present_cells(column, options.na))
    values = as_kind(column, kind, form, options.na)
    return told.decided(told.reading(kind, "it is given", values, form), values, kind)


def _of_type(column: pl.Series) -> Decided:
    """A column of numbers, truth values or dates, as its source has it."""
    import polars as pl  # heavy

    if column.null_count() == len(column):
        return _empty(column.name, len(column))
    told = _Column(column.name, column)
    source = f"its type is {column.dtype}"
    if column.dtype == pl.Boolean:
        return told.decided(told.reading(BOOLEAN, source, column), column, "truth value")
    if column.dtype == pl.Datetime:
        return told.decided(told.reading(DATE, source, column), column, "date")
    values = column.set(~column.is_finite(), None) if column.dtype == pl.Float64 else column
    return _numeric(told, values, source, POINT)


@dataclass(frozen=True)
class _Column:
    name: str
    cells: pl.Series  # gaps are null

    @property
    def rows(self) -> int:
        return len(self.cells)

    @property
    def gaps(self) -> int:
        return self.cells.null_count()

    @property
    def held(self) -> int:
        """Number of cells that are no gaps."""
        return self.rows - self.gaps

    def reading(self, kind: str, reason: str, values: pl.Series, form: str = "") -> ColumnReading:
        distinct = values.n_unique() - bool(values.null_count())
        missing = values.null_count()
        misfits = missing - self.gaps
        if distinct == 1 and not missing and self.rows > 1:
            reason = f"all {self.rows:,} cells are {_shown(self.cells.drop_nulls().head(1))}"
            kind = CONSTANT
        return ColumnReading(self.name, kind, reason, self.rows, missing, distinct, form, misfits)

    def decided(self, reading: ColumnReading, values: pl.Series, expected: str) -> Decided:
        rows = (values.is_null() & self.cells.is_not_null()).arg_true()
        bad = tuple(
            BadCell(self.name, int(row) + 1, str(self.cells[row]), expected)
            for row in rows.head(SHOWN)
        )
        return Decided(reading, values.alias(self.name), bad, len(rows))


def _decimal(cells: pl.Series, given: str | None, usual: str) -> tuple[str, str]:
    if given:
        return given, "as given"
    if _has_comma(cells):
        votes = decimal_votes(cells)
        if votes[COMMA] != votes[POINT]:
            return (COMMA if votes[COMMA] > votes[POINT] else POINT), "its cells show it"
    return usual, "as in the rest of the file"


def _mistakes(fit: int, misfit: int) -> bool:
    """Whether so many cells that do not fit are mistakes in a column of the others."""
    return misfit < FEW * (fit + misfit) or (misfit == 1 and fit >= ONE_MISTAKE)


def _as_numbers(column: _Column, sign: str, why: str) -> Decided | None:

    unit = ""
    values = numbers(column.cells, sign)
    fit = column.held - (values.null_count() - column.gaps)
    if fit < column.held and not _mistakes(fit, column.held - fit):
        unit = unit_of(column.cells.drop_nulls().unique(maintain_order=True).head(1000))
        if unit:
            values = numbers(column.cells, sign, unit)
            fit = column.held - (values.null_count() - column.gaps)
    misfit = column.held - fit
    if not fit or (misfit and not _mistakes(fit, misfit)):
        return None
    if not misfit and (code := _code(column)):
        return code
    reason = f"all {fit:,} cells with a value are numbers"
    if misfit:
        reason = f"{fit:,} cells are numbers, and {misfit:,} are not"
    if sign == COMMA:
        reason += f", with a decimal comma ({why})"
    if unit:
        reason += f", in {unit}"
    return _numeric(column, values, reason, f"{sign} {unit}".strip())


def _numeric(column: _Column, values: pl.Series, reason: str, form: str) -> Decided:
    """A column of numbers: whole ones, identifiers, or others."""
    import polars as pl  # heavy

    if values.dtype == pl.Float64 and _is_whole(values):
        values = values.cast(pl.Int64)
    kind = WHOLE if values.dtype == pl.Int64 else NUMBER
    if kind == WHOLE and values.null_count() == column.gaps:
        reason = reason.replace(" numbers", " whole numbers")
    reading = column.reading(kind, reason, values, form)
    if reading.kind == WHOLE and _counts_rows(column, values):
        why = "its name says so, and each row has another whole number"
        reading = replace(reading, kind=IDENTIFIER, reason=why)
    return column.decided(reading, values, "number")


def _is_whole(values: pl.Series) -> bool:
    present = values.drop_nulls()
    if not len(present) or float(present.abs().max()) >= EXACT:  # type: ignore[arg-type]
        return False
    return bool((present == present.round()).all())


def _counts_rows(column: _Column, values: pl.Series) -> bool:
    """Whether whole numbers only name the rows."""
    named = not column.name or _ID_NAME.search(column.name) is not None
    return named and not column.gaps and values.n_unique() == len(values) > 1


def _code(column: _Column) -> Decided | None:
    """Digits that are no amount: all of one length, with zeros in front."""
    cells = column.cells.drop_nulls()
    if not cells.str.contains(r"^0[0-9]").any():
        return None
    widths = cells.str.len_chars()
    if widths.min() != widths.max() or not cells.str.contains(r"^[0-9]+$").all():
        return None
    width = len(str(cells[0]))
    reason = f"its cells are codes of {width} digits with zeros in front"
    return column.decided(column.reading(CATEGORY, reason, column.cells), column.cells, "code")


def _as_truth(column: _Column) -> Decided | None:
    import polars as pl  # heavy

    lower = column.cells.str.to_lowercase()
    words: set[str] = set()
    if lower.n_unique() <= 3:
        words = set(lower.drop_nulls().unique().to_list())
    for true, false in TRUTH:
        if words and words <= {true, false}:
            values = (lower == true).alias(column.name)
            shown = _shown(column.cells.drop_nulls().unique().sort())
            reading = column.reading(BOOLEAN, f"its cells are {shown}", values)
            return column.decided(reading, values.cast(pl.Boolean), "truth value")
    return None


def _as_dates(column: _Column) -> Decided | None:
    held = column.cells.drop_nulls()
    form = find_form(held)
    if not form:
        return None
    values = dates(column.cells, form)
    misfit = values.null_count() - column.gaps
    fit = column.held - misfit
    if not fit or (misfit and not _mistakes(fit, misfit)):
        return None
    reason = f"all {fit:,} cells with a value are dates, written as {form}"
    if misfit:
        reason = f"{fit:,} cells are dates, written as {form}, and {misfit:,} are not"
    return column.decided(column.reading(DATE, reason, values, form), values, "date")


def _as_words(column: _Column) -> Decided:
    values = column.cells
    held = values.drop_nulls()
    distinct = held.n_unique()
    share = distinct / len(held)
    words = float(held.str.count_matches(r"\S+").mean() or 0)  # type: ignore[arg-type]
    length = float(held.str.len_chars().mean() or 0)  # type: ignore[arg-type]
    if share > 0.5 and distinct > 20 and (words >= 3 or length > 60):
        kind, reason = TEXT, f"its cells have {words:.1f} words on average, most of them different"
    elif distinct == len(held) and distinct > 20:
        kind, reason = IDENTIFIER, "each row has a different word"
    else:
        kind, reason = CATEGORY, f"its cells are {distinct:,} different words"
    return column.decided(column.reading(kind, reason, values), values, "word")


def _shown(cells: pl.Series) -> str:
    return ", ".join(map(str, cells.head(SHOWN).to_list()))
