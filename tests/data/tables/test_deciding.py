"""What columns are, and why: each kind with the cells that people write."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

import netwise as nw
from netwise.data.tables import ReadOptions, TableReading, labels_of, read_table
from netwise.data.tables.date_forms import dates, find_form

NUMBERS: dict[str, tuple[list[str], list[float]]] = {
    "decimal comma": (["1,5", "-2,25", "1.000,5"], [1.5, -2.25, 1000.5]),
    "thousands": (["1,234", "12,500,000", "999"], [1234, 12_500_000, 999]),
    "Swiss": (["1'234.5", "12’000.25", "7.5"], [1234.5, 12_000.25, 7.5]),
    "French": (["1 234,5", "12\u202f000,25", "7\u00a0500,0"], [1234.5, 12_000.25, 7500]),
    "Indian": (["12,34,567.5", "1,000.0", "7.5"], [1_234_567.5, 1000, 7.5]),
    "percent": (["45%", "3.5 %", "-12%"], [45, 3.5, -12]),
    "currency": (["$5", "$1,200.50", "-$3"], [5, 1200.5, -3]),
    "euro": (["5,00 €", "1.200,50 €", "-3,25 €"], [5, 1200.5, -3.25]),
    "code of a currency": (["CHF 5.5", "CHF 1'200", "CHF 3"], [5.5, 1200, 3]),
    "unit": (["12 kg", "5.5 kg", "70 kg"], [12, 5.5, 70]),
    "brackets": (["(12.5)", "7", "3"], [-12.5, 7, 3]),
    "brackets and a currency": (["(1,250.5) EUR", "7 EUR", "3.5 EUR"], [-1250.5, 7, 3.5]),
    "footnotes": (["12*", "7", "3.5 **", "4†"], [12, 7, 3.5, 4]),
    "minus behind": (["12-", "7", "3.5-"], [-12, 7, -3.5]),
    "minus of typography": (["\u221212.5", "7", "3"], [-12.5, 7, 3]),
    "exponent": (["1e-5", "2.5E+3", "7"], [1e-5, 2500, 7]),
    "gaps": (["1.5", "NA", "N/A", "", "-", "?", "#N/A", "2"], [1.5, 2]),
    "spaces": ([" 1.5", "2 ", " 3 "], [1.5, 2, 3]),
    "limits": (["<0.5", "1.25", "2.5", ">7", "3.5"], [0.25, 1.25, 2.5, 7, 3.5]),
    "gaps of Excel and Stata": (["1.5", "#NV", "---", ".a", "#VALEUR!", "2"], [1.5, 2]),
}


def table(column: list[str], name: str = "x") -> pl.DataFrame:
    return pl.DataFrame({name: column, "n": [f"word{i % 2}" for i in range(len(column))]})


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_as_people_write_them(name: str) -> None:
    cells, values = NUMBERS[name]
    reading = read_table(table(cells))
    assert reading.column("x").kind in ("number", "whole number"), reading.column("x")
    assert reading.frame["x"].drop_nulls().to_list() == pytest.approx(values)


@pytest.mark.parametrize(
    "cells",
    [["5 kg", "70 cm", "1 kg"], ["1.2.3", "4.5.6", "7.8.9"], ["0x1f", "0x2a", "x"], ["5a", "6b"]],
)
def test_what_is_no_number_is_none(cells: list[str]) -> None:
    assert read_table(table(cells)).column("x").kind == "category"


KINDS: dict[str, tuple[str, list[str], str]] = {
    "truth": ("x", ["yes", "No", "yes", ""], "truth value"),
    "truth as words and numbers": ("x", ["True", "0", "false", "1"], "truth value"),
    "codes": ("zip", ["01067", "10115", "80331"], "category"),
    "long digits": ("card", ["12345678901234567890", "12345678901234567891"], "category"),
    "rows": ("id", ["7", "3", "12"], "identifier"),
    "rows in camels": ("PassengerId", ["1", "2", "3"], "identifier"),
    "paid is no id": ("paid", ["7", "3", "12"], "whole number"),
    "groups": ("customer_id", ["7", "7", "12"], "whole number"),
    "constant": ("x", ["7", "7", "7"], "constant"),
    "empty": ("x", ["", "NA", ""], "empty"),
    "uuid": ("x", [f"a{i:05d}-{i * 7919 % 997:03d}f" for i in range(50)], "identifier"),
    "text": ("x", [f"the {i} cats sat on mat {i * 7}" for i in range(50)], "text"),
    "tickets": ("x", [f"A/5 {i}" if i % 4 else str(i) for i in range(40)] * 2, "category"),
    "placeholder": ("x", ["unknown" if i % 5 else str(i) for i in range(9)] * 9, "category"),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str) -> None:
    column, cells, kind = KINDS[name]
    assert read_table(table(cells, column)).column(column).kind == kind


def test_few_words_among_many_numbers_are_gaps_and_said() -> None:
    cells = ["unknown" if i % 5 == 0 else str(i) for i in range(100)]
    column = read_table(table(cells)).column("x")
    assert (column.kind, column.gaps) == ("whole number", 20)
    assert column.reason == "80 cells are whole numbers, and 20 are unknown: gaps"


@pytest.mark.parametrize("misfits", [1, 4, 5, 20])
def test_few_cells_that_do_not_fit_are_an_error_and_many_are_words(misfits: int) -> None:
    cells = [f"w{i}" if i < misfits else str(i / 7) for i in range(100)]
    if misfits < 5:
        with pytest.raises(nw.DataError, match="column 'x', row 1: 'w0' is no number"):
            read_table(table(cells))
        reading = read_table(table(cells), ReadOptions(bad_cells="missing"))
        assert reading.column("x").misfits == misfits
    else:
        column = read_table(table(cells)).column("x")
        assert column.kind == "identifier", column


def test_a_cell_with_a_comma_among_points_is_asked_about() -> None:
    cells = [f"{i / 7:.4f}" for i in range(100)]
    cells[7] = "1,234"
    with pytest.raises(nw.DataError, match="row 8: '1,234' is no number"):
        read_table(table(cells))
    frame = pl.DataFrame({"x": [1.5] * 30 + [float("inf")] + [2.5] * 30})
    with pytest.raises(nw.DataError, match="row 31: 'inf' is no number"):
        read_table(frame)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("n;m\n900.764;a\n12.500;b\n1.250;c\n", [900_764, 12_500, 1250]),  # semicolons: no point
        ("n;m\n900.764;1.5\n12.500;2.5\n1.250;3.5\n", [900.764, 12.5, 1.25]),
        ("n,m\n999,a\n1.234.567,b\n12.345,c\n", [999, 1_234_567, 12_345]),
        ("n,m\n999,a\n12,b\n0,a\n12.345,c\n1.250,d\n", [999, 12, 0, 12_345, 1250]),
        ("n,m\n999,a\n12,b\n12.345,c\n1.25,d\n", [999, 12, 12.345, 1.25]),
        ("n,m\n1999,a\n12,b\n12.345,c\n1.250,d\n", [1999, 12, 12.345, 1.25]),
        ("n;m\n980 €;a\n1.250 €;b\n12.345 €;c\n", [980, 1250, 12_345]),
    ],
)
def test_points_between_thousands(tmp_path: Path, text: str, values: list[float]) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert read_table(path).frame["n"].to_list() == values


def test_numbers_that_mark_a_missing_value_are_those_of_the_same_value() -> None:
    texts = pl.DataFrame({"x": ["-999.0", "1.5", "-999,0"], "n": ["a", "b", "a"]})
    typed = pl.DataFrame({"x": [-999.0, 1.5, -999.0], "n": ["a", "b", "a"]})
    for frame in (texts, typed):
        reading = read_table(frame, ReadOptions(na=("-999",)))
        assert reading.frame["x"].to_list() == [None, 1.5, None]


NUMBERS_AS_DATES = {
    "d": ["202312", "202401", "202402", "202403", "202404", "202405"],
    "e": ["12.2023", "01.2024", "02.2024", "03.2024", "04.2024", "05.2024"],
    "f": [f"202405311430{i:02d}" for i in range(6)],
    "created_at": [str(1_700_000_000 + i * 5_000_000) for i in range(6)],
    "timestamp": [str(1000 * (1_700_000_000 + i * 5_000_000)) for i in range(6)],
}


@pytest.mark.parametrize("name", NUMBERS_AS_DATES)
def test_dates_that_look_like_numbers(name: str) -> None:
    cells = NUMBERS_AS_DATES[name]
    column = read_table(table(cells, name)).frame[name]
    assert column.dtype == pl.Datetime
    assert column[-1].year == 2024, column
    if name in ("created_at", "timestamp"):
        typed = pl.DataFrame({name: list(map(int, cells)), "n": list("ababab")})
        assert read_table(typed).frame[name].to_list() == column.to_list()


@pytest.mark.parametrize("cells", [["202312", "202401", "202413"] * 3, ["12.2023", "13.2024"] * 3])
def test_numbers_that_are_no_dates(cells: list[str]) -> None:
    assert read_table(table(cells)).column("x").kind in ("number", "whole number")


DATES = {
    "2024-05-31": "31.05.2024",
    "2024-05-31T14:30:00Z": "2024-05-31 14:30",
    "2024/05/31 14:30:05": "20240531 14:30:05",
    "31 May 2024": "31. Mai 2024",
    "May 31, 2024": "5/31/2024",
    "31-May-24": "31/05/24",
    "2024-05-31 16:30:00+02:00": "2024-05-31 02:30 PM",
    "31.05.2024 14:30 Uhr": "Fr, 31.05.2024",
    "Friday, May 31, 2024": "May 31st, 2024",
    "Fri, 31 May 2024 14:30:00 GMT": "Fri May 31 14:30:00 +0000 2024",
    "31/May/2024:16:30:00 +0200": "20240531T143000Z",
    "2024年5月31日": "31 de mayo de 2024",
    "31-05-2024 14.30": "31st May 2024",
}


@pytest.mark.parametrize("written", [*DATES, *DATES.values()])
def test_dates_as_people_write_them(written: str) -> None:
    cells = pl.Series([written])
    value = dates(cells, find_form(cells))[0]
    assert isinstance(value, datetime)
    assert (value.year, value.month, value.day) == (2024, 5, 31)
    if ":" in written:
        assert (value.hour, value.minute) == (14, 30)


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["03/04/2024", "13/05/2024"], "%d/%m/%Y"),
        (["03/04/2024", "05/13/2024"], "%m/%d/%Y"),
        (["01/02/2024", "01/03/2024", "02/01/2024"], "%m/%d/%Y"),
        (["01.02.2024", "01.03.2024"], "%d.%m.%Y"),
        (["12/01/2024", "01/02/2024", "02/02/2024"], "%d/%m/%Y"),
    ],
)
def test_day_and_month_are_told_apart_by_all_cells(cells: list[str], form: str) -> None:
    assert find_form(pl.Series(cells)) == form


def test_labels_of_one_value_are_one_class() -> None:
    assert labels_of(pl.Series(["1", "1.0", "01", "2"])).to_list() == ["1", "1", "1", "2"]
    assert labels_of(pl.Series(["01", "1", "x"])).to_list() == ["01", "1", "x"]
    assert labels_of(pl.Series([1.0, 2.0, None])).to_list() == ["1", "2", None]


def test_words_for_gaps_are_classes_unless_they_are_given(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "1,NA\n2,None\n3,cat\n4,cat\n" * 10)
    assert nw.data.csv(path, "y").load().classes == ("NA", "None", "cat")
    samples = nw.data.csv(path, "y", na=["NA"]).load()
    assert samples.classes == ("None", "cat")
    assert sum(map(len, (samples.train, samples.valid, samples.test))) == 30


def read(folder: Path, content: str) -> TableReading:
    (folder / "t.csv").write_text(content)
    return read_table(folder / "t.csv")


SNIFFED = {
    "comma": "a,b,c\n1,x,2.5\n2,y,3.5\n3,z,4.5\n",
    "semicolon": "a;b;c\n1;x, y;2.5\n2;y;3.5\n3;z;4.5\n",
    "tab": "a\tb\tc\n1\tx\t2.5\n2\ty\t3.5\n3\tz\t4.5\n",
    "bar": "a|b|c\n1|x|2.5\n2|y|3.5\n3|z|4.5\n",
    "quotes": 'a,b\n"1,2",x\n"3,4","y\nz"\n"5,6","say ""hi"""\n',
    "many words": "t,x,y\n" + "a few words of some long text here,0.5,bad\n" * 5,
    "title": "Report\n\na,b\n1,x\n2,y\n3,z\n",
}


@pytest.mark.parametrize("name", SNIFFED)
def test_the_dialect_is_that_of_another_sniffer(tmp_path: Path, name: str) -> None:
    reading = read(tmp_path, SNIFFED[name])
    base = duckdb.connect()
    found = base.execute(
        "select * from read_csv(?, all_varchar=true)", [str(tmp_path / "t.csv")]
    ).fetchall()
    assert reading.cells.rows() == found


def test_names_are_found_and_made_unique(tmp_path: Path) -> None:
    reading = read(tmp_path, "a,a,,b\n1,2,3,x\n5,6,7,y\n")
    assert reading.frame.columns == ["a", "a_2", "column3", "b"]
    assert reading.notes[0] == "Two columns have the name 'a': the second is 'a_2'."
    assert read(tmp_path, "1,2,x\n3,4,y\n").frame.columns == ["column1", "column2", "column3"]
    assert read(tmp_path, "2019,2020\n1,2\n3,4\n").frame.columns == ["2019", "2020"]
    assert read(tmp_path, "sep=;\na;b\n1;2\n3;4\n").frame.rows() == [(1, 2), (3, 4)]
    assert read(tmp_path, "a;b\n1;2\n;\n\n3;4\n").frame.rows() == [(1, 2), (3, 4)]
    assert read(tmp_path, "# by me\na,b\n1,2\n3,4\n").frame.rows() == [(1, 2), (3, 4)]


def test_texts_without_blanks_are_texts_and_names_are_not() -> None:
    texts = ["这部电影很好看" + "我不喜欢它太长了"[i % 7 :] + str(i) for i in range(60)]
    names = [f"王{chr(0x4E00 + i)}" for i in range(60)]
    reading = read_table({"text": texts, "name": names, "x": list(range(60))})
    assert [column.kind for column in reading.columns[:2]] == ["text", "identifier"]


def test_groups_that_are_written_as_limits_stay_words() -> None:
    column = read_table(table(["<18", ">65", "<18", "40"] * 5)).column("x")
    assert column.kind == "category"


def test_limits_are_said() -> None:
    column = read_table(table([*(f"{i}.5" for i in range(1, 30)), "<1.0", "<1.0"])).column("x")
    assert column.kind == "number"
    assert "2 are limits, half of which is taken where it is an upper one" in column.reason


def test_numbers_without_the_unit_of_the_others_are_said() -> None:
    column = read_table(table(["12%", "0.12", "7%", "9%"] * 5)).column("x")
    assert column.reason == "all 20 cells with a value are numbers, in % (5 of them without it)"


@pytest.mark.parametrize("form", ["{y}Q{q}", "{y}-Q{q}", "{y} q{q}", "Q{q} {y}", "Q{q}/{y}"])
def test_quarters_are_dates_of_their_first_month(form: str) -> None:
    cells = [form.format(y=2019 + i // 4, q=i % 4 + 1) for i in range(20)]
    reading = read_table(table(cells))
    assert reading.column("x").kind == "date"
    assert reading.frame["x"].to_list()[:5] == [
        *(datetime(2019, month, 1) for month in (1, 4, 7, 10)),
        datetime(2020, 1, 1),
    ]


def test_lines_of_two_encodings_are_read_each_in_its_own(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = [f"{i},{'Zürich' if i % 2 else 'Genève'}\n" for i in range(40)]
    raw = [line.encode("cp1252" if i % 7 == 3 else "utf-8") for i, line in enumerate(lines)]
    path.write_bytes(b"n,city\n" + b"".join(raw))
    reading = read_table(path)
    assert set(reading.frame["city"]) == {"Zürich", "Genève"}
    assert "some lines are UTF-8" in " ".join(reading.notes)


def test_quoted_cells_with_many_separators_are_one_cell_each(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "amount,y\n" + "".join(f'"₹{i},10,{100 + i}.00",{i % 3}\n' for i in range(1, 9))
    )
    reading = read_table(path)
    assert reading.frame["amount"].to_list()[:2] == [110_101.0, 210_102.0]
