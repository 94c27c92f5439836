"""Searches whole: what they try, how they judge, what they keep, how they go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import netwise as nw
from netwise.searches.study import StudyFolder

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=4
)
RATE = nw.axes.Log("optimizer.lr", 1e-4, 1.0)
WIDTH = nw.axes.Integer("width", 2, 32, log=True)
SPACE = nw.Space((RATE, WIDTH))


def find(
    folder: Path, space: nw.Space = SPACE, recipe: nw.Recipe = RECIPE, **others: object
) -> nw.SearchResult:
    return nw.search(
        recipe,
        space,
        folder=folder,
        **{"jobs": 1, "fresh": 0, "trials": 6, "method": nw.Random(), **others},
    )  # type: ignore[arg-type]


def test_a_trial_is_a_full_run_of_the_recipe_with_its_point(tmp_path: Path) -> None:
    found = find(tmp_path / "s")
    for trial in found.trials:
        run = nw.load(tmp_path / "s" / trial.folder / "run")
        assert run.recipe == SPACE.apply(RECIPE, trial.point)
        assert run.score is None  # the test part was not looked at
        assert trial.value == nw.fit(run.recipe, test=False).history.of("valid.accuracy").last  # type: ignore[union-attr]
        assert nw.diagnose(run).clear
    assert found.best == max(found.trials, key=lambda t: t.value or 0)
    assert found.recipe == SPACE.apply(RECIPE, found.best.point)  # type: ignore[union-attr]


def test_a_grid_tries_every_combination_once(tmp_path: Path) -> None:
    space = nw.Space((RATE, nw.axes.Choice("network.activation", ("ReLU", "Tanh"))))
    found = find(tmp_path / "s", space, method=nw.Grid(3))
    points = [(t.point["optimizer.lr"], t.point["network.activation"]) for t in found.trials]
    assert points == [(rate, kind) for rate in (1e-4, 1e-2, 1.0) for kind in ("ReLU", "Tanh")]


def test_an_axis_that_hangs_on_another_is_in_force_only_there(tmp_path: Path) -> None:
    momentum = nw.axes.Linear(
        "optimizer.momentum", 0.0, 0.9, when="optimizer.kind", among=("Momentum",)
    )
    space = nw.Space((nw.axes.Choice("optimizer.kind", ("Momentum", "Adam")), momentum))
    for method in (nw.Random(), nw.Grid(2), nw.Bayesian(startup=3)):
        found = find(tmp_path / type(method).__name__, space, method=method, trials=10, seed=1)
        kinds = {t.point["optimizer.kind"] for t in found.trials}
        assert kinds == {"Momentum", "Adam"}
        assert all(
            (t.point["optimizer.kind"] == "Momentum") == ("optimizer.momentum" in t.point)
            for t in found.trials
        )
        assert all(t.state == "complete" for t in found.trials), found.trials


def test_equal_seeds_try_equal_points_whoever_draws_them(tmp_path: Path) -> None:
    one, two = find(tmp_path / "a", jobs=1), find(tmp_path / "b", jobs=2)
    assert [(t.number, t.point, t.value) for t in one.trials] == [
        (t.number, t.point, t.value) for t in two.trials
    ]
    other = find(tmp_path / "c", seed=1)
    assert [t.point for t in other.trials] != [t.point for t in one.trials]


@pytest.mark.parametrize(
    "method", [nw.Bayesian(startup=4), nw.Bayesian(surrogate="gp", startup=4)], ids=["tpe", "gp"]
)
def test_a_model_of_what_was_seen_finds_the_good_end(
    tmp_path: Path, method: nw.SearchMethod
) -> None:
    found = find(tmp_path / "s", nw.Space((RATE,)), method=method, trials=12)
    late = [t.value for t in found.trials[4:] if t.value is not None]
    early = [t.value for t in found.trials[:4] if t.value is not None]
    assert np.mean(late) >= np.mean(early)
    assert found.best_value == max(t.value for t in found.trials if t.value is not None)


def test_halving_leaves_off_the_worse_and_keeps_them_to_go_on_with(tmp_path: Path) -> None:
    recipe = RECIPE.but(epochs=9)
    found = find(tmp_path / "s", recipe=recipe, method=nw.Halving(factor=3), trials=9)
    states = [t.state for t in found.trials]
    assert "pruned" in states
    assert "complete" in states
    pruned = next(t for t in found.trials if t.state == "pruned")
    assert "others were better" in pruned.reason
    assert pruned.epochs < 9
    folder = tmp_path / "s" / pruned.folder / "run"
    gone_on = nw.resume(folder)
    assert gone_on.history.ended.how == "finished"
    assert (
        gone_on.history.of("train.loss").values
        == nw.fit(gone_on.recipe).history.of("train.loss").values
    )  # type: ignore[union-attr]
    assert find(tmp_path / "h", recipe=recipe, method=nw.Hyperband(), trials=9).best is not None


def test_coarse_to_fine_narrows_the_range_and_runs_longer(tmp_path: Path) -> None:
    wide = nw.Space(
        (
            nw.axes.Log("optimizer.lr", 1e-7, 100.0),
            nw.axes.Choice("network.activation", ("ReLU", "Tanh", "Sigmoid")),
        )
    )
    found = find(tmp_path / "s", wide, RECIPE.but(epochs=16), method=nw.CoarseToFine(), trials=21)
    assert [sum(t.stage == stage for t in found.trials) for stage in range(3)] == [12, 6, 3]
    assert {t.stage: t.epochs for t in found.trials} == {0: 1, 1: 4, 2: 16}
    spans = [
        np.ptp([np.log10(t.point["optimizer.lr"]) for t in found.trials if t.stage == stage])
        for stage in range(3)
    ]
    assert spans[0] > spans[1] > spans[2]
    assert found.best is not None
    assert found.best.stage == 2
    assert found.recipe is not None
    assert found.recipe.epochs == 16


def test_a_winner_at_the_end_of_an_axis_is_told(tmp_path: Path) -> None:
    found = find(
        tmp_path / "s",
        nw.Space((nw.axes.Log("optimizer.lr", 1e-5, 0.1),)),
        RECIPE.but(epochs=20),
        method=nw.Grid(3),
    )
    assert any("is at the high end of its axis" in note for note in found.notes)


def test_a_population_hands_weights_on(tmp_path: Path) -> None:
    found = find(
        tmp_path / "s",
        nw.Space((nw.axes.Log("optimizer.lr", 0.02, 1.0),)),
        RECIPE.but(epochs=24),
        method=nw.Population(members=4, generations=3),
    )
    assert [t.stage for t in found.trials] == [0] * 4 + [1] * 4 + [2] * 4
    assert all(t.state == "complete" for t in found.trials), found.trials
    means = [
        np.mean([t.value for t in found.trials if t.stage == stage and t.value is not None])
        for stage in range(3)
    ]
    assert means[2] > means[0]
    second = nw.load(tmp_path / "s" / "trials" / "0004" / "run").recipe
    assert isinstance(second.init, nw.From)
    assert second.epochs == 8


def test_folds_judge_by_all_of_them(tmp_path: Path) -> None:
    found = find(tmp_path / "s", trials=2, folds=3, fresh=2)
    for trial in found.trials:
        recipe = SPACE.apply(RECIPE, trial.point)
        values = []
        for number in range(3):
            fold = recipe.but(data=nw.data.Fold(data=RECIPE.data, folds=3, number=number))
            series = nw.fit(fold, test=False).history.of("valid.accuracy")
            assert series is not None
            values.append(series.last)
        assert trial.value == pytest.approx(np.mean(values))
        assert trial.low is not None
        assert trial.high is not None
        assert trial.low <= trial.value <= trial.high
    assert len(found.fresh_values) == 2
    assert found.test is not None


def test_fresh_seeds_and_the_test_part_have_the_last_word(tmp_path: Path) -> None:
    found = find(tmp_path / "s", fresh=3, jobs=2)
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
    told = json.loads((tmp_path / "s" / "outcome.json").read_text())
    assert told["test"]["value"] == found.test.value  # type: ignore[union-attr]


def wrong_for_some(recipe: nw.Recipe, value: object) -> nw.Recipe:
    if value == 2:
        raise RuntimeError("the function of the user's own fails for 2")
    return recipe.but(batch_size=16 * int(str(value)))


def test_a_trial_that_raises_or_diverges_is_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    space = nw.Space((nw.axes.Choice("own", (1, 2, 3), change=wrong_for_some),))
    found = find(tmp_path / "s", space, method=nw.Grid())
    assert [t.state for t in found.trials] == ["complete", "failed", "complete"]
    assert found.trials[1].reason == "RuntimeError: the function of the user's own fails for 2"
    with pytest.raises(nw.RunFolderError, match="Pass the space again"):
        nw.resume_search(tmp_path / "s")
    assert nw.resume_search(tmp_path / "s", space=space).best == found.best
    wild = find(
        tmp_path / "w", nw.Space((nw.axes.Choice("optimizer.lr", (0.1, 1e30)),)), method=nw.Grid()
    )
    assert wild.trials[1].state == "complete"
    assert wild.trials[1].reason.startswith("Diverged at step")
    assert wild.trials[1].value == pytest.approx(1 / 3)
    assert wild.best == wild.trials[0]


def test_advice_comes_with_its_reason_and_stops_what_cannot_be(tmp_path: Path) -> None:
    four = nw.Space(
        (RATE, WIDTH, nw.axes.Integer("batch_size", 4, 8), nw.axes.Integer("epochs", 1, 2))
    )
    told = nw.search_advice(RECIPE, nw.SearchPlan(space=four, method=nw.Grid(1)))
    assert [problem.field for problem in told] == ["method"]
    assert "power of their number" in told[0].reason
    linear = nw.SearchPlan(
        space=nw.Space(
            (nw.axes.Linear("optimizer.lr", 1e-4, 1.0), nw.axes.Integer("width", 2, 500))
        )
    )
    assert [problem.field for problem in nw.search_advice(RECIPE, linear)] == [
        "space.optimizer.lr",
        "space.width",
    ]
    wide = nw.SearchPlan(space=nw.Space((nw.axes.Log("optimizer.lr", 1e-6, 1.0),)))
    assert [problem.instead for problem in nw.search_advice(RECIPE.but(epochs=100), wide)] == [
        "method = CoarseToFine()"
    ]
    blind = RECIPE.but(data=nw.data.iris(valid=0.0))
    with pytest.raises(nw.WrongValue, match="the test part is never used to choose"):
        find(tmp_path / "s", recipe=blind)
    assert not (tmp_path / "s").exists()
    assert find(tmp_path / "f", recipe=blind, folds=2, trials=1).best is not None


def test_what_was_told_once_stays(tmp_path: Path) -> None:
    found = find(tmp_path / "s", trials=2)
    study = StudyFolder.open(found.folder).optuna_study()
    study.tell(0, 123.0, skip_if_finished=True)
    assert nw.resume_search(found.folder, jobs=1).trials == found.trials


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "mine.txt").write_text("mine")
    with pytest.raises(nw.RunFolderError, match="is not empty"):
        find(tmp_path / "s")
    with pytest.raises(nw.RunFolderError, match="no study"):
        nw.resume_search(tmp_path / "nothing")


def test_more_trials_may_be_asked_for_afterwards(tmp_path: Path) -> None:
    found = find(tmp_path / "s", trials=3)
    more = nw.resume_search(tmp_path / "s", trials=5, jobs=1)
    assert more.trials[:3] == found.trials
    assert [(t.number, t.point) for t in more.trials] == [
        (t.number, t.point) for t in find(tmp_path / "t", trials=5).trials
    ]
    assert len(nw.resume_search(tmp_path / "s").trials) == 5
    find(tmp_path / "g", method=nw.Grid(2))
    with pytest.raises(nw.WrongValue, match="fixes the number of trials"):
        nw.resume_search(tmp_path / "g", trials=100)


def test_arrays_in_memory_go_with_the_study(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 4))
    recipe = RECIPE.but(
        data=nw.data.arrays(x, (x[:, 0] > 0).astype(int)), network=nw.MLP((4, 8, 2))
    )
    found = find(tmp_path / "s", recipe=recipe, trials=2, folds=2)
    assert found.best is not None
    again = nw.load(tmp_path / "s" / "trials" / "0000" / "fold-0-1").recipe
    assert again.data == nw.data.Fold(data=recipe.data, folds=2, number=1)


INTERRUPTED = """
import sys, netwise as nw
if __name__ == "__main__":
    recipe = nw.Recipe(
        data=nw.data.digits(), network=nw.MLP((64, 32, 10)), optimizer=nw.SGD(lr=0.1),
        batch_size=4, epochs=40,
    )
    space = nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0),))
    found = nw.search(
        recipe, space, method=nw.Random(), trials=6, fresh=0, folder=sys.argv[1], jobs=2
    )
    print(found.complete)
"""


def test_ctrl_c_leaves_a_study_that_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "search.py"
    script.write_text(INTERRUPTED)
    command = [sys.executable, script, str(tmp_path / "s")]
    heard = partial(
        signal.signal, signal.SIGINT, signal.SIG_DFL
    )  # where tests run in the background, signals of the keyboard are ignored
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heard
    )
    deadline = time.monotonic() + 100
    while (
        not list((tmp_path / "s").glob("trials/*/run/checkpoints/step-*"))
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: all processes of the group hear it
    child.communicate(timeout=100)
    states = [t.state for t in StudyFolder.open(tmp_path / "s").trials()]
    assert "running" not in states
    assert states.count("complete") < 6
    found = nw.resume_search(tmp_path / "s", jobs=1)
    assert found.complete
    assert [t.state for t in found.trials] == ["complete"] * 6
    for trial in found.trials[:2]:
        run = nw.load(tmp_path / "s" / trial.folder / "run")
        assert (
            run.history.of("train.loss").values
            == nw.fit(run.recipe).history.of("train.loss").values
        )  # type: ignore[union-attr]
