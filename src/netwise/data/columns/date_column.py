"""Dates: the calendar as numbers that a network can use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.calendar import calendar
from netwise.data.columns.cells import Cells, as_dates
from netwise.data.columns.column import ColumnEncoder
from netwise.data.columns.number_column import centre_and_scale
from netwise.data.raw_inputs import RawInput

HARMONICS = 2  # of a cycle: the second one lets a year have two seasons
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PartName = Literal["days", "year", "season", "month", "day", "weekday", "hour", "minute"]
NUMBERS = ("days", "year")
WORDS = MappingProxyType({"weekday": WEEKDAYS, "month": tuple(map(str, range(1, 13)))})


@dataclass(frozen=True)
class DatePart:
    """One number of the calendar, such as the weekday.

    Args:
        part: a name of `calendar`.
        mean, scale: of the training part, for days and years.
    """

    part: PartName
    mean: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class DateColumn(ColumnEncoder):
    """A column of points in time, as the parts of the calendar that vary in the training part.

    Days since 1970 and the year have mean 0 and spread 1; the day of the year, of the month, the
    time of the day and of the hour are sines and cosines of their cycle; months and weekdays have
    an input each. A gap is 0 everywhere.

    Args:
        parts: of the calendar.
        gaps: one more input is 1 where the cell is missing, because the training part had gaps.
    """

    kind: ClassVar[str] = "date"
    name: str
    parts: tuple[DatePart, ...]
    gaps: bool = False

    @property
    def feature_names(self) -> tuple[str, ...]:
        names = [f"{self.name}: {each}" for part in self.parts for each in _names(part.part)]
        return (*names, f"{self.name} is missing") if self.gaps else tuple(names)

    def raw_input(self) -> RawInput:
        unit = "seconds since 1970-01-01 00:00, UTC"
        return RawInput(self.name, (), torch.float64, unit=unit)

    def numbers(self, cells: Cells) -> Tensor:
        """Seconds since 1970-01-01 00:00, float64 (rows,), NaN for gaps."""
        return torch.from_numpy(seconds_of(as_dates(cells, self.name)))

    def computed(self, numbers: Tensor) -> Tensor:
        missing = numbers.isnan()[:, None]
        now = calendar(numbers)
        pieces = [_features(part, now[part.part]) for part in self.parts]
        pieces = [torch.where(missing, 0.0, piece) for piece in pieces]
        if self.gaps:
            pieces.append(missing.double())
        return torch.cat(pieces, dim=1).float()


def seconds_of(dates: np.ndarray) -> np.ndarray:
    """Seconds since 1970-01-01 00:00, float64, of datetime64[us]; NaN for NaT."""
    return np.where(np.isnat(dates), np.nan, dates.astype(np.int64) / 1e6)


def _names(part: PartName) -> list[str]:
    if part in NUMBERS:
        return [part]
    if part in WORDS:
        return [f"{part} {word}" for word in WORDS[part]]
    return [f"{part} {wave}{k or ''}" for k in range(HARMONICS) for wave in ("sine", "cosine")]


def _features(part: DatePart, values: Tensor) -> Tensor:
    if part.part in NUMBERS:
        mean, scale = values.new_tensor([part.mean, part.scale])
        scaled: Tensor = (values - mean) / scale
        return scaled[:, None]
    if part.part in WORDS:
        places = torch.arange(len(WORDS[part.part]), device=values.device)
        return (values[:, None] == places).double()
    angles = 2 * math.pi * values
    waves = [wave(k * angles) for k in range(1, HARMONICS + 1) for wave in (torch.sin, torch.cos)]
    return torch.stack(waves, dim=1)


def fit_dates(cells: Cells, name: str) -> DateColumn:
    """The encoder of a column of dates, from its training cells."""
    seconds = torch.from_numpy(seconds_of(as_dates(cells, name)))
    known = seconds[~seconds.isnan()]
    parts = []
    for part, values in calendar(known).items():
        if len(known) and bool((values != values[0]).any()):
            name_of = cast(PartName, part)
            centred = centre_and_scale(values.numpy(), name) if part in NUMBERS else ()
            parts.append(DatePart(name_of, *centred))
    return DateColumn(name, tuple(parts), len(known) < len(seconds))
