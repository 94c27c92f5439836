"""The calendar in torch against that of pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from hypothesis import given, settings, strategies as st

from netwise.data.columns.calendar import calendar

CENTURIES = 200 * 365 * 86_400  # seconds on each side of 1970 that pandas has dates for


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-CENTURIES, CENTURIES), min_size=1, max_size=50))
def test_parts_of_a_date_are_those_of_pandas(seconds: list[int]) -> None:
    ours = calendar(torch.tensor(seconds, dtype=torch.float64))
    dates = pd.DatetimeIndex(np.array(seconds, dtype="datetime64[s]"))
    of_day = dates.hour * 3600 + dates.minute * 60 + dates.second
    length = np.where(dates.is_leap_year, 366, 365)
    expected = {
        "days": np.array(seconds) / 86_400,
        "year": dates.year,
        "season": (dates.day_of_year - 1 + of_day / 86_400) / length,
        "month": dates.month - 1,
        "day": (dates.day - 1) / dates.days_in_month,
        "weekday": dates.day_of_week,
        "hour": of_day / 86_400,
        "minute": (dates.minute * 60 + dates.second) / 3600,
    }
    assert set(ours) == set(expected)
    for part, values in expected.items():
        np.testing.assert_allclose(ours[part].numpy(), values, atol=1e-9, err_msg=part)


def test_ends_of_months_and_leap_days_are_exact() -> None:
    days = pd.date_range("1899-12-25", "2101-03-05", freq="D")
    ours = calendar(torch.tensor((days.astype("int64") // 1_000_000).to_numpy()).double())
    assert (ours["month"].numpy() == days.month - 1).all()
    assert (ours["year"].numpy() == days.year).all()
    np.testing.assert_allclose(ours["day"].numpy(), (days.day - 1) / days.days_in_month)


def test_a_gap_is_no_date() -> None:
    assert all(part.isnan().all() for part in calendar(torch.tensor([float("nan")])).values())
