"""Tables in memory and queries are data as files are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import netwise as nw

FRAME = pl.DataFrame(
    {"size": np.arange(40) * 1.5, "town": ["Rom", "Bonn"] * 20, "rent": np.arange(40) ** 1.5}
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path / "data"))


def test_frames_and_files_are_one_data_set(tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "t.csv")
    expected = nw.data.csv(tmp_path / "t.csv", "rent").load()
    for table in (FRAME, pd.DataFrame(FRAME.to_dict(as_series=False)), FRAME.to_dicts()):
        samples = nw.data.csv(table, "rent").load()
        assert samples.encoder == expected.encoder
        assert samples.train.x.equal(expected.train.x)
        assert samples.train.y.equal(expected.train.y)
    assert nw.data.csv(FRAME, "rent") == nw.data.csv(FRAME.clone(), "rent")


def test_a_query_is_a_table() -> None:
    base = sqlite3.connect(":memory:")
    base.execute("create table flats (size real, town text, rent real)")
    base.executemany("insert into flats values (?, ?, ?)", FRAME.rows())
    data = nw.data.csv("select size, rent from flats", "rent", connection=base)
    assert data.reading().frame.equals(FRAME.select("size", "rent"))
    with pytest.raises(nw.DataError, match="the query cannot be answered .*: correct it, and pass"):
        nw.data.csv("select nothing", "rent", connection=base)


def test_a_recipe_of_a_frame_is_trained_from_its_file(tmp_path: Path) -> None:
    recipe = nw.suggest(nw.data.csv(FRAME, "rent"), epochs=1)
    nw.write_recipe(recipe, tmp_path / "recipe.toml")
    assert nw.read_recipe(tmp_path / "recipe.toml") == recipe


def test_a_driver_without_its_arrow_library_is_asked_row_by_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without_arrow(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'pyarrow'")

    monkeypatch.setattr(pl, "read_database", without_arrow)
    base = sqlite3.connect(":memory:")
    base.execute("create table flats (size real, town text, rent real)")
    base.executemany("insert into flats values (?, ?, ?)", FRAME.rows())
    data = nw.data.csv("select size, rent from flats", "rent", connection=base)
    assert data.reading().frame.equals(FRAME.select("size", "rent"))
