"""Columns whose cells have units of several sizes, as one unit: 2 h 30 min beside 45 s, 1.2 kg
beside 300 g, 3.4M beside 950K, CR beside DR."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from netwise.data.tables.number_forms import COMMA, numbers

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 1000  # different cells that a base is found by
INTO = "in "  # what a unit begins with that cells are converted to
TIME, COUNT = "s", "ones"
# A column of both is read as neither: 59:30 beside 1:02:10 are minutes, elsewhere hours.
CLOCK, CLOCK_TO_SECONDS = "h:mm", "h:mm:ss"
# By base unit: how many of it each unit is, in lower case but for counts, where 5m is no million.
_SCALES: Mapping[str, Mapping[str, float]] = {
    COUNT: {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "Mio": 1e6, "B": 1e9, "bn": 1e9, "Mrd": 1e9},
    TIME: {
        **dict.fromkeys(("ms", "msec", "milliseconds", "millisecond"), 1e-3),
        **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek"), 1),
        **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "minuten"), 60),
        **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunden", "stunde"), 3600),
        **dict.fromkeys(("d", "day", "days", "tag", "tage", "jours", "jour"), 86_400),
        **dict.fromkeys(("w", "wk", "week", "weeks", "wochen", "woche"), 604_800),
        **dict.fromkeys(("mo", "mon", "month", "months", "monat", "monate"), 2_629_800),
        **dict.fromkeys(("y", "yr", "yrs", "year", "years", "jahr", "jahre"), 31_557_600),
    },
    "g": {
        "µg": 1e-6,
        "ug": 1e-6,
        "mg": 1e-3,
        "g": 1,
        "kg": 1e3,
        "t": 1e6,
        "oz": 28.349523,
        "lb": 453.59237,
        "lbs": 453.59237,
    },
    "m": {
        "nm": 1e-9,
        "µm": 1e-6,
        "um": 1e-6,
        "mm": 1e-3,
        "cm": 1e-2,
        "m": 1,
        "km": 1e3,
        "in": 0.0254,
        "inch": 0.0254,
        "ft": 0.3048,
        "yd": 0.9144,
        "mi": 1609.344,
    },
    "l": {"µl": 1e-6, "ul": 1e-6, "ml": 1e-3, "cl": 1e-2, "dl": 0.1, "l": 1, "hl": 100},
    "B": {
        "b": 1,
        "byte": 1,
        "bytes": 1,
        "kb": 1e3,
        "mb": 1e6,
        "gb": 1e9,
        "tb": 1e12,
        "kib": 2**10,
        "mib": 2**20,
        "gib": 2**30,
        "tib": 2**40,
    },
    "CR": {"cr": 1, "dr": -1},
}
_PIECE = re.compile(r"([0-9][0-9.,'’]*|[.,][0-9]+)\s*([^\W\d_]*)\.?")
_BETWEEN = re.compile(r"[\s,]*(?:and|und|et)?\s*")
_CLOCK = re.compile(
    r"(?:(\d+)\s*(?:d|days?)?[,\s]+)?(\d+):([0-5]\d)(?::([0-5]\d(?:[.,]\d+)?))?", re.IGNORECASE
)
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?")
_BEFORE = re.compile(r"^([-+]?)\s*(?:[$€£¥₹]|US\$)?\s*")


def quantities(cells: pl.Series, decimal: str, base: str) -> pl.Series:
    """The texts as float64 in one unit; null where a text is none of it.

    Args:
        cells: texts without blanks around them, or null.
        decimal: the decimal sign.
        base: the unit, one that `common_base` gives.
    """
    import polars as pl  # heavy

    unique = cells.unique(maintain_order=True)
    values = [None if cell is None else _value(cell, decimal, base) for cell in unique]
    decoded = pl.Series(values, dtype=pl.Float64)
    found: pl.Series = cells.replace_strict(unique, decoded, return_dtype=pl.Float64)
    return found


def common_base(cells: pl.Series, decimal: str, *, alone: bool = False) -> str:
    """The unit that all of these texts can be written in; "" where there is none, or where all
    have the same unit, so that they are plain numbers beside it.

    Of the texts `1:30` alone it is not known whether they are times of a day: they are durations
    only where one has more than 24 hours.

    Args:
        cells: different texts without blanks around them.
        decimal: the decimal sign.
        alone: one unit is enough.
    """
    sample = cells.head(SAMPLE).to_list()
    for base in _SCALES:
        found = [_units(cell, base) for cell in sample]
        units = set[str]().union(*found)
        several = alone or len(units) > 1
        if sample and all(found) and several and not units >= {CLOCK, CLOCK_TO_SECONDS}:
            values = quantities(cells, decimal, base)
            if values.null_count() == 0:
                return base
    return ""


def _units(cell: str, base: str) -> Iterable[str]:
    """The units of a cell, with that of a clock; nothing where it has one of another base."""
    text = _BEFORE.sub("", cell)
    if base == TIME and (match := _CLOCK.fullmatch(text)):
        beyond = match[1] is not None or int(match[2]) > 24
        return {CLOCK_TO_SECONDS if match[4] else CLOCK, *(["hours"] if beyond else [])}
    if base == TIME and text.startswith("P") and len(text) > 2 and _ISO.fullmatch(text):
        return {"P", "T"}
    return {unit for _, unit in _pieces(text, base)}


def _pieces(text: str, base: str) -> list[tuple[str, str]]:
    """(number, unit) for each part of a cell; nothing where one has another unit."""
    found, place, scale = list[tuple[str, str]](), 0, _SCALES[base]
    while place < len(text):
        match = _PIECE.match(text, place)
        unit = "" if match is None else match[2] if base == COUNT else match[2].lower()
        if match is None or unit not in scale:
            return []
        found.append((match[1], unit))
        between = _BETWEEN.match(text, match.end())
        place = match.end() if between is None else between.end()
    return found if len(found) == 1 or base in (TIME, "m") else []


def _value(cell: str, decimal: str, base: str) -> float | None:
    text = _BEFORE.sub("", cell)
    sign = -1.0 if cell.startswith("-") else 1.0
    if base == TIME:
        if match := _CLOCK.fullmatch(text):
            return sign * _seconds(match[1], match[2], match[3], match[4])
        if len(text) > 2 and (match := _ISO.fullmatch(text)):
            return sign * _seconds(*match.groups())
    pieces = _pieces(text, base)
    values = [(_number(number, decimal), _SCALES[base][unit]) for number, unit in pieces]
    if not values or any(value is None for value, _ in values):
        return None
    return sign * sum(value * scale for value, scale in values if value is not None)


def _seconds(days: str | None, hours: str | None, minutes: str | None, rest: str | None) -> float:
    whole = 24 * int(days or 0) + int(hours or 0)
    return 60.0 * (60 * whole + int(minutes or 0)) + float((rest or "0").replace(COMMA, "."))


def _number(text: str, decimal: str) -> float | None:
    import polars as pl  # heavy

    plain = text.replace(decimal, ".") if text.count(decimal) <= 1 else text
    try:
        return float(plain)
    except ValueError:
        found: float | None = numbers(pl.Series([text], dtype=pl.String), decimal)[0]
        return found
