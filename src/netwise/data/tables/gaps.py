"""Cells without a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# Compared in lower case. Words such as "unknown" are no gaps: they may say something.
MISSING_WORDS = (
    *("", "?", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "nil"),
    *("---", "----", "-----", "–", "—", "..", "...", "…", "n/v", "n.v.", "k.a.", "k. a.", "#n/d"),
    *("#nv", "#wert!", "#bezug!", "#zahl!", "#valeur!", "#nombre!", "#nom?", "#nul!", "#valore!"),
    *("#rif!", "#nome?", "#¡valor!", "#¡ref!", "#¿nombre?", "#¡num!", "#¡div/0!"),
    *("0000-00-00", "0000-00-00 00:00:00"),  # of MySQL
    *(f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),  # of Stata
    *("\\n", "nat", "-", "--", ".", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"),
)


def is_gap(cells: pl.Series, na: Sequence[str] = (), *, words: bool = True) -> pl.Series:
    """Which of these texts mark a missing value.

    Args:
        cells: texts without blanks around them, or null.
        na: words that mark one, besides the usual ones.
        words: the usual words mark one; where false, only null, the empty cell and `na` do.
    """
    import polars as pl  # heavy

    given = cells.is_null() | cells.is_in(["", *(word.strip() for word in na)])
    if numbers := numbers_in(na):
        pointed = cells.str.replace(",", ".", literal=True)  # -999,0 has the same value
        given = given | pointed.cast(pl.Float64, strict=False).is_in(numbers).fill_null(False)
    if words:
        usual = cells.str.to_lowercase().is_in(list(MISSING_WORDS))
        return (given | usual.fill_null(True)).fill_null(True)
    return given.fill_null(True).cast(pl.Boolean)


def numbers_in(na: Sequence[str]) -> list[float]:
    """Those of the words that are numbers: -999 marks -999.0 too.

    >>> numbers_in(["-999", "unknown"])
    [-999.0]
    """
    found = []
    for word in na:
        try:
            found.append(float(word))
        except ValueError:
            continue
    return [number for number in found if number == number]


def without_numbers(column: pl.Series, na: Sequence[str]) -> pl.Series:
    """A column of another type than texts without the numbers that mark a missing value."""
    numbers = numbers_in(na) if column.dtype.is_numeric() else []
    return column.set(column.is_in(numbers).fill_null(False), None) if numbers else column
