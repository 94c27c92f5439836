"""Threads, scores and many runs at once."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.training.evaluate import r2
from netwise.training.threads import MULTIPLE_THREADS_FROM, threads_for


def test_threads_follow_from_the_work_alone() -> None:
    assert threads_for(MULTIPLE_THREADS_FROM - 1, 8) == 1
    assert threads_for(MULTIPLE_THREADS_FROM, 8) == 8
    assert threads_for(10**12, 1) == 1


def test_the_number_of_threads_is_recorded_and_can_be_set(small: nw.Recipe) -> None:
    assert nw.fit(small).history.made_by.threads == 1
    assert nw.fit(small, threads=2).history.made_by.threads == 2


def test_r2_is_scikit_learns() -> None:
    from sklearn.metrics import r2_score

    g = torch.Generator().manual_seed(0)
    y, answer = torch.randn(80, 3, generator=g), torch.randn(80, 3, generator=g)
    assert r2(answer, y) == pytest.approx(r2_score(y, answer), abs=1e-6)
    assert r2(y.mean(0).expand_as(y), y) == pytest.approx(0, abs=1e-6)
    assert r2(y, y) == 1


def test_many_runs_in_processes_equal_single_ones(small: nw.Recipe) -> None:
    recipes = [small.but(seed=seed) for seed in range(3)]
    seen: list[int] = []
    runs = nw.fit_many(recipes, jobs=2, done=lambda place, run: seen.append(place))
    assert sorted(seen) == [0, 1, 2]
    for recipe, run in zip(recipes, runs, strict=True):
        alone = nw.fit(recipe, test=False)
        assert run.recipe == recipe
        assert run.history.series == alone.history.series
        assert run.score is None
        assert all(
            torch.equal(a, b)
            for a, b in zip(run.module.parameters(), alone.module.parameters(), strict=True)
        )
        assert run.predict([[5.1, 3.5, 1.4, 0.2]]).shape == (1,)


def test_no_recipes_give_no_runs() -> None:
    assert nw.fit_many([]) == []
