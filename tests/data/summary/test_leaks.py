"""Columns that predict the target nearly alone are found, those of healthy tables are not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from netwise.data.summary.leaks import BY_GAPS, BY_NUMBERS, BY_VALUES, column_scores

N = 600
DRAWS = np.random.default_rng(0)
CLASSES = (DRAWS.random(N) < 0.1).astype(np.int64)
VALUES = DRAWS.normal(size=N)
WHERE = {True: CLASSES, False: VALUES}


def scores(column: pl.Series, kind: str, target: np.ndarray, classes: bool) -> tuple[float, float]:
    return column_scores(pl.DataFrame({"c": column}), {"c": kind}, target, classes)["c"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pl.Series(CLASSES * 3.0 + 1), "number"),
        (pl.Series(["sick" if c else "well" for c in CLASSES]), "category"),
        (pl.Series([f"ward {i % 6}" if c else "none" for i, c in enumerate(CLASSES)]), "category"),
        (pl.Series(CLASSES == 1), "truth value"),
        (pl.Series([20 + c * 5 + i % 5 for i, c in enumerate(CLASSES)]), "whole number"),
    ],
    ids=range(5),
)
def test_a_copy_of_the_class_is_found_by_its_values(column: pl.Series, kind: str) -> None:
    by_values, _ = scores(column, kind, CLASSES, True)
    assert by_values > BY_VALUES


@pytest.mark.parametrize("kind", ["date", "text", "number", "category"])
def test_a_column_that_is_filled_for_one_class_only_is_found_by_its_gaps(kind: str) -> None:
    words = [f"closed on day {i}" if c else None for i, c in enumerate(CLASSES)]
    numbers = [float(i) if c else None for i, c in enumerate(CLASSES)]
    column = pl.Series(numbers if kind in ("date", "number") else words)
    if kind == "date":
        column = column.cast(pl.Int64).cast(pl.Datetime("us"))
    assert scores(column, kind, CLASSES, True)[1] > BY_GAPS


def test_a_function_of_a_value_is_found() -> None:
    assert scores(pl.Series(np.exp(VALUES)), "number", VALUES, False)[0] > BY_NUMBERS
    noisy = pl.Series(VALUES + DRAWS.normal(size=N))
    assert scores(noisy, "number", VALUES, False)[0] < 0.8


def test_columns_of_chance_score_nothing() -> None:
    for kind, column in (
        ("number", pl.Series(DRAWS.normal(size=N))),
        ("category", pl.Series([f"w{i}" for i in DRAWS.integers(0, 200, N)])),
        ("whole number", pl.Series(DRAWS.integers(0, 9, N))),
    ):
        for has_classes, target in WHERE.items():
            assert scores(column, kind, target, has_classes)[0] < 0.4
    assert column_scores(pl.DataFrame({"c": range(N)}), {"c": "identifier"}, CLASSES, True) == {}


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_known_tables_have_no_leak(load: object) -> None:
    bunch = load(as_frame=True)  # type: ignore[operator]
    frame = pl.DataFrame({name: bunch.data[name].to_numpy() for name in bunch.data})
    has_classes = hasattr(bunch, "target_names")
    target = bunch.target.to_numpy().astype(np.int64 if has_classes else np.float64)
    found = column_scores(frame, dict.fromkeys(frame.columns, "number"), target, has_classes)
    assert max(max(each) for each in found.values()) < (BY_VALUES if has_classes else BY_NUMBERS)


def test_few_rows_and_one_class_are_not_asked() -> None:
    frame = pl.DataFrame({"c": range(20)})
    assert column_scores(frame, {"c": "number"}, np.arange(20) % 2, True) == {}
    many = pl.DataFrame({"c": range(100)})
    assert column_scores(many, {"c": "number"}, np.zeros(100, np.int64), True) == {}
