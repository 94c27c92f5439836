"""Tables split by time, by group, with equal rows together, or with parts of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netwise as nw
from netwise.data.table import Table

N = 120


def write(path: Path, first: int = 0, rows: int = N) -> Path:
    lines = [
        f"{i % 7}.5,{'red' if i % 3 else 'blue'},p{i % 12},"
        f"{1 + i % 28:02d}.{1 + i // 28 % 12:02d}.2024,{'yes' if i % 2 else 'no'}"
        for i in range(first, first + rows)
    ]
    path.write_text("size,colour,patient,day,sick\n" + "\n".join(lines))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "t.csv")


def column(data: Table, name: str) -> list[set[object]]:
    """The values of a column in each part."""
    content = data.content()
    values = content.frame[name].to_list()
    return [{values[i] for i in rows.tolist()} for rows in content.parts]


def test_by_group(file: Path) -> None:
    data = nw.data.csv(file, "sick", group="patient")
    parts = column(data, "patient")
    assert sum(map(len, parts)) == 12
    samples = data.load()
    assert samples.split_by == "group"
    assert not any("patient" in each for each in samples.encoder.features)  # type: ignore[attr-defined]
    fold = nw.data.Fold(data=data, folds=3).load()
    assert fold.train.key is not None
    assert fold.valid.key is not None
    assert not set(fold.train.key.tolist()) & set(fold.valid.key.tolist())


def test_by_time(file: Path) -> None:
    """Dates of the form day.month.year: as texts they would be in another order."""
    days = column(nw.data.csv(file, "sick", time="day"), "day")
    assert max(days[0]) < min(days[1])  # type: ignore[type-var]
    assert max(days[1]) < min(days[2])  # type: ignore[type-var]
    sizes = column(nw.data.csv(file, "sick", time="size"), "size")
    assert max(sizes[0]) < min(sizes[2])  # type: ignore[type-var]


def test_equal_rows_together(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{i % 40}.5,{'yes' if i % 2 else 'no'}" for i in range(N)]
    path.write_text("x,y\n" + "\n".join(rows))
    apart = nw.data.csv(path, "y").summary()
    together = nw.data.csv(path, "y", together=True).summary()
    assert apart.repeats is not None
    assert together.repeats is not None
    assert apart.repeats.test > 0
    assert (together.repeats.valid, together.repeats.test) == (0, 0)
    assert "equal rows together" in together.split
    assert any("together=true" in advice for advice in apart.advice)
    assert not any("together=true" in advice for advice in together.advice)


def test_files_of_ones_own(file: Path, tmp_path: Path) -> None:
    valid, test = write(tmp_path / "v.csv", 200, 15), write(tmp_path / "w.csv", 300, 10)
    data = nw.data.csv(file, "sick", valid=valid, test=nw.data.csv(test, "sick"))
    samples = data.load()
    assert [len(samples.train), len(samples.valid), len(samples.test)] == [N, 15, 10]
    assert data.summary().split == "the validation part is v.csv; the test part is w.csv"
    half = nw.data.csv(file, "sick", test=test, time="day")
    samples = half.load()
    assert [len(samples.train) + len(samples.valid), len(samples.test)] == [N, 10]
    before = len(data.load().valid)
    write(valid, 200, 16)
    assert len(data.load().valid) == before + 1


def test_a_part_of_ones_own_is_encoded_like_the_training_part(file: Path, tmp_path: Path) -> None:
    whole = nw.data.csv(file, "sick", valid=0.0, test=0.0).load()
    again = nw.data.csv(file, "sick", valid=write(tmp_path / "v.csv"), test=0.0).load()
    assert (whole.train.x == again.valid.x).all()
    assert (whole.train.y == again.valid.y).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"time": "dya"}, "unknown column of .*t.csv: 'dya'. Did you mean `day`"),
        ({"group": "nobody"}, "unknown column of .*t.csv: 'nobody'"),
        ({"time": "sick"}, "is the column to predict, and no split goes by it"),
        ({"time": "day", "group": "patient"}, "and time split the rows in two ways"),
        ({"group": "patient", "together": True}, "and group split the rows in two ways"),
        ({"group": "patient", "valid": "v.csv"}, "splits rows, and valid_file brings"),
        ({"time": "patient"}, "time: 'p0' .* is no time: write numbers, or dates"),
        ({"group": "colour"}, "rows that are to be split are of 2 groups, and 3 parts need one"),
        ({"test": nw.data.csv("o.csv", "size")}, "write the same target in both"),
    ],
    ids=range(9),
)
def test_splits_that_cannot_be(file: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(nw.NetwiseError, match=message):
        nw.data.csv(file, "sick", **settings).load()


def test_a_gap_in_the_column_of_a_split_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,who,y\n" + "1.5,a,u\n2.5,,v\n3.5,b,u\n4.5,c,v\n" * 3)
    with pytest.raises(nw.DataError, match="group is missing in 3 of 12 rows, the first is row 2"):
        nw.data.csv(path, "y", group="who").load()


def test_recipes_hold_the_split_and_old_ones_keep_their_hash(file: Path, tmp_path: Path) -> None:
    data = nw.data.csv(file, "sick", time="day", test="w.csv", stratify=False)
    recipe = nw.Recipe(data=data, network=nw.MLP((4, 2)))
    nw.write_recipe(recipe, tmp_path / "r.toml")
    assert nw.read_recipe(tmp_path / "r.toml") == recipe
    text = nw.recipe_text(recipe.but(data=nw.data.csv(file, "sick")))
    assert not any(name in text for name in ("time", "group", "together", "_file", "stratify"))


def test_shares_of_classes_in_groups(tmp_path: Path) -> None:
    """A target that is the same in a whole group is in all parts by its share."""
    path = tmp_path / "t.csv"
    path.write_text(
        "x,who,y\n" + "".join(f"{i % 9}.5,w{i % 30},{'ab'[i % 30 < 10]}\n" for i in range(300))
    )
    content = nw.data.csv(path, "y", group="who").content()
    shares = [np.mean(content.y[rows]) for rows in content.parts]
    assert max(shares) - min(shares) < 0.2


def test_a_class_that_is_absent_from_a_part_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,when,y\n" + "".join(f"{i % 9}.5,{i},{'ab'[i > 90]}\n" for i in range(120)))
    advice = " ".join(nw.data.csv(path, "y", time="when").summary().advice)
    assert "The training part has no row of `b`" in advice


def test_rows_of_few_values_are_no_copies_and_large_numbers_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,z,y\n" + "".join(f"{i % 3},{i % 5},{'ab'[i % 2]}\n" for i in range(120)))
    few = nw.data.csv(path, "y").summary()
    assert few.repeats is not None
    assert few.repeats.test > 0
    assert few.advice == ()
    path.write_text("x,y\n" + "".join(f"{i % 7}.5,{1_700_000_000 + i}.25\n" for i in range(60)))
    assert "from 1,700,000,000.2 to 1,700,000,059.2," in str(nw.data.csv(path, "y").summary())


def test_frames_have_no_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path))
    columns = {"x": [i / 7 for i in range(60)], "y": ["a", "b"] * 30}
    data = nw.data.csv(columns, "y", test={name: cells[:9] for name, cells in columns.items()})
    assert str(data.summary()).startswith("table in memory: 69 rows")
    assert data.summary().split.endswith("the test part is table in memory")
