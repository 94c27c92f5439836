"""CSV files: separators, header, comments, and files that are none."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise.data.csv_file import read_table


def test_other_separators_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;b;y\n1;2;u\n3;4;v\n", encoding="utf-8-sig")
    assert read_table(path) == {"a": ["1", "3"], "b": ["2", "4"], "y": ["u", "v"]}


CELLS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=20))
def test_what_pythons_writer_wrote_comes_back(rows: list[tuple[str, str, str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("one", "two", "three"), *rows])
        cells = read_table(path)
    assert list(zip(*cells.values(), strict=True)) == rows


def test_columns_name_a_file_without_a_header_and_comments_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("|a remark, with commas\n1, u\n\n3,v\n")
    assert read_table(path, ("a", "b"), comment="|") == {"a": ["1", "3"], "b": ["u", "v"]}


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("a,b\n1,2\n,\n3,4\n", [("1", "2"), ("", ""), ("3", "4")]),
        ('a,b\n1,2\n , \n\n"",""\n3,4\n,', [("1", "2"), *[("", "")] * 3, ("3", "4"), ("", "")]),
        ("a,b\n\n1,2\n\n\n", [("", ""), ("1", "2")]),
        ("\n\na;b\r\n;\r\n", [("", "")]),
        ("a\n1\n\n3\n\n", [("1",), ("",), ("3",), ("",)]),
    ],
    ids=["separators", "blanks and quotes", "empty lines", "no value", "one column"],
)
def test_a_row_of_empty_cells_is_a_row_where_each_needs_an_answer(
    tmp_path: Path, content: str, rows: list[tuple[str, ...]]
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    assert list(zip(*read_table(path, keep_empty=True).values(), strict=True)) == rows


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "has no rows below its header: add some"),
        ("a,a,y\n1,2,3\n", "two columns have the name 'a': rename one"),
        ("a,y\n1,2\n3\n", "line 3: 1 cells where the header has 2. Write one cell for each column"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, content: str, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(nw.DataError, match=text):
        read_table(path)


def test_absent_and_binary_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(nw.DataError, match="is not there .* check the path"):
        read_table(tmp_path / "no.csv")
    (tmp_path / "b.csv").write_bytes(b"a,y\n\xff\xfe,1\n")
    with pytest.raises(nw.DataError, match=r"is no UTF-8 text \(byte 4\): save it as UTF-8"):
        read_table(tmp_path / "b.csv")
    with pytest.raises(nw.DataError, match="is a folder, not a CSV file: name a file in it"):
        read_table(tmp_path)
