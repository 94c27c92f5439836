"""Runs of the winner with fresh seeds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import netwise as nw
from netwise.searches import confirmation
from netwise.searches.study import StudyFolder

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=2
)
SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))


def test_the_winner_is_trained_with_fresh_seeds_and_scored_once_on_the_test_part(
    tmp_path: Path,
) -> None:
    found = nw.search(
        RECIPE, SPACE, folder=tmp_path / "s", method=nw.Random(), trials=4, fresh=3, jobs=1
    )
    assert found.recipe is not None
    seeds = {
        nw.load(folder).recipe.seed for folder in sorted((tmp_path / "s" / "fresh").glob("*/*"))
    }
    assert len(seeds) == 3
    assert RECIPE.seed not in seeds
    scored = [
        nw.load(folder).score is not None
        for folder in sorted((tmp_path / "s" / "fresh").glob("*/*"))
    ]
    assert scored == [True, False, False]
    assert found.mean == pytest.approx(np.mean(found.fresh_values))
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.mean <= found.high
    assert found.optimism == pytest.approx((found.best_value or 0) - np.mean(found.fresh_values))
    assert any(
        "was chance" in note and "report the score on the test part" in note for note in found.notes
    )
    assert nw.read_recipe(tmp_path / "s" / "best.toml") == found.recipe
    outcome = json.loads((tmp_path / "s" / "outcome.json").read_text())
    assert outcome["test"]["value"] == found.test.value


def study(folder: Path, **settings: object) -> StudyFolder:
    plan = nw.SearchPlan(space=SPACE, **settings)
    return StudyFolder.create(folder, RECIPE, plan)


def test_fresh_seeds_are_those_of_no_trial_and_differ_between_searches(tmp_path: Path) -> None:
    one, other = study(tmp_path / "a", seed=0), study(tmp_path / "b", seed=1)
    seeds = [confirmation.fresh_seed(one, place) for place in range(50)]
    assert len({*seeds, *(confirmation.fresh_seed(other, place) for place in range(50))}) == 100
    each = study(tmp_path / "c", seed=0, seeds="each")
    trials = {each.recipe_of(nw.TrialRecord(n, 0, {})).seed for n in range(50)}
    assert len(trials) == 50
    assert not trials & set(seeds)


def test_fresh_folds_are_split_anew(tmp_path: Path) -> None:
    opened = study(tmp_path / "s", folds=3, fresh=2)
    best = nw.TrialRecord(4, 0, {"optimizer.lr": 0.1}, value=0.9)
    runs = confirmation.fresh_runs(opened, best, RECIPE)
    *folds, test = runs
    assert [run.place for run in folds] == [0, 0, 0, 1, 1, 1]
    assert {run.recipe.data.repeat for run in folds} == {1000, 1001}
    assert [run.test for run in runs] == [False] * 6 + [True]
    assert test.recipe.data == RECIPE.data
    assert len({run.folder for run in runs}) == 7
    assert confirmation.fresh_values(runs) == []  # none has been trained
    assert confirmation.test_score(runs) is None


def test_a_run_that_kills_its_worker_again_and_again_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = study(tmp_path / "s", fresh=1)
    runs = confirmation.fresh_runs(opened, nw.TrialRecord(0, 0, {}), RECIPE)
    monkeypatch.setattr(confirmation, "supervise", lambda *_, **__: confirmation.KILLED)
    with pytest.raises(nw.RunFolderError, match="killed its worker 3 times .* Free memory"):
        confirmation.train_fresh_runs(runs, 2, 0, None)
    monkeypatch.setattr(confirmation, "supervise", lambda *_, **__: confirmation.STOPPED)
    assert not confirmation.train_fresh_runs(runs, 2, 0, None)
