"""The same table from each kind of file and frame, and files that are no tables."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import netwise as nw
from netwise.data.tables import ReadOptions, read_as, read_table
from netwise.data.tables.binary_files import depth_of

DAYS = [datetime(2024, 1, 1 + day) for day in range(4)]
FRAME = pl.DataFrame(
    {"size": [1.5, 2.5, None, 4.0], "rooms": [1, 2, 3, 3], "town": ["Rom", "Köln", "Rom", None]}
).with_columns(day=pl.Series(DAYS, dtype=pl.Datetime("us")))
KINDS = ["number", "whole number", "category", "date"]


def zipped(raw: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("__MACOSX/._t.csv", b"\0\1")
        archive.writestr("folder/t.csv", raw)
    return buffer.getvalue()


def written(write: Callable[[pl.DataFrame, io.BytesIO], Any]) -> bytes:
    buffer = io.BytesIO()
    write(FRAME, buffer)
    return buffer.getvalue()


CSV = FRAME.write_csv().encode()
FILES: dict[str, Callable[[], bytes]] = {
    "t.csv": lambda: CSV,
    "t.tsv": lambda: FRAME.write_csv(separator="\t").encode(),
    "utf-16.csv": lambda: CSV.decode().encode("utf-16"),
    "utf-16-be.csv": lambda: CSV.decode().encode("utf-16-be"),
    "utf-32.csv": lambda: CSV.decode().encode("utf-32"),
    "latin.csv": lambda: CSV.decode().encode("latin-1"),
    "bom.csv": lambda: CSV.decode().encode("utf-8-sig"),
    "mac.csv": lambda: CSV.replace(b"\n", b"\r"),
    "t.csv.gz": lambda: gzip.compress(CSV),
    "t.csv.xz": lambda: lzma.compress(CSV),
    "t.csv.bz2": lambda: bz2.compress(CSV),
    "t.zip": lambda: zipped(CSV),
    "t.parquet": lambda: written(lambda frame, to: frame.write_parquet(to)),
    "t.feather": lambda: written(lambda frame, to: frame.write_ipc(to)),
    "t.arrows": lambda: written(lambda frame, to: frame.write_ipc_stream(to)),
    "t.jsonl": lambda: written(lambda frame, to: frame.write_ndjson(to)),
    "t.json": lambda: written(lambda frame, to: frame.write_json(to)),
    "t.xlsx": lambda: written(lambda frame, to: frame.write_excel(to)),
}


@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_file_gives_the_same_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name]())
    reading = read_table(path)
    assert reading.frame.equals(FRAME), reading.frame
    assert [column.kind for column in reading.columns] == KINDS


FRAMES: dict[str, Callable[[], Any]] = {
    "polars": lambda: FRAME,
    "lazy": lambda: FRAME.lazy(),
    "pandas": lambda: pd.DataFrame(FRAME.to_dict(as_series=False)),
    "pandas with its own types": lambda: pd.DataFrame(
        FRAME.to_dict(as_series=False)
    ).convert_dtypes(),
    "pandas categories": lambda: pd.DataFrame(FRAME.to_dict(as_series=False)).astype(
        {"town": "category"}
    ),
    "columns": lambda: FRAME.to_dict(as_series=False),
    "arrays": lambda: {
        "size": np.array([1.5, 2.5, np.nan, 4.0], np.float32),
        "rooms": np.array([1, 2, 3, 3], np.int8),
        "town": np.array(["Rom", "Köln", "Rom", None], object),
        "day": np.array(DAYS, "datetime64[D]"),
    },
    "rows": lambda: FRAME.to_dicts(),
    "Arrow": lambda: _Arrow(FRAME),
}


class _Arrow:
    """Any table that speaks Arrow's protocol."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.__arrow_c_stream__ = frame.__arrow_c_stream__


@pytest.mark.parametrize("name", FRAMES)
def test_each_kind_of_frame_gives_the_same_table(name: str) -> None:
    reading = read_table(FRAMES[name]())
    assert reading.frame.equals(FRAME), reading.frame
    assert [column.kind for column in reading.columns] == KINDS


def sheet_with(end: bytes) -> bytes:
    """A workbook whose sheet has other bytes at its end."""
    book, changed = zipfile.ZipFile(io.BytesIO(FILES["t.xlsx"]())), io.BytesIO()
    with zipfile.ZipFile(changed, "w") as archive:
        for name in book.namelist():
            content = book.read(name)
            is_sheet = name.endswith("sheet1.xml")
            archive.writestr(name, content.replace(b"</sheetData>", end) if is_sheet else content)
    return changed.getvalue()


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "has no rows below its header: add some"),
    "header": (b"a,b\n", "has no rows below its header: add some"),
    "page": (b"<!DOCTYPE html><html></html>", "is a web page, not a table: fetch the file"),
    "pdf": (b"%PDF-1.7 ...", "is a PDF document, not a table: save its table as CSV"),
    "database": (b"SQLite format 3\0" + bytes(100), "is an SQLite database"),
    "binary": (bytes(range(256)) * 20, "is no text, and no other table that is known: save it"),
    "cut off": (gzip.compress(CSV)[:-12], "is damaged, or was cut off .*: fetch it again"),
    "parquet": (b"PAR1" + bytes(50), "is no whole Parquet file .*: write it again"),
    "damaged workbook": (
        sheet_with(b"<row </sheetData>"),
        "is no whole workbook file .*: write it again",
    ),
    "far cell": (
        sheet_with(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'),
        "its sheet needs more than the .* of memory that are free",
    ),
    "impossible cell": (
        sheet_with(b'<row r="9999999999"><c r="ZZZZZZ9999999999"><v>1</v></c></row></sheetData>'),
        "is no whole workbook file|cannot be read as a workbook",
    ),
    "archive": (zipped(b"a")[:4] + b"\0" * 30, "is damaged, or was cut off .*: fetch it again"),
    "long row": (b"a,b\n1,2\n1,2,3\n", "line 3: 3 cells where the header has 2. Write one cell"),
    "short row": (b"a,b,c\n1,2,3\n1,2\n", "line 3: 2 cells where the header has 3. Write one"),
}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ((b'{"a": ' + b"[" * 900 + b"]" * 900 + b"}\n") * 30, "more than 64 deep"),
        (b'{"a": "[[', "is no whole JSON lines file .*: write it again"),
    ],
    ids=["deep", "cut off in a text"],
)
def test_json_that_is_no_table_is_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    (tmp_path / "t.jsonl").write_bytes(raw)
    with pytest.raises(nw.DataError, match=message):
        read_table(tmp_path / "t.jsonl")


def test_bytes_that_are_no_text_become_escapes(tmp_path: Path) -> None:
    cells = [b"\xff\x00", "Köln".encode(), None] * 5
    frame = pl.DataFrame({"a": cells, "b": range(15)}, {"a": pl.Binary, "b": pl.Int64})
    frame.write_parquet(tmp_path / "t.parquet")
    texts = read_table(tmp_path / "t.parquet").frame["a"].to_list()
    assert texts[:3] == ["\\xff\x00", "Köln", None]


def test_brackets_in_texts_are_not_counted() -> None:
    line = b'{"a": "' + b"[{" * 900 + b'\\"[", "b": [1]}\n'
    assert depth_of(line * 30) == 2


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    raw, message = REFUSED[name]
    (tmp_path / "t.csv").write_bytes(raw)
    with pytest.raises(nw.DataError, match=message):
        read_table(tmp_path / "t.csv")


def test_an_encoding_that_is_given_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("имя;x\nИван;1\nОльга;2\n".encode("koi8-r"))
    assert read_table(path, ReadOptions(encoding="koi8-r")).frame["имя"].to_list()[0] == "Иван"
    with pytest.raises(nw.DataError, match="encoding = 'utf9' is no encoding that Python knows"):
        read_table(path, ReadOptions(encoding="utf9"))
    with pytest.raises(nw.DataError, match=r"is no utf-8 text .*: leave encoding out"):
        read_table(path, ReadOptions(encoding="utf-8"))


def test_new_rows_are_read_as_those_of_training(tmp_path: Path) -> None:
    kinds = {"day": ("date", "%d.%m.%Y"), "size": ("number", ","), "town": ("category", "")}
    path = tmp_path / "new.csv"
    path.write_text("town;size;more;day\n7;1.250,5;x;03.04.2024\n\n;;;\n")
    frame = read_as(path, kinds)
    assert frame.columns == ["day", "size", "town"]
    assert frame.rows() == [(datetime(2024, 4, 3), 1250.5, "7"), (None,) * 3, (None,) * 3]
    with pytest.raises(nw.DataError, match="the table has no column 'town'"):
        read_as([{"day": None, "size": 1}], kinds)
    with pytest.raises(nw.DataError, match="column 'size', row 1: 'big' is no number"):
        read_as([{"day": None, "size": "big", "town": "a"}], kinds)
