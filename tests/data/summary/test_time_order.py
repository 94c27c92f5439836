"""A column of times that orders the rows is found."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from netwise.data.summary.time_order import time_order

DAYS = [datetime(2024, 1, 1) + timedelta(hours=7 * i) for i in range(200)]


@pytest.mark.parametrize(
    ("name", "kind", "values", "found"),
    [
        ("when", "date", DAYS, True),
        ("when", "date", DAYS[::-1], True),
        ("when", "date", [DAYS[i // 5] for i in range(200)], True),
        ("when", "date", [DAYS[i * 77 % 200] for i in range(200)], False),
        ("when", "date", [DAYS[i // 100] for i in range(200)], False),
        ("year", "whole number", [1900 + i // 2 for i in range(200)], True),
        ("sale_date", "whole number", [20240000 + i for i in range(200)], True),
        ("price", "whole number", list(range(200)), False),
        ("timeout_word", "category", [f"{i:03d}" for i in range(200)], False),
        ("when", "date", [DAYS[i] if i % 3 else None for i in range(200)], True),
        ("when", "date", [None] * 190 + DAYS[:10], False),
    ],
)
def test_order(name: str, kind: str, values: list[object], found: bool) -> None:
    order = time_order(pl.DataFrame({"x": range(200), name: values}), {"x": "number", name: kind})
    assert (order is not None) == found
    assert order is None or order.column == name


def test_the_range_is_told() -> None:
    order = time_order(pl.DataFrame({"when": DAYS}), {"when": "date"})
    assert order is not None
    assert (order.first, order.last) == ("2024-01-01", "2024-02-28 01:00:00")
