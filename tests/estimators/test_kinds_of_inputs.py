"""Frames of several libraries, sparse matrices, several labels, and weights of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_wine, make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.utils import compute_class_weight

import netwise as nw
from netwise.estimators import NetClassifier, NetRegressor
from netwise.estimators.inputs import class_factors

X, Y = load_wine(return_X_y=True)
NAMES = [f"column{i}" for i in range(X.shape[1])]


class ArrowStream:
    """A frame of a library that gives its columns as a stream of Arrow alone."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.frame.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return len(self.frame)


def fitted(x: Any, y: Any = Y) -> NetClassifier:
    return NetClassifier((8,), epochs=10, random_state=0).fit(x, y)


@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_frames_of_numbers_are_their_arrays(form: Any) -> None:
    frame = form(dict(zip(NAMES, X.T, strict=True)))
    net = fitted(frame)
    np.testing.assert_array_equal(net.predict_proba(frame), fitted(X).predict_proba(X))
    assert net.feature_names_in_.tolist() == NAMES
    with pytest.raises(ValueError, match="feature names"):
        net.predict(
            frame.rename({"column0": "other"}) if form is pl.DataFrame else frame[NAMES[1:]]
        )


def test_streams_of_arrow_and_lazy_frames_are_read() -> None:
    frame = pl.DataFrame(dict(zip(NAMES, X.T, strict=True)))
    right = fitted(X).predict_proba(X)
    np.testing.assert_array_equal(
        fitted(ArrowStream(frame)).predict_proba(ArrowStream(frame)), right
    )
    np.testing.assert_array_equal(fitted(frame.lazy()).predict_proba(frame.lazy()), right)


def test_text_dates_and_gaps_are_encoded_alike_whatever_the_library() -> None:
    rng = np.random.default_rng(0)
    colours = [[None, "red", "blue"][i] for i in rng.integers(0, 3, 120)]
    days = pd.date_range("2024-01-01", periods=120)
    sizes = [None if i % 7 == 0 else float(i % 5) for i in range(120)]
    columns = {"colour": colours, "day": days, "size": sizes, "sold": [True, False] * 60}
    frame, rows = pd.DataFrame(columns), pl.DataFrame({**columns, "day": days.to_list()})
    y = [int(colour == "red") for colour in colours]
    nets = [fitted(frame, y), fitted(rows, y)]
    assert [type(column).__name__ for column in nets[1].encoder_.columns] == [
        "CategoryColumn",
        "DateColumn",
        "NumberColumn",
        "NumberColumn",
    ]
    np.testing.assert_array_equal(nets[0].predict_proba(frame), nets[1].predict_proba(rows))


@pytest.mark.parametrize("form", ["csr_matrix", "csc_array", "coo_matrix"])
def test_sparse_matrices_are_their_arrays(form: str) -> None:
    x = np.where(np.median(X, 0) < X, X, 0)
    net = fitted(getattr(sparse, form)(x))
    np.testing.assert_array_equal(net.predict(sparse.csr_matrix(x)), fitted(x).predict(x))
    regressor = NetRegressor((8,), epochs=2, random_state=0).fit(sparse.csr_matrix(x), Y * 1.0)
    assert regressor.predict(sparse.csr_matrix(x)).shape == (len(x),)


def test_a_sparse_matrix_that_needs_more_than_the_memory_is_refused() -> None:
    wide = sparse.csr_matrix((100_000, 2**31))
    with pytest.raises(ValueError, match=r"TruncatedSVD"):
        fitted(wide, np.arange(100_000) % 2)


def test_several_labels_a_sample() -> None:
    x, y = make_multilabel_classification(400, 20, n_classes=4, random_state=0)
    net = NetClassifier((64,), random_state=0).fit(x[:300], y[:300])
    assert net.predict(x[300:]).shape == net.predict_proba(x[300:]).shape == (100, 4)
    right = (net.predict(x[300:]) == y[300:]).mean()
    linear = OneVsRestClassifier(LogisticRegression()).fit(x[:300], y[:300]).predict(x[300:])
    assert right >= (linear == y[300:]).mean() - 0.03
    np.testing.assert_array_equal(
        NetClassifier((8,), epochs=3, random_state=0).fit(x, sparse.csr_matrix(y)).predict(x),
        NetClassifier((8,), epochs=3, random_state=0).fit(x, y).predict(x),
    )
    with pytest.raises(ValueError, match="Use fit"):
        NetClassifier().partial_fit(x, y, classes=np.arange(4))
    with pytest.raises(ValueError, match="MultiLabelBinarizer"):
        NetClassifier().fit(x[:2], [["a"], ["a", "b"]])


def test_balanced_weights_count_a_sample_as_often_as_its_weight() -> None:
    y = np.array([0, 0, 0, 1, 1, 2])
    repeats = np.array([1, 2, 3, 1, 1, 4])
    repeated = np.repeat(y, repeats)
    each = compute_class_weight("balanced", classes=np.arange(3), y=repeated)
    np.testing.assert_allclose(class_factors("balanced", y, repeats * 1.0), each[y])
    np.testing.assert_allclose(
        class_factors({0: 2.0, 1: 1.0, 2: 3.0}, y, repeats * 1.0), [2, 2, 2, 1, 1, 3]
    )
    without = class_factors("balanced", y, np.array([1.0, 1, 1, 1, 1, 0]))
    np.testing.assert_allclose(
        without[:5], compute_class_weight("balanced", classes=np.arange(2), y=y[:5])[y[:5]]
    )


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 5.0, 2: 2.0}])
def test_class_and_sample_weights_together_equal_repeated_rows(class_weight: Any) -> None:
    repeats = np.random.default_rng(0).integers(0, 4, 60)
    x, y = X[::3][:60], Y[::3][:60]
    settings: dict[str, Any] = {"epochs": 20, "class_weight": class_weight, "random_state": 0}
    weighted = NetClassifier((8,), **settings).fit(x, y, sample_weight=repeats)
    repeated = NetClassifier((8,), **settings).fit(np.repeat(x, repeats, 0), np.repeat(y, repeats))
    np.testing.assert_allclose(weighted.predict_proba(x), repeated.predict_proba(x), atol=1e-6)


def test_categories_of_a_frame_are_labels_though_they_be_numbers() -> None:
    """As in a frame with other words for the same labels."""
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 6, 300)
    effects = np.array([2.0, -1.0, 3.0, 0.0, -2.0, 1.0])
    y = effects[codes] + 0.1 * generator.normal(size=300)
    named = NetRegressor((16,), epochs=60, random_state=0).fit(
        pd.DataFrame({"code": [f"level {code}" for code in codes]}), y
    )
    want = named.predict(pd.DataFrame({"code": [f"level {code}" for code in codes[:20]]}))
    for labels in (codes, codes.astype(str)):
        frame = pd.DataFrame({"code": pd.Categorical(labels)})
        model = NetRegressor((16,), epochs=60, random_state=0).fit(frame, y)
        np.testing.assert_allclose(model.predict(frame.iloc[:20]), want, rtol=1e-4, atol=1e-4)
    (column,) = nw.data.csv(frame.assign(y=y), target="y").summary().columns[:1]
    assert column.kind == "category"
