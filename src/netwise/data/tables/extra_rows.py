"""Rows of a table that are no data: units below the header, the header again, a total."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from netwise.data.tables.dialects import looks_like_value
from netwise.data.tables.sources import Cells
from netwise.errors import short_repr

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 50  # rows that are compared with the first
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
    last = _words(frame, frame.height - 1)
    word = next((cell for cell in last if cell), "")
    if _TOTAL.fullmatch(word.rstrip(": ")) and not looks_like_value(word):
        column = frame[:, last.index(word)].head(frame.height - 1)
        if not (column.str.strip_chars() == word).any():
            yield (
                [frame.height - 1],
                (f"The last row is a total ({short_repr(word)}) and is left out."),
            )


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
