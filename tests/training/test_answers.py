"""Answers of a run: intervals that hold the true numbers, classes by thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.training.answers import KEPT_ERRORS, validation_errors


def noisy(rows: int, seed: int, targets: int = 1) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, 3))
    noise = 0.5 * draw.standard_t(4, size=(rows, targets))
    y = 1000 + 100 * (x @ np.ones((3, targets)) + noise)
    return x, y[:, 0] if targets == 1 else y


def recipe_of(x: np.ndarray, y: np.ndarray, **settings: float) -> nw.Recipe:
    return nw.suggest(nw.data.arrays(x, y, **settings), epochs=8)


def test_intervals_hold_the_true_numbers() -> None:
    """Over several data sets, since the coverage of one has an error of about 2 %."""
    levels, covered = (0.5, 0.9, 0.95), []
    for seed in range(4):
        run = nw.fit(recipe_of(*noisy(1000, seed), test=0.0))
        x, y = noisy(2000, 100 + seed)
        ends = [run.predict_interval(x, level) for level in levels]
        assert ends[0].shape == (2000, 2)
        covered.append([((low <= y) & (y <= high)).mean() for low, high in (e.T for e in ends)])
        np.testing.assert_allclose(ends[0].mean(1), run.predict(x), rtol=1e-5)
    np.testing.assert_allclose(np.mean(covered, 0), levels, atol=0.04)


def test_intervals_of_several_targets_are_kept_with_the_run(tmp_path: Path) -> None:
    x, y = noisy(400, 0, targets=2)
    run = nw.fit(recipe_of(x, y), folder=tmp_path / "run")
    ends = run.predict_interval(x, 0.8)
    assert ends.shape == (400, 2, 2)
    loaded = nw.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.predict_interval(x, 0.8), ends)
    valid = run.recipe.data.load().valid
    errors = np.abs(
        run.predict(valid)
        - (valid.y * run.pipeline.target_scale + run.pipeline.target_mean).numpy()
    )
    np.testing.assert_allclose(run.pipeline.errors, errors, atol=1e-3)


def test_what_a_run_lacks_is_said() -> None:
    x, y = noisy(200, 0)
    run = nw.fit(recipe_of(x, y).but(epochs=1))
    with pytest.raises(nw.DataError, match="there are 0: train with a larger validation part"):
        nw.fit(recipe_of(x, y, valid=0.0).but(epochs=1)).predict_interval(x)
    with pytest.raises(TypeError, match=r"predict_interval is for regression.*predict_proba"):
        nw.fit(nw.suggest(nw.data.iris(), epochs=1)).predict_interval(np.zeros((1, 4)))
    with pytest.raises(TypeError, match="threshold is for classification"):
        run.predict(x, threshold=0.3)


def test_errors_of_a_large_validation_part_are_a_sample_of_it() -> None:
    x, y = noisy(200, 0)
    run = nw.fit(recipe_of(x, y).but(epochs=1))
    valid = run.recipe.data.load().unmarked().valid
    rows = torch.arange(2 * KEPT_ERRORS + 1) % len(valid)
    pairs = valid.rows(rows.numpy())
    errors, answers = validation_errors(run.module, pairs, run.pipeline)
    assert len(errors) == len(answers) == KEPT_ERRORS * 2 // 3 + 1


def test_a_threshold_changes_the_answers_alone() -> None:
    run = nw.fit(nw.suggest(nw.data.breast_cancer(), epochs=5))
    test = run.recipe.data.load().test
    shares = run.predict_proba(test)
    names = np.array(run.pipeline.classes)
    expected = np.where(shares[:, 1] >= 0.9, names[1], names[0])
    assert run.predict(test, threshold=0.9).tolist() == expected.tolist()
    assert run.predict(test, threshold={names[1]: 0.9}).tolist() == expected.tolist()
    assert run.predict(test, threshold=0.9).tolist() != run.predict(test).tolist()
