"""Random tables in random dialects come back as they were; DuckDB's sniffer as a second opinion."""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from netwise.data.tables import read_table
from netwise.data.tables.dialects import find_dialect


@dataclass(frozen=True)
class Written:
    """How a table is written."""

    sep: str
    quote: str
    line_end: str
    encoding: str
    decimal: str
    thousands: str
    quoting: int
    pack: str


DIALECTS = st.builds(
    Written,
    sep=st.sampled_from([",", ";", "\t", "|"]),
    quote=st.sampled_from(['"', '"', "'"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    decimal=st.sampled_from([".", ","]),
    thousands=st.sampled_from(["", "", "other"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    pack=st.sampled_from(["", "", "gz", "xz", "zip"]),
)
WORDS = st.sampled_from(
    [
        "red",
        "light blue",
        "Köln",
        "a, b; c",
        'the "big" one',
        "it's",
        "x|y",
        "Straße 5",
        "two\nlines",
    ]
)
FLOATS = st.integers(-9_999_999, 9_999_999).map(lambda n: n / 100)
DAYS = st.integers(0, 20_000).map(lambda n: datetime.fromordinal(719_163 + n))


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    rows = draw(st.integers(12, 40))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=rows, max_size=rows))

    kinds = {"price": FLOATS, "count": st.integers(0, 9999), "colour": WORDS, "day": DAYS}
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=2, max_size=4, unique=True))
    found = {name: column(kinds[name]) for name in chosen}
    return {"size": column(FLOATS), **found}


def text_of(value: Any, how: Written) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float):
        other = "." if how.decimal == "," else ","
        text = f"{value:,.2f}" if how.thousands else f"{value:.2f}"
        return text.translate(str.maketrans({",": other, ".": how.decimal}))
    return str(value)


def write(path: Path, table: dict[str, list[Any]], how: Written) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=how.sep,
        quotechar=how.quote,
        quoting=how.quoting,
        lineterminator=how.line_end,
    )
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow([text_of(value, how) for value in row])
    raw = text.getvalue().encode(how.encoding)
    if how.pack == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("table.csv", raw)
        return
    packed: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "xz": lzma.compress}
    path.write_bytes(packed.get(how.pack, bytes)(raw))


@settings(max_examples=60, deadline=None)
@given(tables(), DIALECTS)
def test_a_random_table_comes_back(table: dict[str, list[Any]], how: Written) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        write(path, table, how)
        reading = read_table(path)
    assert reading.frame.columns == list(table)
    for name, values in table.items():
        found = reading.frame[name].to_list()
        assert found == values, (name, reading.column(name), reading.notes)


@pytest.mark.parametrize(
    ("text", "sep"),
    [
        ("file;kind\n" + "".join(f"test/a/{i}.jpg;dots\n" for i in range(30)), ";"),
        ("url,kind\n" + "".join(f"https://a.org/{i}?q=1&r={i},x\n" for i in range(30)), ","),
        ("date\n" + "".join(f"{1 + i % 12}/{1 + i % 28}/2024\n" for i in range(30)), ","),
        ("time\n" + "".join(f"{i % 24}:{i:02d}\n" for i in range(30)), ","),
        ("p,y\n" + "".join(f"~{i},{i % 3}\n" for i in range(30)), ","),
        ("a/b\n" + "".join(f"{i}/{2 * i}\n" for i in range(30)), "/"),
    ],
    ids=["paths", "addresses", "dates alone", "times alone", "about", "slashes"],
)
def test_signs_inside_of_values_are_no_separators(text: str, sep: str) -> None:
    assert find_dialect(text.splitlines(keepends=True))[0].sep == sep


HEADERS = {
    "titles above two columns": ("Report\nAs of: 1.1.2023\n\nName;Size\n{rows}", ["Name", "Size"]),
    "titles in the cells": ("Report 2023;\nName;Size\n{rows}", ["Name", "Size"]),
    "two names are absent": ("{empty}a,a,b,,\n{wide}", ["a", "a_2", "b", "column4", "column5"]),
    "lakhs": ("n|x\n{lakhs}", ["n", "x"]),
    "names of days": ("day;x\n{days}", ["day", "x"]),
    "one name is absent": (",a,b\n{three}", ["column1", "a", "b"]),
}
BODIES = {
    "empty": "",
    "rows": "".join(f"N{i % 4};{i % 7},5\n" for i in range(40)),
    "wide": "".join(f"{i % 3}.5,{i % 4}.5,{i % 2},1,{i % 5}\n" for i in range(40)),
    "lakhs": "".join(f"{10 + i},{20 + i},345.50|{i % 3}\n" for i in range(40)),
    "days": "".join(f"Monday, March {1 + i % 28}, 2020;{i % 3}\n" for i in range(40)),
    "three": "".join(f"r{i},{'?' if i == 0 else i % 7},x{i % 2}\n" for i in range(40)),
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_header_is_found(tmp_path: Path, name: str) -> None:
    text, names = HEADERS[name]
    path = tmp_path / "t.csv"
    path.write_text(text.format(**BODIES))
    frame = read_table(path).frame
    assert (frame.columns, frame.height) == (names, 40)
