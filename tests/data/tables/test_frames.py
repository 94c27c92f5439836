"""Tables in memory, with nested columns."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from netwise.data.tables import ReadOptions, blocks, read_table
from netwise.data.tables.frames import flattened


def test_nested_columns_become_columns_of_their_own(tmp_path: Path) -> None:
    rows = [{"user": {"age": i, "at": {"city": "ab"[i % 2]}}, "v": [i, 2.5], "n": [1] * (i % 3)}
            for i in range(6)]  # fmt: skip
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    names = ["user.age", "user.at.city", "v.0", "v.1", "n"]
    reading = read_table(tmp_path / "t.jsonl")
    assert reading.frame.columns == names
    assert reading.cells["v.0"].to_list() == [0, 1, 2, 3, 4, 5]
    (block,) = blocks(tmp_path / "t.jsonl", ReadOptions())
    assert block.columns == names


def test_names_that_are_taken_leave_the_frame_as_it_is() -> None:
    frame = pl.DataFrame({"a": [{"b": 1}], "a.b": [2]})
    assert flattened(frame) is frame


def test_null_characters_of_a_text_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"x,y\n1.5,a\n" * 1 + b"\0\0\0" + b"2.5,b\n3.5,a\n")
    reading = read_table(tmp_path / "t.csv")
    assert reading.frame["x"].to_list() == [1.5, 2.5, 3.5]
    assert "Null characters that are left out: 3." in reading.notes
    (block,) = blocks(tmp_path / "t.csv", ReadOptions())
    assert block["x"].to_list() == ["1.5", "2.5", "3.5"]
