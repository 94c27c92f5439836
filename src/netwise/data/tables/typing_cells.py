"""Cells as values of a kind that is known: new data of a table that was read before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from netwise.data.tables.date_forms import dates, find_form
from netwise.data.tables.gaps import is_gap, without_numbers
from netwise.data.tables.kinds import BOOLEAN, DATE, NUMBER, WHOLE
from netwise.data.tables.number_forms import POINT, numbers
from netwise.data.tables.quantities import INTO, quantities

if TYPE_CHECKING:
    import polars as pl

# The first of each pair is true.
TRUTH = (
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("on", "off"),
    ("ja", "nein"),
    ("oui", "non"),
    ("wahr", "falsch"),
    ("vrai", "faux"),
    ("si", "no"),
    ("sí", "no"),
    ("sim", "não"),
    ("verdadero", "falso"),
    ("verdadeiro", "falso"),
    ("vero", "falso"),
    ("j", "n"),
    ("waar", "onwaar"),
    ("tak", "nie"),
    ("ano", "ne"),
    ("да", "нет"),
    ("是", "否"),
    ("はい", "いいえ"),
)


def native(column: pl.Series) -> pl.Series:
    """A column of a type that frames and files have, as one of the five of netwise: String, Int64,
    Float64 (a gap is null), Boolean, Datetime in microseconds without a time zone."""
    import polars as pl  # heavy

    kind = column.dtype
    if kind in (pl.String, pl.Boolean, pl.Int64):
        return column
    if kind == pl.Datetime:
        if getattr(kind, "time_zone", None):
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return column.dt.cast_time_unit("us")
    if kind == pl.Date:
        return column.cast(pl.Datetime("us"))
    if kind == pl.Time:
        return (
            pl.Series([datetime(1970, 1, 1)]).dt.cast_time_unit("us")
            + column.cast(pl.Duration("us"))
        ).alias(column.name)
    if kind == pl.Duration:
        return (column.dt.total_microseconds() / 1e6).alias(column.name)
    if kind.is_integer() and kind not in (pl.UInt64, pl.Int128):
        return column.cast(pl.Int64)
    if kind.is_numeric():
        return column.cast(pl.Float64).fill_nan(None)
    if kind == pl.Null:
        return column.cast(pl.String)
    if kind in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if kind == pl.Binary:
        cells = [
            None if cell is None else cell.decode("utf-8", "backslashreplace") for cell in column
        ]
        return pl.Series(column.name, cells, pl.String)
    return _as_texts(column)


def _as_texts(column: pl.Series) -> pl.Series:
    import polars as pl  # heavy

    texts = [None if cell is None else str(cell) for cell in column.to_list()]
    return pl.Series(column.name, texts, pl.String)


def present_cells(column: pl.Series, na: Sequence[str] = (), *, words: bool = True) -> pl.Series:
    """The cells without blanks around texts; gaps are null."""
    import polars as pl  # heavy

    if column.dtype != pl.String:
        return without_numbers(column, na)
    cells = column.str.strip_chars()
    return cells.set(is_gap(cells, na, words=words), None)


def as_kind(
    column: pl.Series, kind: str, form: str = "", na: Sequence[str] = (), *, words: bool = True
) -> pl.Series:
    """The cells as values of a kind; null where a cell is a gap or does not fit.

    Args:
        column: cells of any type.
        kind: one of `KINDS`.
        form: as in `ColumnReading`.
        na: words that mark a missing value, besides the usual ones.
        words: the usual words mark one.
    """
    cells = present_cells(native(column), na, words=words)
    name = column.name
    if kind in (NUMBER, WHOLE):
        return _as_number(cells, form).alias(name)
    if kind == DATE:
        return _as_date(cells, form).alias(name)
    if kind == BOOLEAN:
        return _as_truth(cells).alias(name)
    return as_words(cells).alias(name)


def _as_number(cells: pl.Series, form: str) -> pl.Series:
    import polars as pl  # heavy

    if cells.dtype == pl.String:
        decimal, _, unit = (form or POINT).partition(" ")
        if unit.startswith(INTO):
            return quantities(cells, decimal, unit.removeprefix(INTO))
        return numbers(cells, decimal, unit)
    if cells.dtype == pl.Datetime:
        return pl.Series([None] * len(cells), dtype=pl.Float64)
    values = cells.cast(pl.Float64)
    return values.set(~values.is_finite().fill_null(True), None)


def _as_date(cells: pl.Series, form: str) -> pl.Series:
    import polars as pl  # heavy

    if cells.dtype == pl.Datetime:
        return cells
    if cells.dtype != pl.String:
        cells = cells.cast(pl.String)
    values = dates(cells, form) if form else pl.Series([None] * len(cells), dtype=pl.Datetime("us"))
    if values.null_count() > cells.null_count():  # written in another form than in training
        other = find_form(cells.drop_nulls())
        if other and not set(other.split("|")) <= set(form.split("|")):
            values = pl.select(pl.coalesce(values, dates(cells, other))).to_series()
    return values


def _as_truth(cells: pl.Series) -> pl.Series:
    import polars as pl  # heavy

    if cells.dtype == pl.Boolean:
        return cells
    words = cells.cast(pl.String).str.to_lowercase()
    true = ["1", "1.0", *(pair[0] for pair in TRUTH)]
    false = ["0", "0.0", *(pair[1] for pair in TRUTH)]
    known = words.is_in([*true, *false])
    return words.is_in(true).set(~known.fill_null(False), None)


def as_words(cells: pl.Series) -> pl.Series:
    """Values as texts: whole numbers without a point, truth values as Python writes them."""
    import polars as pl  # heavy

    if cells.dtype == pl.String:
        return cells
    if cells.dtype == pl.Boolean:
        return cells.replace_strict([True, False], ["True", "False"], return_dtype=pl.String)
    if cells.dtype == pl.Float64:
        texts = cells.cast(pl.String)
        return texts.str.replace(r"\.0$", "")
    return cells.cast(pl.String)
