"""NetClassifier: its classes, weights and probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from netwise.estimators import NetClassifier

X, Y = load_wine(return_X_y=True)


def test_classes_may_be_words() -> None:
    names = np.array(["barolo", "grignolino", "barbera"])[Y]
    net = NetClassifier((16,), random_state=0).fit(X, names)
    assert list(net.classes_) == ["barbera", "barolo", "grignolino"]
    assert net.score(X, names) > 0.95
    assert set(net.predict(X)) <= set(names)


def test_weights_of_many_samples_move_what_is_learned() -> None:
    """Two classes at the same places: the answer is the share of the weights."""
    x, y = np.zeros((600, 2)), np.arange(600) % 2
    plain = NetClassifier((4,), weight_decay=0.0, label_smoothing=0.0, random_state=0)
    net = clone(plain).fit(x, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    assert net.predict_proba(x[:1])[0, 1] == pytest.approx(0.75, abs=0.02)
    smooth = clone(plain).set_params(label_smoothing=0.4)
    smooth.fit(x, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    assert smooth.predict_proba(x[:1])[0, 1] == pytest.approx(0.6 * 0.75 + 0.2, abs=0.02)
    balanced = plain.set_params(class_weight="balanced").fit(
        np.zeros((600, 2)), np.arange(600) % 6 == 0
    )
    assert balanced.predict_proba(x[:1])[0, 1] == pytest.approx(0.5, abs=0.02)


def test_it_stands_in_pipelines_searches_and_processes() -> None:
    search = GridSearchCV(
        make_pipeline(StandardScaler(), NetClassifier(random_state=0)),
        {"netclassifier__hidden": [(4,), (16,)]},
        cv=3,
        n_jobs=2,
    )
    assert search.fit(X, Y).best_score_ > 0.9
    assert cross_val_score(NetClassifier((16,), random_state=0), X, Y, cv=3, n_jobs=2).mean() > 0.9


def test_probabilities_are_those_of_the_classes_in_order() -> None:
    net = NetClassifier((8,), epochs=20, random_state=0).fit(X, Y)
    probabilities = net.predict_proba(X)
    assert probabilities.shape == (len(X), 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-12)
    np.testing.assert_array_equal(net.classes_[probabilities.argmax(1)], net.predict(X))


def test_a_prediction_is_independent_of_the_other_rows() -> None:
    net = NetClassifier((8,), epochs=5, random_state=0).fit(X, Y)
    alone = np.concatenate([net.predict_proba(X[i : i + 1]) for i in range(9)])
    np.testing.assert_allclose(alone, net.predict_proba(X)[:9], rtol=1e-13)  # in single: 1e-6


def test_messages_name_the_classes_and_what_to_pass() -> None:
    with pytest.raises(ValueError, match=r"y has one class, 1: .* Pass samples of another class"):
        NetClassifier().fit(X, np.ones(len(X), int))
    net = NetClassifier((4,), epochs=1, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="Leave classes out, or fit a new estimator"):
        net.partial_fit(X, Y, classes=[0, 1])
