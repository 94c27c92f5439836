"""Lines of data load the parts that the data load."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import math
import os
import re
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import datasets
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import normalize

import netwise as nw
from netwise.recipe.script.data_lines import data_lines, split_function

Parts = list[tuple[torch.Tensor, torch.Tensor]]


def loaded(data: Any, folder: Path, own_test: bool = False) -> Parts:
    """What a script's lines make of the data."""
    space: dict[str, Any] = {
        "csv": csv,
        "datetime": datetime,
        "gzip": gzip,
        "io": io,
        "math": math,
        "re": re,
        "os": os,
        "struct": struct,
        "sys": sys,
        "np": np,
        "torch": torch,
        "datasets": datasets,
        "HashingVectorizer": HashingVectorizer,
        "normalize": normalize,
        "train_test_split": train_test_split,
        "Path": Path,
        "FOLDER": folder,
    }
    valid, test, seed = (getattr(data, name, 0) for name in ("valid", "test", "split_seed"))
    stratify = getattr(data, "stratify", True)
    exec(split_function(valid, test, seed, own_test, stratify), space)
    exec(data_lines(data), space)
    parts: Parts = space["parts"]
    return parts


def assert_equal(parts: Parts, data: Any) -> None:
    samples = data.load()
    for (x, y), part in zip(parts, (samples.train, samples.valid, samples.test), strict=True):
        assert torch.equal(x, part.x)
        assert torch.equal(y, part.y)


@pytest.mark.parametrize(
    "data",
    [
        nw.data.digits(valid=0.1, split_seed=3),
        nw.data.iris(test=0.0),
        nw.data.iris(stratify=False),
        nw.data.diabetes(),
        nw.data.diabetes(scale_target=False),
    ],
    ids=str,
)
def test_bundled_sets(data: nw.data.Split, tmp_path: Path) -> None:
    assert_equal(loaded(data, tmp_path), data)


def test_texts(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("the quick brown fox " * 40)
    data = nw.data.text(tmp_path / "t.txt", length=9, valid=0.2, test=0.1)
    assert_equal(loaded(data, tmp_path), data)


@pytest.mark.parametrize("target", ["kind", "x"])
@pytest.mark.parametrize("task", ["auto", "regression"])
def test_tables(tmp_path: Path, target: str, task: str) -> None:
    lines = [
        f"{i % 7},{'red' if i % 3 else 'blue'},{'' if i % 11 == 0 else i * 0.37:},{i % 2}"
        for i in range(60)
    ]
    (tmp_path / "table.csv").write_text("x,colour,z,kind\n" + "\n".join(lines))
    data = nw.data.csv(tmp_path / "table.csv", target, task=task)
    assert_equal(loaded(data, tmp_path), data)


@pytest.mark.parametrize("target", ["Klasse", "Preis"])
def test_a_table_as_a_german_spreadsheet_writes_it(tmp_path: Path, target: str) -> None:
    lines = [
        f"{i * 1234.5 - 9000:,.2f} €;{i % 28 + 1:02d}.{i % 12 + 1:02d}.{2019 + i % 5};"
        f"{'Ja' if i % 3 else 'Nein'};{['Köln', 'Bonn', ''][i % 3]};{i % 2:02d};"
        f"2023-01-{i % 28 + 1:02d}T{i % 24:02d}:{i % 60:02d}:{i % 7:02d}.250+0{i % 3}:00;"
        f"{'-' if i % 9 == 0 else i * 7 % 50}"
        for i in range(90)
    ]
    text = "Preis;Datum;Aktiv;Ort;Klasse;Zeit;Zahl\r\n" + "\r\n".join(lines) + "\r\n"
    text = text.replace(",", "#").replace(".", ",").replace("#", ".").replace(",250", ".250")
    text = re.sub(r"(\d\d),(\d\d),(\d{4})", r"\1.\2.\3", text)
    (tmp_path / "t.csv").write_bytes(text.encode("cp1252"))
    data = nw.data.csv(tmp_path / "t.csv", target)
    kinds = {column.name: column.kind for column in data.reading().columns}
    assert (kinds["Preis"], kinds["Datum"], kinds["Zeit"], kinds["Aktiv"]) == (
        "number", "date", "date", "truth value",
    )  # fmt: skip
    assert_equal(loaded(data, tmp_path), data)


def test_a_table_of_texts(tmp_path: Path) -> None:
    texts = [f"the {i} quick brown {i * 7} foxes of {i % 5}" if i % 8 else "" for i in range(60)]
    rows = "".join(f"{text},{i},{i % 2}\n" for i, text in enumerate(texts))
    (tmp_path / "t.csv").write_text("t,x,y\n" + rows)
    data = nw.data.csv(tmp_path / "t.csv", "y", kinds={"t": "text"})
    for (x, y), part in zip(loaded(data, tmp_path), (data.load().train, data.load().valid),
                            strict=False):  # fmt: skip
        assert torch.allclose(x, part.x, atol=1e-6)
        assert torch.equal(y, part.y)


def test_what_a_script_cannot_read_of_a_table_is_named(tmp_path: Path) -> None:
    words = "".join(f"w{i % 70},{i},{i % 2}\n" for i in range(280))
    (tmp_path / "t.csv").write_text("t,x,y\n" + words)
    with pytest.raises(nw.WrongValue, match="has 6. categories, the mean target of each"):
        data_lines(nw.data.csv(tmp_path / "t.csv", "y"))
    (tmp_path / "u.csv").write_text("a,b,y\nkg,m,W\n" + "".join(f"{i},{i},{i}\n" for i in range(9)))
    with pytest.raises(nw.WrongValue, match="has 1 rows that are left out.*remove them"):
        data_lines(nw.data.csv(tmp_path / "u.csv", "y"))


@pytest.mark.parametrize("classes", [True, False])
def test_arrays(tmp_path: Path, classes: bool) -> None:
    x = torch.rand(40, 3, generator=torch.Generator().manual_seed(0))
    data = nw.data.arrays(x, [0, 1] * 20 if classes else x[:, 0].numpy())
    nw.write_recipe(nw.Recipe(data=data, network=nw.MLP((3, 2))), tmp_path / "recipe.toml")
    assert_equal(loaded(data, tmp_path), data)


@pytest.mark.files
@pytest.mark.parametrize("validate_on", ["part", "test"])
def test_mnist(data_files: Path, validate_on: str) -> None:
    data = nw.data.mnist(first=600, validate_on=validate_on)
    assert_equal(loaded(data, data_files, own_test=True), data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (nw.data.olivetti(), "data = olivetti  cannot be written as a script: use one of digits,"),
        (nw.data.Fold(data=nw.data.iris()), "data = fold  cannot be written as a script"),
        (
            nw.data.arrays([[0.0], [1.0]], [0, 1], weights=[1.0, 2.0]),
            "whose loss has no weights: pass weights=None",
        ),
        (
            nw.data.arrays([[0.0], [1.0]], [0, 1], group=[0, 1]),
            "data.group  cannot be written as a script, which splits at random",
        ),
        (
            nw.data.csv("a.csv", "y", test_file="b.csv"),
            "data.test_file = b.csv  .* split one file at random instead",
        ),
    ],
)
def test_data_without_a_form_are_refused(data: nw.data.Data, text: str) -> None:
    with pytest.raises(nw.WrongValue, match=text):
        data_lines(data)
