"""Rows of a table that are no data: units below the header, the header again, a total."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from netwise.data.tables.dialects import looks_like_value
from netwise.data.tables.number_forms import COMMA, POINT, numbers, unit_of
from netwise.data.tables.sources import Cells
from netwise.errors import short_repr

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 50  # rows that are compared with the first
LEAST_ROWS, ROUNDING = 10, 1e-3  # before a last row that is a sum, and how far it may be off
_TOTAL = re.compile(
    r"(?i)(?:grand |sub)?totals?(?: general)?|sum(?:me|a|ma)?|gesamt(?:summe)?|insgesamt|totaux"
    r"|totale|somme|итого|всего|合计|总计"
)
_RULER = re.compile(r":?-{2,}:?|={2,}")


def without_extra_rows(cells: Cells) -> Cells:
    """The cells without rows that are no data, each with a note. New rows that a network is to
    answer keep them all.

    Args:
        cells: of a file of text; others are returned as they are.
    """
    import polars as pl  # heavy

    frame = cells.frame
    if frame.width < 2 or frame.height < 3 or any(kind != pl.String for kind in frame.dtypes):
        return cells
    dropped, notes = set[int](), list[str]()
    for rows, note in _found(frame):
        dropped |= set(rows)
        notes.append(note)
    if not dropped:
        return cells
    kept = [row for row in range(frame.height) if row not in dropped]
    return replace(cells, frame=frame[kept], notes=(*cells.notes, *notes))


def _found(frame: pl.DataFrame) -> Iterator[tuple[list[int], str]]:
    """Numbers of rows, and what they are."""
    import polars as pl  # heavy

    again = frame.select(
        pl.all_horizontal(pl.col(name).str.strip_chars() == name for name in frame.columns)
    ).to_series()
    repeated = again.fill_null(False).arg_true().to_list()
    if repeated:
        yield repeated, f"Rows that are the header again and are left out: {len(repeated)}."
    first = _words(frame, 0)
    filled = [cell for cell in first if cell]
    if filled and all(_RULER.fullmatch(cell) for cell in filled):
        yield [0], "The line below the header is a ruler and is left out."
    elif _are_units(frame, first):
        shown = ", ".join(filled[:5])
        yield [0], f"The row below the header holds units and is left out: {shown}."
    yield from _totals(frame)


def _totals(frame: pl.DataFrame) -> Iterator[tuple[list[int], str]]:
    """A total in the last row, by its word or since it has only a few numbers; and subtotals
    between the rows, which have gaps where all other rows have none."""
    last = _words(frame, frame.height - 1)
    word = next((cell for cell in last if cell), "")
    if _TOTAL.fullmatch(word.rstrip(": ")) and not looks_like_value(word):
        column = frame[:, last.index(word)].head(frame.height - 1)
        if not (column.str.strip_chars() == word).any():
            yield (
                [frame.height - 1],
                (f"The last row is a total ({short_repr(word)}) and is left out."),
            )
    elif _are_sums(frame, last):
        shown = ", ".join(cell for cell in last if cell)[:60]
        yield [frame.height - 1], f"The last row has only {shown} and is left out as a total."
    rows = _subtotals(frame)
    if rows:
        yield rows, f"Rows of subtotals that are left out: {len(rows)}."


def _are_sums(frame: pl.DataFrame, last: list[str]) -> bool:
    """Whether the last row is empty but for sums of columns, in at most half of them."""
    filled = [place for place, cell in enumerate(last) if cell]
    if not filled or 2 * len(filled) > frame.width or frame.height <= LEAST_ROWS:
        return False
    rows = frame.head(frame.height - 1)
    return all(_is_sum(rows[:, place].str.strip_chars(), last[place]) for place in filled)


def _is_sum(column: pl.Series, cell: str) -> bool:
    unit = unit_of(column.head(SAMPLE))
    for sign in (POINT, COMMA):
        values, total = numbers(column, sign, unit), numbers(_series([cell]), sign, unit)[0]
        if total is not None and values.null_count() < len(values):
            difference = abs(float(values.sum()) - float(total))
            if difference <= ROUNDING * max(1.0, abs(float(total))):
                return True
    return False


def _series(cells: list[str]) -> pl.Series:
    import polars as pl  # heavy

    return pl.Series(cells, dtype=pl.String)


def _subtotals(frame: pl.DataFrame) -> list[int]:
    """Rows that begin with a word for a total and have a gap in a column where no other row has
    one."""
    import polars as pl  # heavy

    cells = frame.select(pl.all().str.strip_chars().fill_null(""))
    first = cells.select(
        pl.coalesce(pl.when(pl.col(name) != "").then(pl.col(name)) for name in cells.columns)
    ).to_series()
    words = first.unique()
    totals = [word for word in words.drop_nulls() if _TOTAL.fullmatch(word.rstrip(": "))]
    named = first.is_in(totals).fill_null(False)
    if not totals or 2 * int(named.sum()) > frame.height:
        return []
    header = cells.select(
        pl.all_horizontal(pl.col(name) == name for name in cells.columns)
    ).to_series()
    rest = cells.filter(~named & ~header)
    always = [name for name in cells.columns if rest.height and (rest[name] != "").all()]
    if not always:
        return []
    empty = cells.select(pl.any_horizontal(pl.col(name) == "" for name in always)).to_series()
    rows: list[int] = (named & empty).arg_true().to_list()
    return [row for row in rows if row < frame.height - 1]


def _words(frame: pl.DataFrame, row: int) -> list[str]:
    return [(cell or "").strip() for cell in frame.row(row)]


def _are_units(frame: pl.DataFrame, first: list[str]) -> bool:
    """Whether the first row has no value, and stands above values in at least two columns and in
    half of all."""
    if any(looks_like_value(cell) for cell in first):
        return False
    below = frame[1 : 1 + SAMPLE]
    above_values = 0
    for cell, column in zip(first, below, strict=True):
        texts = [text for text in column.str.strip_chars().to_list() if text]
        are_values = bool(texts) and all(map(looks_like_value, texts))
        above_values += bool(cell) and are_values
    return above_values >= 2 and 2 * above_values >= frame.width
