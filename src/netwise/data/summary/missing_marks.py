"""Numbers that stand for missing values, such as -999."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from netwise.data.tables.kinds import NUMBER, WHOLE

if TYPE_CHECKING:
    import polars as pl

FEWEST_ROWS, MOST_SHARE = 3, 0.99  # with the number
FEWEST_VALUES = 20  # different ones beside it: the column measures something
FAR = 2.0  # from the other values, in units of their range
_MARK = re.compile(r"-?9+|-1|-?8+")  # as people write them


def missing_marks(frame: pl.DataFrame, kinds: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """By column, a number such as -999 or 9999 that several rows have, at one end and far from all
    other values: as text, with the number of rows.

    Args:
        frame: the columns, typed.
        kinds: of each column that is asked, by name.

    Example:
        >>> import polars as pl
        >>> from netwise.data.summary.missing_marks import missing_marks
        >>> frame = pl.DataFrame({"depth": [i / 8 for i in range(90)] + [-999.0] * 9})
        >>> missing_marks(frame, {"depth": "number"})
        {'depth': ('-999', 9)}
    """
    found = {}
    for name, kind in kinds.items():
        mark = _mark(frame[name].drop_nulls()) if kind in (NUMBER, WHOLE) else None
        if mark is not None:
            found[name] = mark
    return found


def _mark(column: pl.Series) -> tuple[str, int] | None:
    for end in (column.min(), column.max()):
        text = f"{end:.15g}" if isinstance(end, int | float) else ""
        if not _MARK.fullmatch(text):
            continue
        others = column.filter(column != end)
        rows = len(column) - len(others)
        if not FEWEST_ROWS <= rows <= MOST_SHARE * len(column) or others.n_unique() < FEWEST_VALUES:
            continue
        low, high = float(others.min()), float(others.max())  # type: ignore[arg-type]
        distance = max(low - float(end), float(end) - high)  # type: ignore[arg-type]
        if distance > FAR * (high - low):
            return text, rows
    return None
