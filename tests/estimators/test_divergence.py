"""Estimators whose training diverged warn, and those that were interrupted do not return."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score

import netwise as nw
from netwise.estimators import AutoencoderTransformer, NetClassifier, NetRegressor, RBMTransformer
from netwise.training.progress import Silent

X, Y = load_iris(return_X_y=True)
WILD = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=1e30), epochs=2
)
CASES: dict[str, Callable[[float], Any]] = {
    "classifier": lambda rate: NetClassifier((8,), learning_rate=rate, epochs=3),
    "regressor": lambda rate: NetRegressor((8,), learning_rate=rate, epochs=3),
    "rbm": lambda rate: RBMTransformer(4, learning_rate=rate, n_iter=2),
    "autoencoder": lambda rate: AutoencoderTransformer(
        2, activation="relu", learning_rate=rate, n_iter=3
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_run_that_diverged_is_told_and_its_weights_are_usable(name: str) -> None:
    estimator = CASES[name](1e37)
    with pytest.warns(ConvergenceWarning, match="Diverged at step .* learning_rate=0.01") as told:
        estimator.fit(X, Y)
    assert told[0].filename == __file__
    answers = estimator.predict(X) if hasattr(estimator, "predict") else estimator.transform(X)
    assert np.isfinite(answers).all()


@pytest.mark.parametrize("name", CASES)
def test_a_healthy_run_warns_of_nothing(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CASES[name](0.001).fit(X, Y)


@pytest.mark.parametrize("rate", [10.0, 30.0])
def test_a_loss_far_above_that_of_guessing_is_told(rate: float) -> None:
    for name in ("classifier", "regressor"):
        with pytest.warns(ConvergenceWarning, match="training loss ends at .* of guessing is 1"):
            CASES[name](rate).fit(X, Y)


def test_a_recipe_and_pieces_are_told_too() -> None:
    with pytest.warns(ConvergenceWarning, match=r"recipe.optimizer.lr = 0.01"):
        NetClassifier(recipe=WILD).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="Diverged at step"):
        NetClassifier((8,), learning_rate=1e37, batch_size=20).partial_fit(X, Y, classes=[0, 1, 2])
    estimator = NetRegressor((8,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator.partial_fit(X, Y)
        estimator.partial_fit(X + 50, np.full(len(X), 900.0))


def test_cross_val_score_of_scikit_learn_tells_it() -> None:
    with pytest.warns(ConvergenceWarning):
        cross_val_score(NetClassifier((8,), learning_rate=1e37, epochs=2), X, Y, cv=2)


def test_an_interrupted_fit_is_no_result() -> None:
    class Signal(Silent):
        def step(self, done: int) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    estimator = NetClassifier((8,), epochs=50, progress=Signal())
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(X, Y)
    assert not hasattr(estimator, "run_")
