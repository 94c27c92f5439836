"""Columns of groups and times become numbers in their order; what has none is named."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

import netwise as nw
from netwise.data.split_columns import split_key


@pytest.mark.parametrize(
    "times",
    [
        [3.5, 1.0, 2.0],
        [30, 10, 20],
        ["2024-03-01", "2023-12-31", "2024-01-05"],
        ["2024-03-01 00:00", "2024-02-29T23:59:59", "2024-02-29 23:59:59.5"],
        ["10", "9", "9.5"],
        [date(2024, 3, 1), date(2023, 3, 1), date(2024, 1, 1)],
        [datetime(2024, 3, 1), datetime(2023, 3, 1), datetime(2024, 1, 1)],
        [
            datetime(2024, 3, 1, 12, tzinfo=UTC),
            datetime(2024, 3, 1, 12, tzinfo=timezone(timedelta(hours=2))),
            datetime(2024, 3, 1, 11, tzinfo=UTC),
        ],
        np.array(["2024-03-01", "2023-12-31", "2024-01-05"], "datetime64[D]"),
        pd.Series(pd.to_datetime(["2024-03-01", "2023-12-31", "2024-01-05"])),
        pd.Series(["2024-03-01", "2023-12-31", "2024-01-05"]),
    ],
    ids=range(11),
)
def test_times_are_numbered_in_their_order(times: object) -> None:
    key = split_key(times, None, 3)
    assert key is not None
    assert key.of_row.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("groups", "numbers"),
    [
        (["b", "a", "b"], [1, 0, 1]),
        ([7, 3, 7], [1, 0, 1]),
        ([7, "7", 7], [0, 1, 0]),
        ([("a", 1), ("a", 2), ("a", 1)], [0, 1, 0]),
        (pd.Series(["b", "a", "b"], dtype="category"), [1, 0, 1]),
        (np.array([True, False, True]), [1, 0, 1]),
    ],
    ids=range(6),
)
def test_groups_are_numbered(groups: object, numbers: list[int]) -> None:
    key = split_key(None, groups, 3)
    assert key is not None
    assert key.of_row.tolist() == numbers


@pytest.mark.parametrize(
    "gap", [None, float("nan"), pd.NaT, pd.NA], ids=["none", "nan", "nat", "na"]
)
def test_a_gap_is_named_by_its_row(gap: object) -> None:
    with pytest.raises(nw.DataError, match="group is missing in 1 of 3 rows, the first is row 2"):
        split_key(None, ["a", gap, "b"], 3)
    with pytest.raises(nw.DataError, match="time is missing in 1 of 3 rows, the first is row 2"):
        split_key([1.0, gap, 3.0], None, 3)


def test_what_is_no_time_is_named_by_its_row() -> None:
    with pytest.raises(nw.DataError, match=r"time: 'soon' \(row 2\) is no time: write numbers"):
        split_key(["2024-01-01", "soon"], None, 2)


def test_both_and_a_wrong_length_are_refused() -> None:
    with pytest.raises(nw.DataError, match="time and group are both given"):
        split_key([1, 2], [1, 2], 2)
    with pytest.raises(nw.DataError, match=r"group of shape \(2,\) does not fit 3 samples"):
        split_key(None, [1, 2], 3)
