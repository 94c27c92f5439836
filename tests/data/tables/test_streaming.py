"""Blocks of rows are the rows of the whole table, whatever the file and the size of its pieces."""

from __future__ import annotations

import csv
import gzip
import io
import random
import re
from pathlib import Path

import polars as pl
import pytest

import netwise as nw
from netwise.data.tables import ReadOptions, blocks, read_table, streaming

WORDS = ("1", "2,5", "x", "", "ä", '5" pipe', 'a "b" c', "line\nbreak", "a;b", "  sp ", "'q'", "€")


def written(draw: random.Random, path: Path) -> Path:
    """A text of cells with quotes, line ends inside of cells, empty lines and an encoding."""
    width, end = draw.choice((1, 2, 3, 5)), draw.choice(("\n", "\r\n"))
    file = io.StringIO(newline="")
    quoting = draw.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    writer = csv.writer(file, delimiter=draw.choice(",;\t|"), quoting=quoting, lineterminator=end)
    writer.writerow([f"c{i}" for i in range(width)])
    writer.writerows([draw.choice(WORDS) for _ in range(width)] for _ in range(draw.randint(1, 80)))
    text = file.getvalue()
    middle = text.find(end, len(text) // 2)
    text = draw.choice((text, text.rstrip(), text + 3 * end, text[:middle] + end + text[middle:]))
    raw = text.encode(draw.choice(("utf-8", "utf-8-sig", "cp1252", "utf-16")))
    path.write_bytes(gzip.compress(raw) if draw.random() < 0.3 else raw)
    return path


@pytest.mark.parametrize("seed", range(40))
def test_blocks_are_the_whole_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    monkeypatch.setattr(streaming, "PIECE", draw.choice((20, 97, 400)))
    path = written(draw, tmp_path / "t.csv")
    try:
        whole = streaming.cells_of(path, ReadOptions()).frame
    except nw.DataError as error:  # one column with separators in it
        with pytest.raises(nw.DataError, match=re.escape(str(error))):
            list(blocks(path, rows=7))
        return
    parts = list(blocks(path, rows=7))
    assert max(part.height for part in parts) <= 7
    assert pl.concat(parts).equals(whole)


def test_other_files_and_tables_come_in_blocks(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": range(100), "b": [None if i % 7 else f"w{i}" for i in range(100)]})
    frame.write_parquet(tmp_path / "t.parquet", row_group_size=30)
    frame.write_ipc(tmp_path / "t.arrow")
    frame.write_ndjson(tmp_path / "t.jsonl")
    frame.write_excel(tmp_path / "t.xlsx")
    for name in ("t.parquet", "t.arrow", "t.jsonl", "t.xlsx"):
        parts = list(blocks(tmp_path / name, rows=40))
        assert max(part.height for part in parts) <= 40
        assert pl.concat(parts).equals(read_table(tmp_path / name).cells), name
    assert pl.concat(list(blocks(frame, rows=40))).equals(frame)


def test_a_wrong_line_is_named_by_its_number_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PIECE", 50)
    lines = ["a,b", *(f'{i},"x{i}"' for i in range(200)), "1,2,3", *("5,6" for _ in range(50))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(nw.DataError, match=r"line 202: 3 cells where the header has 2"):
        list(blocks(tmp_path / "t.csv"))


def test_what_is_no_table_is_said_as_for_a_whole_one(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 1000)[:-20])
    rows = "".join(f"{i},{i * i}\n" for i in range(100_000))
    (tmp_path / "late.gz").write_bytes(gzip.compress(f"a,b\n{rows}".encode())[:-20])
    (tmp_path / "page.csv").write_text("<!DOCTYPE html><html></html>")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1xxxxPAR1")
    (tmp_path / "empty.csv").write_text("")
    for name, text in (
        ("cut.gz", "damaged|cut off"),
        ("late.gz", "damaged|cut off"),
        ("page.csv", "web page"),
        ("broken.parquet", "no whole Parquet file"),
        ("empty.csv", "no rows"),
        ("absent.csv", "is not there"),
    ):
        with pytest.raises(nw.DataError, match=text):
            list(blocks(tmp_path / name))
