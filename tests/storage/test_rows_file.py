"""Rows of a history from their file: the same series as from rows in memory, in little of it."""

from __future__ import annotations

import json
import math
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

import netwise as nw
from netwise.schema import SchemaError
from netwise.storage.layout import strict_json
from netwise.storage.rows_file import parse_row, read_columns, read_series

NAMES = st.sampled_from(["loss", "valid.loss", "gradient.rms|layer1", 'a"b', "ä|b|c", "\\", "x: 1"])
ROWS = st.lists(
    st.dictionaries(NAMES, st.floats() | st.integers(-(2**62), 2**62), min_size=1), max_size=12
)


def lines(rows: list[dict[str, float]]) -> str:
    return "".join(json.dumps(strict_json(row)) + "\n" for row in rows)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(1, 4), st.text(alphabet='{"step: 1,}', max_size=9))
def test_a_file_gives_the_series_of_its_rows(
    tmp_path_factory: pytest.TempPathFactory, values: list[dict[str, float]], times: int, end: str
) -> None:
    rows = [{"step": i, **row} for i, row in enumerate(row for row in values for _ in range(times))]
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text(lines(rows) + end)  # the end is an incomplete row
    expected = nw.History.from_rows(rows).series
    assert repr(sorted(read_series(path).items())) == repr(sorted(expected.items()))
    again = [
        dict(zip(names, row, strict=True))
        for names, columns in read_columns(path)
        for row in zip(*columns, strict=True)
    ]
    assert repr(again) == repr(rows)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"loss": 1}', "step is missing"),
        ('{"step": -1, "loss": 1}', "step = -1 must be at least 0"),
        ('{"step": 1.5, "loss": 1}', "step = 1.5 must be a whole number"),
        ('{"step": true, "loss": 1}', "step = true must be a number"),
        ('{"step": 1, "loss": null}', "loss = null must be a number"),
        ('{"step": 1, "loss": [1]}', "loss = a list of 1 must be a number"),
        ('{"step": 1, "loss": {"a": 1}}', "loss = an object of 1 must be a number"),
        ('{"step": 1, "loss": "much"}', "loss = 'much' must be a number"),
        ('{"step": 1, "loss": 1' + "0" * 400 + "}", "must be a number"),
        ('{"step": 9223372036854775808, "loss": 1}', "step = 9223372036854775808 must be below 2"),
        ('{"step": 1, "loss": 2]', "is no JSON"),
        ('{"step": 1, : 2}', "is no JSON"),
        ('{"step": 1, "loss": 2}, {"step": 2, "loss": 3}', "is no JSON"),
        ("[1, 2]", "must be an object with names"),
        ("[" * 100_000, "nested too deeply"),
        ("", "is no JSON"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        parse_row(line.encode())
    path = tmp_path / "rows.jsonl"
    good = '{"step": 0, "loss": 1.5}\n'
    path.write_text(good * 3 + line + "\n" + good)
    with pytest.raises(SchemaError, match=r"^line 4") as raised:
        read_series(path)
    assert reason in str(raised.value)


def test_a_text_for_an_infinite_number_is_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"step": 0, "loss": "-inf"}\n{"step": 1, "loss": "nan"}\n')
    first, second = read_series(path)["loss", ""].values
    assert first == -math.inf
    assert math.isnan(second)


def test_many_rows_take_little_memory(tmp_path: Path) -> None:
    """Eight bytes for each number, and for the step of signals of the same rows."""
    path, count, signals = tmp_path / "rows.jsonl", 20_000, 5
    names = [f"gradient.rms|layer{i}" for i in range(signals)]
    path.write_text(lines([{"step": i, **dict.fromkeys(names, 0.1 * i)} for i in range(count)]))
    tracemalloc.start()
    series = read_series(path)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(series) == signals
    assert kept < 8 * count * (signals + 1) * 1.3 + 200_000


def test_series_of_a_file_are_like_tuples(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"step": 0, "loss": 2.5}\n{"step": 1, "loss": 1.5}\n')
    series = read_series(path)["loss", ""]
    assert series == nw.Series((0, 1), (2.5, 1.5))
    assert hash(series) == hash(nw.Series((0, 1), (2.5, 1.5)))
    assert series.values[-1:] == (1.5,)
    before, after = (3.0,), (1.0,)
    assert series.values + after == (2.5, 1.5, 1.0)
    assert before + series.values == (3.0, 2.5, 1.5)
