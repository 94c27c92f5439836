"""Cells with units of several sizes are numbers in one unit; a column of one unit stays so."""

from __future__ import annotations

import polars as pl
import pytest

import netwise as nw
from netwise.data.tables import read_table
from netwise.data.tables.quantities import common_base, quantities
from netwise.data.tables.reading import read_as

DAY = 86_400.0


@pytest.mark.parametrize(
    ("cells", "base", "values"),
    [
        (["2h", "30 min", "1h 15m"], "s", [7200, 1800, 4500]),
        (["3 days", "2 hours 5 minutes", "45s"], "s", [3 * DAY, 7500, 45]),
        (["36:15", "1:30", "0:05"], "s", [36.25 * 3600, 5400, 300]),
        (["0 days 00:03:00", "1 days 02:00:00.5"], "s", [180, DAY + 7200.5]),
        (["1d 02:00:00", "-0:30:00"], "s", [DAY + 7200, -1800]),
        (["PT3H20M", "PT45S", "P1DT1H"], "s", [12_000, 45, DAY + 3600]),
        (["1.2 kg", "300 g", "50mg"], "g", [1200, 300, 0.05]),
        (["5 ft 3 in", "170 cm"], "m", [1.6002, 1.7]),
        (["1.5K", "950", "$2M"], "ones", [1500, 950, 2e6]),
        (["€110.5M", "€565K"], "ones", [110.5e6, 565e3]),
        (["1.5 GB", "200 MB"], "B", [1.5e9, 2e8]),
        (["1,200.50 CR", "300.00 DR"], "CR", [1200.5, -300]),
    ],
)
def test_cells_of_several_units_are_numbers_of_one(
    cells: list[str], base: str, values: list[float]
) -> None:
    column = pl.Series(cells)
    assert common_base(column, ".") == base
    assert quantities(column, ".", base).to_list() == pytest.approx(values)


@pytest.mark.parametrize(
    "cells",
    [
        ["5 kg", "7 kg"],  # a unit that all have
        ["5m", "3m", "4"],  # metres, and no millions
        ["1:30", "9:05"],  # of a day, as far as is known
        ["59:30", "1:02:10"],  # minutes or hours
        ["5 kg", "3 cm"],
        ["2h", "later"],
        ["v1.2", "v2"],
        ["", "2h", "5min"],
        ["3 4 K", "5"],
    ],
)
def test_other_cells_are_not(cells: list[str]) -> None:
    assert common_base(pl.Series(cells), ".") == ""


def test_a_column_of_durations_is_said_and_new_rows_are_read_alike() -> None:
    cells = ["2h", "90 min", "1h 30m", "45 min"] * 5
    frame = pl.DataFrame({"t": cells, "y": list(range(20))})
    reading = read_table(frame).column("t")
    assert (reading.kind, reading.form) == ("whole number", ". in s")
    assert reading.reason.endswith("with units, read in s")
    new = read_as([{"t": "3 hours"}, {"t": "10s"}], {"t": (reading.kind, reading.form)})
    assert new["t"].to_list() == [10_800, 10]


def test_a_decimal_comma_is_that_of_the_table() -> None:
    frame = pl.DataFrame({"m": ["1,5 kg", "300 g", "2,25 kg"] * 4, "n": ["1,5", "2,25", "7,5"] * 4})
    assert read_table(frame).frame["m"].to_list()[:3] == [1500, 300, 2250]


def test_a_kind_that_is_given_reads_times_as_durations(tmp_path: object) -> None:
    frame = pl.DataFrame({"lap": ["1:30", "2:15", "10:05"] * 5, "y": ["a", "b", "c"] * 5})
    assert read_table(frame).column("lap").kind == "date"
    data = nw.data.csv(frame, target="y", kinds={"lap": "category"})
    assert data.reading().column("lap").kind == "category"
