"""Runs in parallel equal single ones, on machines with and without the shared data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.training import parallel


def test_many_runs_in_processes_equal_single_ones(small: nw.Recipe) -> None:
    recipes = [small.but(seed=seed) for seed in range(3)]
    places: list[int] = []
    runs = nw.fit_many(recipes, jobs=2, done=lambda place, run: places.append(place))
    assert sorted(places) == [0, 1, 2]
    for recipe, run in zip(recipes, runs, strict=True):
        alone = nw.fit(recipe, test=False)
        assert run.recipe == recipe
        assert run.history.series == alone.history.series
        assert run.history.wiring == alone.history.wiring is not None
        assert run.score is None
        assert all(
            torch.equal(a, b)
            for a, b in zip(run.module.parameters(), alone.module.parameters(), strict=True)
        )
        assert run.predict([[5.1, 3.5, 1.4, 0.2]]).shape == (1,)


def test_no_recipes_give_no_runs() -> None:
    assert nw.fit_many([]) == []


def test_a_run_that_diverges_does_not_stop_the_others(small: nw.Recipe) -> None:
    wild = small.but(optimizer=nw.SGD(lr=1e30))
    runs = nw.fit_many([small, wild, small.but(seed=1)], jobs=1)
    assert [run.history.ended.how for run in runs] == ["finished", "diverged", "finished"]


def test_without_the_shared_folder_the_arrays_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(3, 5, size=(4000, 80))
    recipe = nw.Recipe(
        data=nw.data.arrays(rows, rows[:, 0] > 3),
        preprocess=(nw.Standardise(),),
        network=nw.MLP((80, 4, 2)),
        epochs=1,
    )
    recipes = [recipe, recipe.but(seed=1), recipe.but(seed=2)]
    shared = nw.fit_many(recipes, jobs=2)

    @contextmanager
    def absent_folder(recipes: object, jobs: int) -> Iterator[str]:
        yield "/no/such/folder"

    monkeypatch.setattr(parallel, "share_data", absent_folder)
    places: list[int] = []
    sent = nw.fit_many(recipes, jobs=2, done=lambda place, run: places.append(place))
    assert sorted(places) == [0, 1, 2]
    for one, other in zip(shared, sent, strict=True):
        assert one.history.of("train.loss") == other.history.of("train.loss")


def test_a_recipe_that_cannot_run_is_named_before_any_is_trained(small: nw.Recipe) -> None:
    wrong = small.but(network=nw.MLP((3, 3)))
    with pytest.raises(nw.WrongValue, match=r"recipe 2 of 2.*\n.*begins with 3 inputs"):
        nw.fit_many([small, wrong], jobs=1)


def test_memories_run_in_parallel_too() -> None:
    patterns = np.where(np.random.default_rng(0).random((5, 20)) < 0.5, -1.0, 1.0)
    data = nw.data.arrays(patterns, valid=0.0, test=0.0)
    (run,) = nw.fit_many([nw.Recipe(data=data, network=nw.Hopfield(20))], jobs=1)
    assert run.score is not None
    assert run.score.name == "recall"
