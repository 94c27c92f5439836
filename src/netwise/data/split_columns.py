"""A column that data are split by, as numbers: of groups, or of points in time."""

from __future__ import annotations

from typing import Any

import numpy as np

from netwise.data.splitting import GROUP, TIME, SplitKey
from netwise.errors import DataError, short_repr


def split_key(time: Any, group: Any, rows: int) -> SplitKey | None:
    """What a split goes by.

    Args:
        time: of each row: numbers, dates and times, or texts such as "2024-05-31 08:00"; or None.
        group: of each row, of any kind; or None.
        rows: how many there are.

    Returns:
        None where both are None.

    Raises:
        DataError: both are given, their length is another one, a value is missing, or a time is
            none.

    Example:
        >>> from netwise.data.split_columns import split_key
        >>> split_key(["2024-05-31", "2023-01-01", "2024-05-31"], None, 3).of_row.tolist()
        [1, 0, 1]
        >>> split_key(None, ["ann", "bob", "ann"], 3).of_row.tolist()
        [0, 1, 0]
    """
    if time is None and group is None:
        return None
    if time is not None and group is not None:
        raise DataError(
            "time and group are both given, and data are split by one of them: leave the other out"
        )
    by, column = (GROUP, group) if time is None else (TIME, time)
    # A list of mixed objects must not become text: 1 and "1" would be one group.
    is_array = hasattr(column, "__array__")
    array = np.asarray(column) if is_array else np.fromiter(column, dtype=object)
    if array.shape != (rows,):
        raise DataError(
            f"{by} of shape {array.shape} does not fit {rows} samples: pass one value for each"
        )
    absent = np.flatnonzero(missing(array))
    if len(absent):
        raise DataError(
            f"{by} is missing in {len(absent)} of {rows} rows, the first is row {absent[0] + 1}: "
            f"fill it there, remove these rows, or split at random (leave `{by}` out)"
        )
    return SplitKey(by, _numbered(array if by == GROUP else as_times(array)))


def missing(values: np.ndarray) -> np.ndarray:
    """Where a value is None, NaN, NaT or NA."""
    if values.dtype.kind in "fmM":
        return np.asarray(values != values)  # NaN and NaT
    if values.dtype.kind != "O":
        return np.zeros(len(values), bool)
    return np.array([each is None or _differs_from_itself(each) for each in values], bool)


def _differs_from_itself(value: object) -> bool:
    try:
        return not bool(value == value)  # NaN and NaT
    except (TypeError, ValueError):
        return True  # pandas' NA has no truth value


def as_times(values: np.ndarray) -> np.ndarray:
    """The values as numbers or datetime64, which can be sorted.

    Raises:
        DataError: one of them is no time.
    """
    if values.dtype.kind in "iufMmb":
        return values
    objects = list(values)
    try:
        return np.array([float(each) for each in objects])
    except (TypeError, ValueError):
        pass
    try:
        return np.array([_utc(each) for each in objects], dtype="datetime64[us]")
    except (TypeError, ValueError):
        pass
    bad = next(each for each in objects if not _is_time(each))
    raise DataError(
        f"time: {short_repr(bad)} (row {objects.index(bad) + 1}) is no time: write numbers, or "
        "dates such as 2024-05-31 or 2024-05-31 08:00"
    )


def _utc(value: Any) -> Any:
    """A date or time without a time zone, in UTC where it had one; text in ISO format is read."""
    from datetime import UTC, date, datetime

    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, date | np.datetime64):
        return value
    raise TypeError(value)


def _is_time(value: object) -> bool:
    try:
        _utc(value)
    except (TypeError, ValueError):
        return False
    return True


def _numbered(values: np.ndarray) -> np.ndarray:
    """Each value's number in the order of the values; in that of their first rows where values
    cannot be compared."""
    try:
        numbers = np.unique(values, return_inverse=True)[1]
    except TypeError:
        places: dict[object, int] = {}
        numbers = np.array([places.setdefault(each, len(places)) for each in values])
    return numbers.reshape(-1).astype(np.int64)
