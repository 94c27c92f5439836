"""Simple models beside a network: those of scikit-learn, on the same split."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, r2_score

import netwise as nw
from netwise.training import simple_baselines
from netwise.training.simple_baselines import BOOSTING, GUESS, beside_baselines


@pytest.fixture(scope="module")
def steps() -> nw.Run:
    """A network of few epochs on numbers that trees learn at once."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3)).astype(np.float32)
    y = 1000 + 50 * np.sign(x[:, 0]) * np.sign(x[:, 1])
    return nw.fit(nw.suggest(nw.data.arrays(x, y), epochs=2))


def test_boosting_is_that_of_scikit_learn_in_the_units_of_the_target(steps: nw.Run) -> None:
    found = nw.baselines(steps)
    assert found is not None
    samples = steps.recipe.data.load()
    model = HistGradientBoostingRegressor(random_state=0)
    model.fit(samples.train.x.numpy(), samples.train.y[:, 0].double().numpy())
    scale, mean = float(samples.target_scale), float(samples.target_mean)
    truth = samples.test.y[:, 0].double().numpy() * scale + mean
    answer = model.predict(samples.test.x.numpy()) * scale + mean
    boosting = next(each for each in found.models if each.name == BOOSTING)
    assert boosting.score("test", "r2").value == pytest.approx(r2_score(truth, answer))  # type: ignore[union-attr]
    error = mean_absolute_error(truth, answer)
    assert boosting.score("test", "mae").value == pytest.approx(error)  # type: ignore[union-attr]


def test_a_baseline_that_is_better_is_said_and_found(steps: nw.Run) -> None:
    found = nw.baselines(steps)
    assert found is not None
    assert found.is_better
    assert found.sentence.startswith("Worse than a baseline: gradient boosting has R²")
    assert "behind_baseline" in nw.diagnose(beside_baselines(steps, found)).names
    assert "behind_baseline" not in nw.diagnose(steps).names
    json.dumps(found.as_dict(), allow_nan=False)


def test_a_network_that_is_better_has_no_finding() -> None:
    run = nw.fit(nw.suggest(nw.data.iris(), epochs=40))
    found = nw.baselines(run)
    assert found is not None
    assert "behind_baseline" not in nw.diagnose(beside_baselines(run, found)).names
    samples = run.recipe.data.load()
    dummy = DummyClassifier().fit(samples.train.x, samples.train.y)
    guess = next(each for each in found.models if each.name == GUESS)
    expected = dummy.score(samples.test.x, samples.test.y)
    assert guess.score("test", "accuracy").value == expected  # type: ignore[union-attr]


def test_a_model_that_would_take_minutes_is_left_out(
    steps: nw.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(simple_baselines.MOST_WORK, BOOSTING, 100)
    simple_baselines._models.cache_clear()
    found = nw.baselines(steps)
    simple_baselines._models.cache_clear()
    assert found is not None
    left_out = {each.name: each.left_out for each in found.models if each.left_out}
    assert list(left_out) == [BOOSTING]
    assert "minutes" in left_out[BOOSTING]


def test_other_tasks_have_no_simple_model() -> None:
    network, loss = nw.Autoencoder((64, 8)), nw.MeanSquaredError()
    run = nw.fit(nw.Recipe(data=nw.data.digits(), network=network, loss=loss, epochs=1))
    assert nw.baselines(run) is None


def test_weights_several_targets_and_one_class_alone_are_no_errors() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 2)), rng.normal(size=(60, 2))
    run = nw.fit(nw.suggest(nw.data.arrays(x, y, weights=rng.random(60)), epochs=1))
    found = nw.baselines(run)
    assert found is not None
    assert not [each.left_out for each in found.models if each.left_out]


def test_large_pictures_are_averaged_down_and_a_guess_needs_none() -> None:
    draws = np.random.default_rng(0)
    x = draws.random((40, 3, 40, 60), np.float32)
    y = np.arange(40) % 2
    x[y == 1, :, :20] += 0.5  # seen in any average
    run = nw.fit(nw.suggest(nw.data.arrays(x, y), "mlp", epochs=1))
    found = nw.baselines(run)
    assert found is not None
    assert not [each.left_out for each in found.models if each.left_out]
    linear = found.models[1].score("test", "accuracy")
    assert linear is not None
    assert linear.value == 1.0
    part = run.recipe.data.load().train
    assert simple_baselines._rows(part).shape == (len(part), 3 * 18 * 18)
    assert np.allclose(simple_baselines._rows(part).mean(), part.x.numpy().mean(), atol=0.01)
    assert simple_baselines._no_rows(part).shape == (len(part), 1)


def test_boosting_pays_for_the_bins_of_its_leaves() -> None:
    """540 rows of 12,288 features took 10 minutes."""
    samples = nw.data.iris().load()
    rows, leaves = len(samples.train), len(samples.train) // 20
    work = simple_baselines._work(BOOSTING, samples, True)
    assert work == (rows + 256 * leaves) * 4 * 2
