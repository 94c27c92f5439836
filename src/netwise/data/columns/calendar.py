"""The calendar in torch, so that an exported file computes it."""

from __future__ import annotations

import torch
from torch import Tensor

DAY = 86_400.0  # seconds


def calendar(seconds: Tensor) -> dict[str, Tensor]:
    """Numbers of points in time.

    Args:
        seconds: since 1970-01-01 00:00, float64; NaN gives NaN.

    Returns:
        "days" since 1970; "year"; "month" and "weekday" from 0 (January, Monday); and shares of a
        cycle from 0 to below 1: "season" of a year, "day" of a month, "hour" of a day, "minute" of
        an hour.

    Example:
        >>> import torch
        >>> now = calendar(torch.tensor([1_717_165_800.0], dtype=torch.float64))  # 2024-05-31 14:30
        >>> now["year"].item(), now["month"].item(), now["weekday"].item(), now["minute"].item()
        (2024.0, 4.0, 4.0, 0.5)

    Source: Hinnant 2013, chrono-compatible low-level date algorithms, `civil_from_days`.
    """
    days = seconds / DAY
    day, of_day = torch.floor(days), torch.remainder(seconds, DAY)
    # Years that begin in March end with the day that leap years add; 400 years repeat.
    shifted = day + 719_468
    era = torch.floor(shifted / 146_097)
    of_era = shifted - era * 146_097
    leap_days = _floor(of_era, 1_460) - _floor(of_era, 36_524) + _floor(of_era, 146_096)
    march_year = torch.floor((of_era - leap_days) / 365)
    of_year = of_era - (365 * march_year + _floor(march_year, 4) - _floor(march_year, 100))
    march_month = _floor(5 * of_year + 2, 153)
    of_month = of_year - _floor(153 * march_month + 2, 5)
    month = torch.remainder(march_month + 2, 12)
    year = march_year + 400 * era + (month < 2)
    start, end = _first_day(year), _first_day(year + 1)
    length = torch.where(month == 1, 28 + (end - start - 365), _days_in(month))
    return {
        "days": days,
        "year": year,
        "season": (days - start) / (end - start),
        "month": month,
        "day": of_month / length,
        "weekday": torch.remainder(day + 3, 7),
        "hour": of_day / DAY,
        "minute": torch.remainder(of_day, 3600.0) / 3600.0,
    }


def _floor(numbers: Tensor, divisor: int) -> Tensor:
    return torch.floor(numbers / divisor)


def _first_day(year: Tensor) -> Tensor:
    """Days since 1970 of the first of January."""
    before = year - 1
    return 365 * (year - 1970) + _floor(before, 4) - _floor(before, 100) + _floor(before, 400) - 477


def _days_in(month: Tensor) -> Tensor:
    """Of months other than February: 31, and 30 in April, June, September and November."""
    return 31 - torch.remainder(month - (month >= 7).to(month.dtype), 2)
