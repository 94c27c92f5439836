"""Rows that are no data are left out of training, and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from netwise.data.tables import read_table
from netwise.data.tables.kinds import NUMBER
from netwise.errors import DataError

ROWS = [f"{['north', 'south'][i % 2]},{i}.5,{i % 3}.25" for i in range(12)]


def read(tmp_path: Path, lines: list[str]) -> tuple[int, str]:
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    reading = read_table(tmp_path / "t.csv")
    assert reading.column("x").kind == NUMBER
    return reading.frame.height, " ".join(reading.notes)


@pytest.mark.parametrize(
    ("row", "place", "said"),
    [
        (",kg,°C", 1, "holds units and is left out: kg, °C"),
        ("place,x,y", 7, "are the header again and are left out: 1"),
        ("Total,72.0,12.0", 13, "The last row is a total ('Total')"),
        ("Summe:,72.0,", 13, "The last row is a total"),
        ("# restarted, and again, twice, by hand", 5, "begin with # and are left out: 1"),
        (":---,---:,---", 1, "The line below the header is a ruler"),
    ],
)
def test_a_row_that_is_no_data_is_left_out_with_a_note(
    tmp_path: Path, row: str, place: int, said: str
) -> None:
    lines = ["place,x,y", *ROWS]
    lines.insert(place, row)
    height, notes = read(tmp_path, lines)
    assert height == len(ROWS)
    assert said in notes


def test_rows_that_only_look_like_it_stay(tmp_path: Path) -> None:
    words = ["place,x,y", *(f"Total,{i}.5,{i % 3}.25" for i in range(12))]
    assert read(tmp_path, words) == (12, "")
    first_gap = ["place,x,y", "north,,", *ROWS]
    assert read(tmp_path, first_gap) == (13, "")


@pytest.mark.parametrize(
    "text",
    [
        "---------\n|x   |y |\n---------\n" + "|1,5 |a |\n|2,5 |b |\n" * 5 + "---------\n",
        " x   | y\n-----+---\n" + " 1.5 | a\n 2.5 | b\n" * 5 + "(10 rows)\n",
        "+---+---+\n| x | y |\n+---+---+\n" + "| 1.5 | a |\n| 2.5 | b |\n" * 5 + "+---+---+\n",
    ],
    ids=["SAP", "psql", "mysql"],
)  # fmt: skip
def test_tables_that_are_drawn_with_lines_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.txt").write_text(text)
    reading = read_table(tmp_path / "t.txt")
    assert reading.frame["x"].to_list() == [1.5, 2.5] * 5
    assert reading.frame["y"].to_list() == ["a", "b"] * 5


def test_sentences_below_the_last_row_are_left_out(tmp_path: Path) -> None:
    footer = ["", "Source: statistics office", "Exported on 2024-01-01"]
    height, notes = read(tmp_path, ["place,x,y", *ROWS, *footer])
    assert height == len(ROWS)
    assert "Lines below the last row that are left out: 2." in notes
    with pytest.raises(DataError, match="line 5: 1 cells where the header has 3"):
        read(tmp_path, ["place,x,y", *ROWS[:3], "Source: an office", *ROWS[3:]])


def test_subtotals_between_rows_and_a_last_row_of_sums_are_left_out(tmp_path: Path) -> None:
    lines = ["place,x,y", *ROWS]
    lines.insert(5, "Subtotal,6.0,")
    lines.insert(9, "Subtotal,30.0,")
    height, notes = read(tmp_path, lines)
    assert height == len(ROWS)
    assert "Rows of subtotals that are left out: 2." in notes
    total = sum(i + 0.5 for i in range(12))
    height, notes = read(tmp_path, ["place,x,y", *ROWS, f",{total},"])
    assert height == len(ROWS)
    assert f"The last row has only {total} and is left out as a total." in notes


def test_a_last_row_with_gaps_that_is_no_sum_stays_and_so_do_places_named_total(
    tmp_path: Path,
) -> None:
    assert read(tmp_path, ["place,x,y", *ROWS, ",71.0,"])[0] == len(ROWS) + 1
    stations = [line.replace("north", "Total") for line in ROWS]
    assert read(tmp_path, ["place,x,y", *stations])[0] == len(ROWS)
