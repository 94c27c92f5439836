"""Columns of any type as values of the kinds of netwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from netwise.data.tables.typing_cells import as_kind, native

NOON = datetime(2024, 5, 31, 12)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pl.Series([NOON.replace(tzinfo=UTC)]), [NOON]),
        (pl.Series([NOON], dtype=pl.Datetime("ms")), [NOON]),
        (pl.Series([date(2024, 5, 31)]), [datetime(2024, 5, 31)]),
        (pl.Series([time(6, 30)]), [datetime(1970, 1, 1, 6, 30)]),
        (pl.Series([timedelta(minutes=1.5)]), [90.0]),
        (pl.Series([7], dtype=pl.UInt8), [7]),
        (pl.Series([7], dtype=pl.UInt64), [7.0]),
        (pl.Series([Decimal("1.50")]), [1.5]),
        (pl.Series([1.5, float("nan")], dtype=pl.Float32), [1.5, None]),
        (pl.Series([None], dtype=pl.Null), [None]),
        (pl.Series(["a"], dtype=pl.Categorical), ["a"]),
        (pl.Series([b"a"]), ["a"]),
        (pl.Series([[1, 2], None]), ["[1, 2]", None]),
    ],
    ids=lambda each: str(each.dtype) if isinstance(each, pl.Series) else "",
)
def test_native(column: pl.Series, values: list[Any]) -> None:
    found = native(column)
    assert found.dtype in (pl.String, pl.Int64, pl.Float64, pl.Boolean, pl.Datetime("us"))
    kept = found.to_list()
    assert [str(each).replace("'", "") for each in kept] == [str(each) for each in values]


@pytest.mark.parametrize(
    ("cells", "kind", "form", "values"),
    [
        ([" 1,5", "", "x"], "number", ",", [1.5, None, None]),
        ([1.0, float("inf")], "number", "", [1.0, None]),
        ([NOON], "number", "", [None]),
        (["31.05.2024", "?"], "date", "%d.%m.%Y", [datetime(2024, 5, 31), None]),
        (["2024-05-31"], "date", "%d.%m.%Y", [datetime(2024, 5, 31)]),
        ([20240531], "date", "%Y%m%d", [datetime(2024, 5, 31)]),
        ([NOON], "date", "", [NOON]),
        (["Yes", "no", "perhaps"], "truth value", "", [True, False, None]),
        ([True, None], "truth value", "", [True, None]),
        ([1, 0], "truth value", "", [True, False]),
        ([1.0, 2.5], "category", "", ["1", "2.5"]),
        ([True, False], "category", "", ["True", "False"]),
        ([3], "category", "", ["3"]),
    ],
)
def test_as_kind(cells: list[Any], kind: str, form: str, values: list[Any]) -> None:
    assert as_kind(pl.Series("x", cells), kind, form).to_list() == values
