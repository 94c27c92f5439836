"""RBM and autoencoder as transformers: scikit-learn's contract, and what users expect beyond it."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from netwise.estimators import AutoencoderTransformer, HopfieldMemory, RBMTransformer

X = load_digits().data[:600] / 16
Y = load_digits().target[:600]
SMALL: list[Any] = [
    RBMTransformer(8, n_iter=3),
    RBMTransformer(4, n_iter=2, persistent=False, gibbs_steps=2),
    AutoencoderTransformer(3, n_iter=3),
    AutoencoderTransformer(2, hidden=(5,), activation="relu", tied=False, noise=0.1, n_iter=2),
]


@pytest.mark.no_cover  # many short fits: the tests below run the same lines
@parametrize_with_checks(SMALL)
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("estimator", SMALL, ids=lambda e: type(e).__name__)
def test_a_copy_by_pickle_and_a_clone_that_is_fitted_anew_are_the_same(estimator: Any) -> None:
    one = clone(estimator).set_params(random_state=3).fit(X)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(one)).transform(X[:20]), one.transform(X[:20])
    )
    np.testing.assert_array_equal(clone(one).fit(X).transform(X[:20]), one.transform(X[:20]))


def test_the_machine_beats_scikit_learns_where_that_learns_only_means() -> None:
    bits = (X > 0.5).astype(float)
    ours = RBMTransformer(16, n_iter=30, random_state=0).fit(bits)
    base = bits.mean(0).clip(1e-3, 1 - 1e-3)
    independent = float((bits * np.log(base) + (1 - bits) * np.log(1 - base)).sum(1).mean())
    theirs = BernoulliRBM(16, n_iter=30, random_state=0).fit(bits)

    def exact(weight: np.ndarray, hidden: np.ndarray, visible: np.ndarray) -> float:
        """By all states of the hidden units."""
        h = (np.arange(2**16)[:, None] >> np.arange(16) & 1).astype(float)
        inside = h @ hidden + np.logaddexp(0, visible + h @ weight).sum(1)
        log_z = np.logaddexp.reduce(inside)
        free = bits @ visible + np.logaddexp(0, hidden + bits @ weight.T).sum(1)
        return float((free - log_z).mean())

    own = exact(ours.components_, ours.intercept_hidden_, ours.intercept_visible_)
    assert own == pytest.approx(float(ours.log_likelihood(bits).mean()), abs=0.01)
    assert own > independent + 3
    assert own > exact(theirs.components_, theirs.intercept_hidden_, theirs.intercept_visible_) + 1


def test_they_work_in_pipelines_and_searches_with_processes() -> None:
    pipe = make_pipeline(
        RBMTransformer(60, n_iter=60, learning_rate=0.1, random_state=0),
        LogisticRegression(max_iter=500),
    )
    assert cross_val_score(pipe, X, Y, cv=3, n_jobs=2).mean() > 0.8
    search = GridSearchCV(
        AutoencoderTransformer(n_iter=10, random_state=0), {"n_components": [2, 20]}, cv=2
    ).fit(X)
    assert search.best_params_ == {"n_components": 20}


def test_inputs_of_any_scale_come_back_in_their_own_units() -> None:
    wine = load_wine().data
    ae = AutoencoderTransformer(8, activation="identity", n_iter=200, random_state=0).fit(wine)
    assert ae.score(wine) > 0.8
    assert ae.inverse_transform(ae.transform(wine)) == pytest.approx(ae.reconstruct(wine))
    rbm = RBMTransformer(20, random_state=0).fit(wine)
    assert rbm.reconstruct(wine).mean(0) == pytest.approx(wine.mean(0), rel=0.2)
    assert rbm.sample(5, steps=20, random_state=0).shape == (5, 13)


def test_names_of_features_come_out() -> None:
    rbm = RBMTransformer(3, n_iter=1).fit(X)
    assert list(rbm.get_feature_names_out()) == [
        "rbmtransformer0",
        "rbmtransformer1",
        "rbmtransformer2",
    ]


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (AutoencoderTransformer(activation="swish"), "must be one of sigmoid"),
        (RBMTransformer(0), "hidden"),
        (HopfieldMemory("oja"), "rule"),
    ],
)
def test_wrong_settings_are_refused_at_fit(estimator: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimator.fit(X)
