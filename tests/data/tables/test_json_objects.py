"""Tables that are one JSON object are read as what they are, also block by block."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from netwise.data.tables import blocks, read_table

FRAME = pd.DataFrame({"a": [1, 2, 3, 4], "t": ["x", "y", "x", "y"]})
WRITTEN: dict[str, Any] = {
    **{each: json.loads(FRAME.to_json(orient=each)) for each in ("columns", "index", "split")},
    "table": json.loads(FRAME.to_json(orient="table", index=False)),
    "lists": FRAME.to_dict(orient="list"),
    "inside": {"count": 4, "data": FRAME.to_dict(orient="records")},
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("indent", [None, 1])
def test_an_object_is_a_table(tmp_path: Path, name: str, indent: int | None) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(WRITTEN[name], indent=indent))
    frame = read_table(path).frame
    assert frame.to_dict(as_series=False) == FRAME.to_dict(orient="list")
    assert pl.concat(list(blocks(path, rows=3))).equals(frame)


def test_lines_and_a_single_row_are_as_before(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1, "t": "x"}\n{"a": 2, "t": "y"}\n')
    assert read_table(path).frame.height == 2
    path.write_text('{"a": 1, "t": "x"}\n')
    assert read_table(path).frame.height == 1
    path.write_text('{"a": 1, "b": {"c": 2}}\n')
    assert read_table(path).frame.columns == ["a", "b.c"]
