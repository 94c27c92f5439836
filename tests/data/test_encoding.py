"""Encoders: tables as scikit-learn encodes them, texts and arrays back and forth."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import netwise as nw
from netwise.data.columns.fitting import fit_columns
from netwise.data.encoding import encoder_from


def test_cells_are_encoded_as_scikit_learn_does(tmp_path: Path, table: Callable[..., Path]) -> None:
    with table(tmp_path / "t.csv").open(newline="") as file:
        names, *rows = csv.reader(file)
    cells = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    cells.pop("label")
    train = {name: column[:200] for name, column in cells.items()}
    kinds = {"age": "number", "town": "category", "score": "number"}
    encoder, x = fit_columns(train, kinds)

    def frame(columns: dict[str, list[str]]) -> np.ndarray:
        numbers = [[float(v) if v else np.nan for v in columns[name]] for name in ("age", "score")]
        words = [v or "(missing)" for v in columns["town"]]
        return np.array([numbers[0], words, numbers[1]], dtype=object).T

    reference = ColumnTransformer(
        [
            ("age", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), [0]),
            (
                "town",
                OneHotEncoder(
                    handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False
                ),
                [1],
            ),
            ("score", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), [2]),
        ]
    ).fit(frame(train))
    ours = encoder.encode(cells).numpy()
    gaps = [i for i, name in enumerate(encoder.features) if name.endswith(" is missing")]
    np.testing.assert_allclose(
        np.delete(ours, gaps, axis=1), reference.transform(frame(cells)).astype(float), atol=1e-5
    )
    for i in gaps:
        name = encoder.features[i].removesuffix(" is missing")
        assert ours[:, i].tolist() == [float(not cell) for cell in cells[name]]
    np.testing.assert_array_equal(x.numpy(), ours[:200])


def test_rare_words_share_an_input_and_unknown_ones_too() -> None:
    words = [f"w{i}" for i in range(60) for _ in range(60 - i)]
    encoder, _ = fit_columns({"word": words}, {"word": "category"})
    coder = OneHotEncoder(
        max_categories=50, handle_unknown="infrequent_if_exist", sparse_output=False
    ).fit(np.array(words)[:, None])
    seen = ["w0", "w59", "never"]
    np.testing.assert_array_equal(
        encoder.encode({"word": seen}).numpy(), coder.transform(np.array(seen)[:, None])
    )


def test_an_unknown_word_is_zero_where_no_word_was_rare() -> None:
    encoder, _ = fit_columns({"c": ["a", "b", "a"]}, {"c": "category"})
    assert encoder.encode({"c": ["z"]}).tolist() == [[0.0, 0.0]]


def test_an_encoder_comes_back_from_plain_values(
    tmp_path: Path, table: Callable[..., Path]
) -> None:
    import json

    encoder = nw.data.csv(table(tmp_path / "t.csv"), "label").load().encoder
    assert encoder_from(json.loads(json.dumps(encoder.plain()))) == encoder


def test_an_encoder_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """As they were written before columns had `gaps` and tables `left_out`."""
    columns = [
        {"kind": "number", "name": "a", "median": 2.0, "mean": 2.0, "scale": 0.5},
        {"kind": "category", "name": "b", "categories": ["(missing)", "x"], "other": True},
    ]
    encoder = encoder_from({"kind": "table", "columns": columns})
    x = encoder.encode([{"a": "3", "b": "?"}, {"a": None, "b": "y"}])
    assert x.tolist() == [[2.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    (tmp_path / "new.csv").write_text("a,b\n3,?\n,y\n")
    assert encoder.encode(tmp_path / "new.csv").tolist() == x.tolist()
    assert encoder.features == ("a", "b=(missing)", "b=x", "b=(other)")
