"""What both estimators share: scikit-learn's contract, and what a user expects beyond it."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from torch import nn

import netwise as nw
from netwise.estimators import NetClassifier, NetRegressor

SMALL: list[Any] = [
    NetClassifier((32,), epochs=60),
    NetRegressor((32,), epochs=80),
    NetClassifier((16,), epochs=60, early_stopping=True, patience=30),
]
X, Y = load_wine(return_X_y=True)


@pytest.mark.no_cover  # many short fits: the tests below run the same lines
@parametrize_with_checks(SMALL)
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


BALANCED = NetClassifier((), epochs=20, class_weight="balanced")
WEIGHING = [
    check
    for _, check in estimator_checks_generator(BALANCED)
    if re.search("weight_equivalence|multilabel_repr", check.func.__name__)
]


@pytest.mark.no_cover
@pytest.mark.parametrize("check", WEIGHING, ids=lambda check: check.func.__name__)
def test_scikit_learns_checks_of_weights_without_hidden_layers(check: Any) -> None:
    check(clone(BALANCED))


def test_a_copy_by_pickle_predicts_alike_and_holds_no_training_data() -> None:
    net = NetClassifier((8,), epochs=20, random_state=0).fit(X, Y)
    copy = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(copy.predict_proba(X), net.predict_proba(X))
    assert len(copy.run_.recipe.data.X) == 0
    wide = NetClassifier((8,), epochs=1, random_state=0).fit(
        np.random.default_rng(0).normal(size=(20_000, 10)), np.arange(20_000) % 2
    )
    assert len(pickle.dumps(wide)) < 100_000  # 800 kB of inputs


def test_equal_seeds_give_equal_networks_and_a_clone_is_unfitted() -> None:
    one, other = (NetClassifier((8,), epochs=5, random_state=3).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    assert not hasattr(clone(one), "run_")


def test_up_to_a_batch_a_weight_is_a_repetition_in_any_order() -> None:
    rng = np.random.default_rng(0)
    rows = rng.choice(len(X), 60, replace=False)
    counts = rng.integers(0, 4, 60)
    weighted = NetClassifier((8,), epochs=50, random_state=0).fit(
        X[rows], Y[rows], sample_weight=counts
    )
    again = rng.permutation(np.repeat(rows, counts))
    repeated = NetClassifier((8,), epochs=50, random_state=0).fit(X[again], Y[again])
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))


def test_a_frame_with_words_and_gaps_takes_the_road_of_csv(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=300),
            "colour": rng.choice(["red", "blue", "green"], 300),
            "age": rng.integers(1, 9, 300).astype(float),
        }
    )
    frame.loc[::7, "age"] = np.nan
    frame.loc[::11, "colour"] = None
    y = np.where((frame["colour"] == "red") ^ (frame["size"] > 0), "yes", "no")
    net = NetClassifier((32,), random_state=0).fit(frame[:200], y[:200])
    assert net.score(frame[200:], y[200:]) > 0.9
    assert list(net.feature_names_in_) == ["size", "colour", "age"]
    frame[:200].assign(target=y[:200]).to_csv(tmp_path / "t.csv", index=False)
    same = nw.data.csv(tmp_path / "t.csv", "target", valid=0.0, test=0.0).load()
    assert net.encoder_.columns == same.encoder.columns
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(net)).predict(frame), net.predict(frame)
    )


def test_partial_fit_goes_on_where_the_last_call_ended() -> None:
    x, y = load_digits(return_X_y=True)
    net = NetClassifier((64,), random_state=0)
    scores = []
    for _ in range(4):
        for rows in np.array_split(np.arange(1400), 4):
            net.partial_fit(x[rows], y[rows], classes=np.arange(10))
        scores.append(net.score(x[1400:], y[1400:]))
    assert scores[-1] > 0.8
    assert scores[-1] > scores[0]
    assert net.n_iter_ == 16
    after = NetClassifier((64,), epochs=5, random_state=0).fit(x[:700], y[:700])
    before = after.score(x[:700], y[:700])
    assert after.partial_fit(x[700:1400], y[700:1400]).score(x[:700], y[:700]) > before - 0.1
    with pytest.raises(ValueError, match="classes must be passed"):
        NetClassifier().partial_fit(x, y)
    with pytest.raises(ValueError, match="not among"):
        after.partial_fit(x[:5], np.array([1, 2, 3, 4, 77]))
    numbers = NetRegressor((16,), random_state=0)
    t = x[:, 20] * 1000 + 5
    for _ in range(60):
        numbers.partial_fit(x[:1000], t[:1000])
    assert numbers.score(x[1000:], t[1000:]) > 0.5


class Tiny(nn.Module):
    """A user's own: images in, classes out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 4, 3), nn.Linear(4 * 36, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.relu(self.conv(x)).flatten(1))


@pytest.mark.parametrize(
    "network",
    [Tiny, Tiny(), nw.ConvNet(image=(1, 8, 8), classes=10, channels=(8,))],
    ids=["class", "module", "netwise"],
)
def test_any_network_learns_images(network: Any) -> None:
    x, y = load_digits(return_X_y=True)
    images = x.reshape(-1, 1, 8, 8) / 16
    net = NetClassifier(network=network, epochs=30, random_state=0).fit(images[:1000], y[:1000])
    assert net.score(images[1000:], y[1000:]) > 0.85
    assert not hasattr(network, "run_")


def test_a_recipe_decides_everything_but_the_data() -> None:
    recipe = nw.Recipe(
        data=nw.data.wine(),
        preprocess=(nw.Standardise(),),
        network=nw.MLP((13, 7, 3)),
        optimizer=nw.SGD(lr=0.5),
        epochs=30,
    )
    net = NetClassifier(recipe=recipe, random_state=0).fit(X, Y)
    assert net.module_.layer1.out_features == 7
    assert net.n_iter_ == 30
    assert net.score(X, Y) > 0.95
    with pytest.raises(nw.WrongValue, match=r"network\.widths"):
        NetClassifier(recipe=recipe).fit(X[:, :5], Y)


def test_early_stopping_keeps_the_best_epoch_of_a_part_held_out() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    net = NetClassifier((32,), early_stopping=True, patience=5, epochs=200, random_state=0).fit(
        x, y
    )
    curve = net.validation_loss_curve_
    assert curve is not None
    assert net.n_iter_ == int(np.argmin(curve)) + 1 + 5
    assert len(net.run_.recipe.data.load().valid) == int(0.1 * len(x))


def test_run_report_and_html_are_there() -> None:
    net = NetClassifier((16,), epochs=30, random_state=0).fit(X, Y)
    assert net.run_.history.ended.how == "finished"
    assert net.report_.clear
    assert "All 30 epochs done." in net._repr_html_()
    assert "All" not in NetClassifier()._repr_html_().split("<style>")[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"activation": "rellu"}, "Did you mean `relu`"),
        ({"early_stopping": "yes"}, "early_stopping = 'yes' must be True, False"),
        ({"validation_fraction": 1.5}, "validation_fraction = 1.5 .* Write 0.1"),
        ({"learning_rate": -1}, "lr"),
        ({"recipe": 3}, r"recipe = 3 .* Pass nw.Recipe"),
        ({"hidden": (0,)}, "widths"),
    ],
)
def test_a_wrong_setting_is_refused_before_training(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NetClassifier(**settings).fit(X, Y)
