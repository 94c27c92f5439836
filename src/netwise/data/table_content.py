"""The rows of a table with their targets, and the part that each belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netwise.data.split_columns import split_key
from netwise.data.splitting import GROUP, SplitKey
from netwise.data.tables.arrays import column_arrays
from netwise.data.tables.reading import TableReading

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class TableContent:
    """All rows that have a target: those of the first file, then those of files that are a
    validation or a test part of the user's own.

    Args:
        reading: what each column of the first file is, and why.
        frame: the columns besides the target, typed.
        y: class numbers, int64, or float64 values, of all rows.
        own: the first rows, which are those of the first file.
        task: "classification" or "regression".
        classes: their names; empty for a regression.
        parts: row numbers of the training, validation and test part.
        key: what the rows were split by; None where they were drawn one by one.
    """

    reading: TableReading
    frame: pl.DataFrame
    y: np.ndarray
    own: int
    task: str
    classes: tuple[str, ...]
    parts: tuple[np.ndarray, ...]
    key: SplitKey | None


def joined(frames: Sequence[pl.DataFrame], present: Sequence[np.ndarray]) -> pl.DataFrame:
    """The rows that are present of all frames, with the types of the first."""
    import polars as pl  # heavy

    kept = [
        frame if rows.all() else frame.filter(pl.Series(rows))
        for frame, rows in zip(frames, present, strict=True)
    ]
    if len(kept) == 1:
        return kept[0]
    schema = kept[0].schema
    others = (frame.select(schema.names()).cast(schema, strict=False) for frame in kept[1:])
    return pl.concat([kept[0], *others])


def key_of(
    frame: pl.DataFrame, y: np.ndarray, *, time: str | None, group: str | None, together: bool
) -> SplitKey | None:
    """What these rows are split by.

    Args:
        frame: their columns besides the target.
        y: their targets.
        time, group: name of the column of times, or of groups.
        together: equal rows go into one part.

    Raises:
        DataError: a row has no time or group, or a time is none.
    """
    if together:
        import polars as pl  # heavy

        hashes = frame.with_columns(pl.Series("\0target", y)).hash_rows().to_numpy()
        return SplitKey(GROUP, np.unique(hashes, return_inverse=True)[1].astype(np.int64))
    name = time or group
    if name is None:
        return None
    column = column_arrays(frame.select(name))[name]
    return split_key(column if time else None, column if group else None, frame.height)
