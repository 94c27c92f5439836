"""Inputs of the estimators, against pandas and sums written out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import netwise as nw
from netwise.estimators.inputs import (
    cells_of,
    checked_weights,
    fit_encoder,
    has_missing,
    is_table,
    merge_equal_samples,
)


def test_only_frames_with_text_or_gaps_are_tables() -> None:
    pd = pytest.importorskip("pandas")
    numbers = pd.DataFrame({"a": [1.0, 2.0], "b": [1, 2]})
    assert not is_table(numbers)
    assert not is_table(numbers.to_numpy())
    assert is_table(numbers.assign(c=["x", "y"]))
    gaps = numbers.assign(a=[1.0, np.nan])
    assert has_missing(gaps)
    assert is_table(gaps)


def test_cells_keep_numbers_and_name_what_is_missing() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"n": [1, 2, 3], "t": ["a", None, "b"]})
    cells = cells_of(frame)
    assert cells == {"n": [1, 2, 3], "t": ["a", None, "b"]}
    assert all(type(cell) is int for cell in cells["n"])
    encoded = fit_encoder(cells, None)[0].encode(cells)
    assert encoded.shape[0] == 3
    assert encoded.isfinite().all()


def test_equal_samples_are_merged_with_the_sum_of_their_weights_in_one_order() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (60, 2)).astype(float)
    y = rng.integers(0, 2, 60)
    weights = rng.random(60)
    X, Y, W = merge_equal_samples(x, y, weights)
    by_hand: dict[tuple[float, ...], float] = {}
    for row, target, weight in zip(x, y, weights, strict=True):
        key = (*row, float(target))
        by_hand[key] = by_hand.get(key, 0.0) + weight
    assert W is not None
    assert {(*row, float(target)): w for row, target, w in zip(X, Y, W, strict=True)} == (
        pytest.approx(by_hand)
    )
    order = rng.permutation(60)
    again = merge_equal_samples(x[order], y[order], weights[order])
    np.testing.assert_array_equal(again[0], X)
    np.testing.assert_array_equal(again[1], Y)


def test_different_samples_of_equal_weight_need_no_weights_and_many_stay_as_they_are() -> None:
    x = np.arange(10.0)[:, None]
    assert merge_equal_samples(x, np.arange(10), None)[2] is None
    many = np.zeros((201, 1))
    merged, _, weights = merge_equal_samples(many, np.zeros(201), None)
    assert len(merged) == 201
    assert weights is None


def test_weights_are_not_negative_and_ones_by_default() -> None:
    assert checked_weights(None, np.zeros((3, 1))).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="[Nn]egative"):
        checked_weights([1, -1, 1], np.zeros((3, 1)))


@pytest.mark.parametrize("cell", [float("inf"), "12O"])
def test_a_cell_that_is_no_number_among_numbers_is_named(cell: object) -> None:
    cells: dict[str, list[object]] = {"x": [float(i) for i in range(60)], "w": ["u", "v"] * 30}
    cells["x"][7] = cell
    with pytest.raises(nw.DataError, match="column 'x', row 8"):
        fit_encoder(cells, None)


def test_frames_with_many_categories_and_free_text_are_learned() -> None:
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    shops = rng.integers(0, 150, 1500)
    words = np.array(["fine", "broken", "late", "quick", "blue", "red", "large", "small"])
    chosen = rng.integers(0, 8, (1500, 6))
    y = rng.normal(size=150)[shops] + (chosen == 1).sum(axis=1)
    texts = [f"{' '.join(words[row])} no {i}" for i, row in enumerate(chosen)]
    X = pd.DataFrame({"shop": [f"s{i}" for i in shops], "text": texts})
    encoder, x = fit_encoder({name: X[name].tolist() for name in X}, y, numeric=True)
    assert [column.kind for column in encoder.columns] == ["many categories", "text"]
    assert Ridge().fit(x[:1000], y[:1000]).score(x[1000:], y[1000:]) > 0.8
    kinds = [c.kind for c in fit_encoder({"shop": X["shop"].tolist()}, y > 0)[0].columns]
    assert kinds == ["many categories"]
