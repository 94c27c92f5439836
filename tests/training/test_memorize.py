"""Runs of memories: the history of recall, the score, and the folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import netwise as nw
from netwise import signals

PATTERNS = np.where(np.random.default_rng(0).random((5, 100)) < 0.5, -1.0, 1.0)
RECIPE = nw.Recipe(data=nw.data.arrays(PATTERNS, valid=0.0, test=0.0), network=nw.Hopfield(100))


def test_few_patterns_are_recalled_and_many_are_not() -> None:
    few = nw.fit(RECIPE)
    assert few.score is not None
    assert (few.score.name, few.score.value, few.score.samples) == ("recall", 1.0, 5)
    g = np.random.default_rng(1)
    many = np.where(g.random((60, 100)) < 0.5, -1.0, 1.0)  # 0.6 of the units: limit about 0.14
    overloaded = nw.fit(RECIPE.but(data=nw.data.arrays(many, valid=0.0, test=0.0)))
    assert overloaded.score is not None
    assert overloaded.score.value < 0.2


def test_the_history_has_a_row_for_each_share_of_flipped_units() -> None:
    history = nw.fit(RECIPE).history
    noise, load = history.of(signals.MEMORY_NOISE), history.of(signals.MEMORY_LOAD)
    assert noise is not None
    assert load is not None
    assert list(noise.values) == sorted(noise.values)
    assert load.values == (0.05,)
    assert history.ended.sentence == "5 patterns stored in 100 units."


def test_a_stored_run_is_loaded_and_recalls(tmp_path: Path) -> None:
    run = nw.fit(RECIPE, folder=tmp_path / "run")
    loaded = nw.load(tmp_path / "run")
    assert loaded.score == run.score
    assert loaded.history == run.history
    noisy = PATTERNS[:1].copy()
    noisy[0, :5] *= -1
    assert torch.equal(torch.as_tensor(loaded.predict(noisy)), torch.as_tensor(run.predict(noisy)))
    np.testing.assert_array_equal(run.predict(noisy), PATTERNS[:1])
