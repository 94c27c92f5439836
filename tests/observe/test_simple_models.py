"""Simple models on samples, against scikit-learn and against what is known of the data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier

from netwise.observe import simple_models
from netwise.observe.simple_models import (
    cross_validated,
    predictions,
    products_of,
    products_of_symbols,
    scaled,
    scores_of,
)

DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(300, 6))
FIT, ASK = range(200), range(200, 300)


def one_hot(classes: np.ndarray) -> np.ndarray:
    return np.eye(int(classes.max()) + 1)[classes]


def test_ridge_is_that_of_scikit_learn() -> None:
    target = (ROWS @ DRAW.normal(size=6))[:, None] + 1.0
    rows = ROWS - ROWS[:200].mean(0)  # scikit-learn centres what it is fitted to
    products = products_of(rows)
    size = np.mean(np.diag(products)[:200])
    ridge = simple_models.RIDGES[0] * size * rows.shape[1]
    expected = Ridge(alpha=ridge).fit(rows[:200], target[:200]).predict(rows[200:])
    assert predictions(products, target, FIT, ASK)[:, 0] == pytest.approx(
        expected.reshape(-1), abs=1e-5
    )


def test_neighbours_are_those_of_scikit_learn() -> None:
    classes = (ROWS[:, 0] * ROWS[:, 1] > 0).astype(int)
    expected = KNeighborsClassifier(1).fit(ROWS[:200], classes[:200])
    found = scores_of(products_of(ROWS), one_hot(classes), FIT, ASK, True)
    assert found.neighbour == pytest.approx(expected.score(ROWS[200:], classes[200:]))


def test_a_curved_boundary_is_found_by_the_smooth_model_and_not_by_the_linear_one() -> None:
    classes = ((ROWS[:, :2] ** 2).sum(1) > 1.4).astype(int)
    found = cross_validated(products_of(scaled(ROWS[:, :2])), one_hot(classes), True)
    assert found.linear < 0.7 < 0.9 < found.smooth


def test_shuffled_targets_are_not_predicted() -> None:
    classes = (ROWS[:, 0] > 0).astype(int)
    true = cross_validated(products_of(ROWS), one_hot(classes), True)
    shuffled = cross_validated(products_of(ROWS), one_hot(DRAW.permutation(classes)), True)
    assert true.skill > 0.7
    assert shuffled.skill < 0.25
    numbers = ROWS[:, :1] * 3 + 5
    assert cross_validated(products_of(ROWS), numbers, False).best > 0.95
    assert cross_validated(products_of(ROWS), DRAW.permutation(numbers), False).best < 0.1


def test_features_of_very_different_spreads_get_one_unit_each() -> None:
    wide = ROWS * [1, 1e4, 1, 1, 1, 1]
    classes = (ROWS[:, 0] > 0).astype(int)
    assert scaled(wide).std(0) == pytest.approx(np.ones(6))
    assert cross_validated(products_of(scaled(wide)), one_hot(classes), True).linear > 0.85


def test_margins_of_pictures_are_not_stretched() -> None:
    pixels = ROWS.copy()
    pixels[:, 5] = 0.0
    pixels[7, 5] = 1e-3  # a margin, but for one sample
    assert scaled(pixels)[:, 5].std() < 0.01
    assert (scaled(np.ones((5, 3))) == 0).all()


def test_products_of_symbols_are_shares_of_equal_places() -> None:
    rows = DRAW.integers(0, 3, (20, 7))
    found = products_of_symbols(rows, rows[:4])
    expected = [[np.mean(a == b) for b in rows[:4]] for a in rows]
    assert found == pytest.approx(np.array(expected))
