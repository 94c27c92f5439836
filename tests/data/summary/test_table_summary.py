"""The summary of a table names what a user has to know before training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from netwise.data.summary.data_summary import DataSummary
from netwise.data.summary.table_summary import (
    TableParts,
    TableTarget,
    summary_of_file,
    summary_of_table,
)
from netwise.data.tables import read_table

N = 300


def table(**columns: Any) -> pl.DataFrame:
    generator = np.random.default_rng(0)
    usual = {"weight": generator.normal(size=N), "town": generator.choice(["A", "B"], N)}
    return pl.DataFrame(usual | columns)


def summary(
    frame: pl.DataFrame, target: str = "pet", *, classes: bool = True, split_by: str = ""
) -> DataSummary:
    reading = read_table(frame, target=target)
    values = frame[target].to_numpy()
    names: tuple[str, ...] = ()
    if classes:
        found, values = np.unique(values.astype(str), return_inverse=True)
        names = tuple(found.tolist())
    rows = [np.arange(i, len(frame), 3) for i in range(3)]
    task = "classification" if classes else "regression"
    return summary_of_table(
        "pets.csv",
        reading.frame,
        reading.columns,
        reading.notes,
        TableTarget(target, task, names, values),
        TableParts(rows, "drawn at random", split_by, "patient_id" if split_by else ""),
    )


PETS = np.where(np.arange(N) % 4 == 0, "dog", "cat")


def test_a_plain_table_has_nothing_to_look_at() -> None:
    plain = summary(table(pet=PETS))
    assert plain.advice == ()
    assert plain.leaks == ()
    text = str(plain)
    assert text.startswith("pets.csv: 300 rows of 3 columns.")
    assert "Target `pet`: 2 classes, cat: 225 (75.0 %), dog: 75 (25.0 %)." in text
    assert "To answer `cat` always is right in 75.0 %" in " ".join(text.split())
    assert "Parts: 100 rows to train on, 100 to validate on, 100 for the test" in text
    assert json.loads(json.dumps(plain.as_dict()))["parts"] == {
        "train": 100,
        "valid": 100,
        "test": 100,
    }


def advice(columns: dict[str, Any], **settings: Any) -> str:
    return " ".join(summary(table(**({"pet": PETS} | columns)), **settings).advice)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"copy": np.where(PETS == "dog", 2.5, 1.5)}, "`copy` predicts the target nearly alone ("),
        (
            {"chip": [i / 7 if p == "dog" else None for i, p in enumerate(PETS)]},
            "`chip` predicts the target nearly alone by whether it has a value",
        ),
        ({"year": 1700 + np.arange(N)}, "later rows by --time year."),
        ({"patient_id": np.arange(N) % 60}, "`patient_id` has 60 values with 5.0 rows each."),
        ({"patientId": [f"p{i % 60}" for i in range(N)]}, "--group patientId"),
        (
            {"owner": [None if i % 3 else f"o{i % 5}" for i in range(N)]},
            "`owner` has more gaps than values",
        ),
        ({"pet": ["Cat", "cat"] * 150}, "`Cat` and `cat` are different classes"),
        ({"pet": ["cat"] * 296 + ["dog"] * 4}, "`dog` has fewer than 10 rows"),
        ({"pet": ["cat"] * 280 + ["dog"] * 20}, "93.3 % of the rows are `cat`"),
        ({"pet": [f"{i},5" for i in range(N)]}, "The target has 300 classes in 300 rows"),
    ],
)
def test_advice(columns: dict[str, Any], sentence: str) -> None:
    assert sentence in advice(columns)


def test_rows_in_two_parts_are_told() -> None:
    frame = table(pet=PETS)
    found = summary(pl.concat([frame[:100], frame[:100]]))
    assert found.repeats is not None
    assert (found.repeats.rows, found.repeats.valid) == (100, 34)
    assert "rows of the test part (" in " ".join(found.advice)
    assert "together=true" in " ".join(found.advice)


def test_a_split_by_group_or_time_needs_no_advice_on_it() -> None:
    assert "--group" not in advice({"patient_id": np.arange(N) % 60}, split_by="group")
    assert "--time" not in advice({"year": 1700 + np.arange(N)}, split_by="time")


def test_identifiers_constants_and_empty_columns_are_left_out() -> None:
    found = summary(
        table(pet=PETS, id=np.arange(N), same=["x"] * N, nothing=[None] * N, size=np.arange(N) % 7)
    )
    roles = {column.name: column.role for column in found.columns}
    assert roles == {
        "weight": "input",
        "town": "input",
        "pet": "target",
        "id": "left out",
        "same": "left out",
        "nothing": "left out",
        "size": "input",
    }
    assert "Left out of the inputs: id (identifier), same (constant), nothing (empty)." in str(
        found
    )


def test_numbers_have_a_mean_and_a_range() -> None:
    found = summary(table(price=np.linspace(5, 9, N)), "price", classes=False)
    assert "Target `price`: numbers (regression) from 5 to 9, mean 7" in str(found)


def test_a_file_without_a_target(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;b\n1,5;x\n2,5;y\n2,5;y\n")
    found = summary_of_file(path)
    assert found.target is None
    assert [column.kind for column in found.columns] == ["number", "category"]
    assert "Repeated rows: 1 of 3." in str(found)


def test_a_wide_table_is_cut_and_cells_are_short() -> None:
    wide = pl.DataFrame({f"column {i} {'long ' * 20}": [1.5, 2.5, None] for i in range(60)})
    reading = read_table(wide)
    text = summary_of_table("wide", reading.frame, reading.columns, (), None, None).text(10)
    assert "and 50 more columns" in text
    assert max(map(len, text.splitlines())) <= 130
