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

    given = [word.strip() for word in na]
    if words:
        usual = cells.str.to_lowercase().is_in(list(MISSING_WORDS))
        return (cells.is_null() | usual.fill_null(True) | cells.is_in(given)).fill_null(True)
    return (cells.is_null() | cells.is_in(["", *given])).fill_null(True).cast(pl.Boolean)
