"""NetRegressor: targets in their own units, one or several."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from netwise.estimators import NetClassifier, NetRegressor


def test_several_targets_at_once_in_their_own_units() -> None:
    x, y = load_diabetes(return_X_y=True)
    both = np.stack([y, -1000 * y], 1)
    net = NetRegressor((32,), random_state=0).fit(x, both)
    answer = net.predict(x)
    assert answer.shape == both.shape
    assert np.corrcoef(answer[:, 0], answer[:, 1])[0, 1] < -0.95
    assert net.score(x, both) > 0.4


def test_defaults_are_no_worse_than_the_linear_model_on_small_tables() -> None:
    from sklearn.linear_model import Ridge

    x, y = load_diabetes(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(x))
    x, y = x[rows], y[rows]
    ours = NetRegressor(random_state=0).fit(x[:330], y[:330]).score(x[330:], y[330:])
    theirs = make_pipeline(StandardScaler(), Ridge()).fit(x[:330], y[:330]).score(x[330:], y[330:])
    assert ours > theirs - 0.03
    flowers, kinds = load_iris(return_X_y=True)
    assert (
        NetClassifier(random_state=0)
        .fit(flowers[::2], kinds[::2])
        .score(flowers[1::2], kinds[1::2])
        > 0.93
    )


def test_a_shift_and_a_scale_of_the_targets_come_back_in_the_predictions() -> None:
    """Targets are standardised, so an affine change of them changes predictions alike."""
    x, y = load_diabetes(return_X_y=True)
    one = NetRegressor((8,), epochs=20, random_state=0).fit(x, y).predict(x)
    other = NetRegressor((8,), epochs=20, random_state=0).fit(x, 1000 * y - 7).predict(x)
    assert other == pytest.approx(1000 * one - 7, rel=1e-3)


def test_a_column_of_targets_is_one_target_with_scikit_learns_warning() -> None:
    x, y = load_diabetes(return_X_y=True)
    net = NetRegressor((4,), epochs=2, random_state=0)
    with pytest.warns(UserWarning, match="column-vector"):
        column = net.fit(x, y[:, None]).predict(x)
    np.testing.assert_array_equal(column, net.fit(x, y).predict(x))
