"""Whether the rows of a table follow each other in time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netwise.data.tables.kinds import DATE, IDENTIFIER, NUMBER, WHOLE

if TYPE_CHECKING:
    import polars as pl

FEWEST = 10  # points in time
ORDERED = 0.99  # of the steps from row to row
_TIME = re.compile(
    r"(?i)(^|[\b_ -])(date|time|timestamp|year|day|month|week|hour|datum|jahr)s?($|[\b_ -])"
)


@dataclass(frozen=True)
class TimeOrder:
    """A column of times that orders the rows.

    Args:
        column: its name.
        first, last: the earliest and the latest time, as text.
    """

    column: str
    first: str
    last: str


def time_order(frame: pl.DataFrame, kinds: Mapping[str, str]) -> TimeOrder | None:
    """The first column of dates, or of numbers whose name is of a time, that rises or falls from
    row to row; None where there is none.

    Example:
        >>> import polars as pl
        >>> from netwise.data.summary.time_order import time_order
        >>> time_order(pl.DataFrame({"year": range(1990, 2020)}), {"year": "whole number"})
        TimeOrder(column='year', first='1990', last='2019')
    """
    for name, kind in kinds.items():
        is_time = kind == DATE or frame[name].dtype.is_temporal()
        named = kind in (WHOLE, NUMBER, IDENTIFIER) and _TIME.search(name) is not None
        if not is_time and not (named and frame[name].dtype.is_numeric()):
            continue
        column = frame[name].drop_nulls()
        if column.len() < max(FEWEST, frame.height / 2) or column.n_unique() < FEWEST:
            continue
        steps = np.diff(column.to_physical().to_numpy())
        if max(np.mean(steps >= 0), np.mean(steps <= 0)) >= ORDERED:
            return TimeOrder(name, as_text(column.min()), as_text(column.max()))
    return None


def as_text(time: object) -> str:
    """A date without its midnight; a number with up to six digits."""
    if isinstance(time, float):
        return f"{time:.6g}"
    return str(time).removesuffix(" 00:00:00")
