"""Whole searches: the points they try, how they evaluate them, what they keep, how they resume."""

from __future__ import annotations

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
    )


def test_a_trial_is_a_full_run_of_the_recipe_with_its_point(tmp_path: Path) -> None:
    found = find(tmp_path / "s")
    for trial in found.trials:
        run = nw.load(tmp_path / "s" / trial.folder / "run")
        assert run.recipe == SPACE.apply(RECIPE, trial.point)
        assert run.score is None  # the test part was not looked at
        assert trial.value == nw.fit(run.recipe, test=False).history.of("valid.accuracy").last
        assert nw.diagnose(run).clear
    assert found.best == max(found.trials, key=lambda t: t.value or 0)
    assert found.recipe == SPACE.apply(RECIPE, found.best.point)


def test_a_grid_tries_every_combination_once(tmp_path: Path) -> None:
    space = nw.Space((RATE, nw.axes.Choice("network.activation", ("ReLU", "Tanh"))))
    found = find(tmp_path / "s", space, method=nw.Grid(3))
    points = [(t.point["optimizer.lr"], t.point["network.activation"]) for t in found.trials]
    assert points == [(rate, kind) for rate in (1e-4, 1e-2, 1.0) for kind in ("ReLU", "Tanh")]


def test_an_axis_is_active_only_for_some_values_of_another(tmp_path: Path) -> None:
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


def test_equal_seeds_try_equal_points_with_any_number_of_workers(tmp_path: Path) -> None:
    one, two = find(tmp_path / "a", jobs=1), find(tmp_path / "b", jobs=2)
    assert [(t.number, t.point, t.value) for t in one.trials] == [
        (t.number, t.point, t.value) for t in two.trials
    ]
    other = find(tmp_path / "c", seed=1)
    assert [t.point for t in other.trials] != [t.point for t in one.trials]


@pytest.mark.parametrize(
    "method", [nw.Bayesian(startup=4), nw.Bayesian(surrogate="gp", startup=4)], ids=["tpe", "gp"]
)
def test_a_model_of_the_trials_finds_the_good_end(tmp_path: Path, method: nw.SearchMethod) -> None:
    found = find(tmp_path / "s", nw.Space((RATE,)), method=method, trials=12)
    late = [t.value for t in found.trials[4:] if t.value is not None]
    early = [t.value for t in found.trials[:4] if t.value is not None]
    assert np.mean(late) >= np.mean(early)
    assert found.best_value == max(t.value for t in found.trials if t.value is not None)


def test_halving_prunes_the_worse_trials_and_they_can_be_resumed(tmp_path: Path) -> None:
    recipe = RECIPE.but(epochs=9)
    found = find(tmp_path / "s", recipe=recipe, method=nw.Halving(factor=3), trials=9)
    states = [t.state for t in found.trials]
    assert "pruned" in states
    assert "complete" in states
    pruned = next(t for t in found.trials if t.state == "pruned")
    assert "others were better" in pruned.reason
    assert pruned.epochs < 9
    folder = tmp_path / "s" / pruned.folder / "run"
    resumed = nw.resume(folder)
    assert resumed.history.ended.how == "finished"
    assert (
        resumed.history.of("train.loss").values
        == nw.fit(resumed.recipe).history.of("train.loss").values
    )
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


def test_a_winner_at_the_end_of_an_axis_is_noted(tmp_path: Path) -> None:
    found = find(
        tmp_path / "s",
        nw.Space((nw.axes.Log("optimizer.lr", 1e-5, 0.1),)),
        RECIPE.but(epochs=20),
        method=nw.Grid(3),
    )
    assert any("is at the high end of its axis" in note for note in found.notes)


def test_a_population_passes_weights_on(tmp_path: Path) -> None:
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


def test_the_value_of_a_trial_is_the_mean_over_its_folds(tmp_path: Path) -> None:
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


def wrong_for_some(recipe: nw.Recipe, value: object) -> nw.Recipe:
    if value == 2:
        raise RuntimeError("the function of the user's own fails for 2")
    return recipe.but(batch_size=16 * int(str(value)))


def test_a_trial_that_raises_or_diverges_is_recorded_and_the_search_continues(
    tmp_path: Path,
) -> None:
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
    assert wild.trials[1].state == "failed"
    assert wild.trials[1].reason.startswith("Diverged at step")
    assert wild.trials[1].value is None
    assert wild.best == wild.trials[0]
    assert any(note.startswith("1 of 2 trials failed and have no value") for note in wild.notes)


@pytest.mark.parametrize(
    "method",
    [nw.Grid(2), nw.Bayesian(startup=2), nw.Halving(), nw.CoarseToFine(rounds=2)],
    ids=repr,
)
def test_where_all_diverge_there_is_no_winner(tmp_path: Path, method: nw.SearchMethod) -> None:
    space = nw.Space((nw.axes.Log("optimizer.lr", 1e28, 1e30),))
    found = find(tmp_path / "s", space, method=method, trials=4)
    assert found.complete
    assert found.best is found.recipe is found.best_value is None
    assert {(trial.state, trial.value) for trial in found.trials} == {("failed", None)}
    count = len(found.trials)
    assert str(found).startswith(f"No trial of {count} was completed. {count} of {count} trials")
    assert "Diverged at step" in str(found)
    assert not (tmp_path / "s" / "best.toml").exists()
    assert nw.load_search(tmp_path / "s") == found


def test_a_resumed_search_may_have_more_trials(tmp_path: Path) -> None:
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
    data, network = nw.data.digits(), nw.MLP((64, 32, 10))
    recipe = nw.Recipe(
        data=data, network=network, optimizer=nw.SGD(lr=0.1), batch_size=4, epochs=40
    )
    space = nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0),))
    options = {"method": nw.Random(), "trials": 6, "fresh": 0, "jobs": 2}
    found = nw.search(recipe, space, folder=sys.argv[1], **options)
    print(found.complete)
"""


def test_ctrl_c_leaves_a_study_that_can_be_resumed(tmp_path: Path) -> None:
    script = tmp_path / "search.py"
    script.write_text(INTERRUPTED)
    command = [sys.executable, script, str(tmp_path / "s")]
    restore = partial(
        signal.signal, signal.SIGINT, signal.SIG_DFL
    )  # a process in the background ignores signals of the keyboard
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=restore
    )
    deadline = time.monotonic() + 100
    while (
        not list((tmp_path / "s").glob("trials/*/run/checkpoints/step-*"))
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to all processes of the group
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
        )
