"""Columns of a table as numpy arrays, as encoders take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl


def column_arrays(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    """The columns of a frame that was read, by name: numbers and truth values as float64 with NaN
    for gaps, dates as datetime64 in microseconds with NaT, all others as texts with None.

    Example:
        >>> import polars as pl
        >>> from netwise.data.tables.arrays import column_arrays
        >>> column_arrays(pl.DataFrame({"age": [4, None], "pet": ["cat", None]}))
        {'age': array([ 4., nan]), 'pet': array(['cat', None], dtype=object)}
    """
    return {column.name: _array(column) for column in frame}


def _array(column: pl.Series) -> np.ndarray[Any, Any]:
    import polars as pl  # heavy

    if column.dtype == pl.Datetime:
        return column.to_numpy().astype("datetime64[us]")
    if column.dtype == pl.String:
        return np.array([*column.to_list(), None], dtype=object)[:-1]
    return column.cast(pl.Float64).to_numpy().astype(np.float64)
