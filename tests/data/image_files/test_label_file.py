"""Tables of paths and labels, as they come with sets of pictures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

import netwise as nw
from netwise.data.image_files.label_file import list_table, names_pictures


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for i in range(30):
        path = tmp_path / "pictures" / "raw" / f"{i:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 9), (8 * i, 90, 200 - 5 * i)).save(path)
    return tmp_path


def table(home: Path, header: str, row: str, name: str = "labels.csv") -> Path:
    """A table with a line for each picture: `row` with {i} and {label}."""
    rows = [row.format(i=f"{i:02}", label="cat" if i % 3 else "dog") for i in range(30)]
    (home / name).write_text("\n".join([header, *rows, ""]))
    return home / name


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("path,label", "pictures/raw/{i}.jpg,{label}"),
        ("label;file", "{label};pictures/raw/{i}.jpg"),
        ("id\tclass", "raw/{i}\t{label}"),
        ("nr,image,width,label", "{i},raw/{i}.jpg,12,{label}"),
        ("image,label", "raw\\{i}.jpg,{label}"),
        ("image|breed", "./pictures/raw/{i}.jpg|{label}"),
    ],
)
def test_the_columns_of_paths_and_labels_are_found(home: Path, header: str, row: str) -> None:
    path = table(home, header, row)
    listing = list_table(path)
    assert Counter(picture.label for picture in listing.pictures) == {"cat": 20, "dog": 10}
    assert [picture.path.name for picture in listing.pictures] == [f"{i:02}.jpg" for i in range(30)]
    assert names_pictures(path)
    samples = nw.data.images(path).load()
    assert samples.classes == ("cat", "dog")
    assert "labels in" in samples.notes[1]


def test_a_column_of_parts_is_kept_to(home: Path) -> None:
    row = "pictures/raw/{i}.jpg,{label},"
    lines = [row.format(i=f"{i:02}", label="ab"[i % 2]) for i in range(30)]
    parts = ["train"] * 20 + ["val"] * 4 + ["Test"] * 6
    text = "\n".join(["path,label,split", *(a + b for a, b in zip(lines, parts, strict=True))])
    (home / "labels.csv").write_text(text)
    data = nw.data.images(home / "labels.csv")
    samples = data.load()
    assert (len(samples.train), len(samples.valid), len(samples.test)) == (20, 4, 6)
    assert "as they came" in data.split_sentence(True)


def test_numbers_are_learned_as_numbers(home: Path) -> None:
    lines = [f"raw/{i:02}.jpg,{20 + 1.5 * i}" for i in range(30)]
    (home / "ages.csv").write_text("\n".join(["image,age", *lines, ""]))
    samples = nw.data.images(home / "ages.csv", valid=0.0, test=0.0).load()
    assert samples.task == "regression"
    values = samples.train.y * samples.target_scale + samples.target_mean
    assert [round(float(value), 3) for value in values[:3]] == [20.0, 21.5, 23.0]


def test_what_is_wrong_is_said_with_what_to_do(home: Path) -> None:
    path = table(home, "path,label,colour", "raw/{i}.jpg,{label},red")
    (home / "pictures" / "raw" / "07.jpg").unlink()
    with pytest.raises(
        nw.DataError, match=r"1 of 30 pictures are not in .*07\.jpg.*put them there"
    ):
        list_table(path)
    with pytest.raises(nw.UnknownName, match="lable.*Did you mean `label`"):
        list_table(path, "lable")
    unclear = table(home, "path,left,right", "raw/{i}.jpg,{label},{label}", "b.csv")
    with pytest.raises(nw.DataError, match="which column has the labels.*left, right"):
        list_table(unclear)
    numbers = table(home, "a,b", "{i},{label}", "c.csv")
    assert not names_pictures(numbers)
    with pytest.raises(nw.DataError, match=r"no column of paths .*Columns: a, b"):
        list_table(numbers)


def test_pictures_without_a_label_are_counted(home: Path) -> None:
    lines = [f"raw/{i:02}.jpg,{'' if i < 3 else 'ab'[i % 2]}" for i in range(30)]
    (home / "labels.csv").write_text("\n".join(["path,label", *lines, ""]))
    listing = list_table(home / "labels.csv")
    assert len(listing.pictures) == 27
    assert [(each.count, each.reason) for each in listing.left_out] == [
        (3, "pictures without a label")
    ]
