"""Workers: what they store of a trial, however it ends."""

from __future__ import annotations

import json
import time
from pathlib import Path

import optuna
import pytest

import netwise as nw
from netwise.searches import worker
from netwise.searches.study import CRASHES, RESULT_ATTRIBUTE, StudyFolder
from netwise.searches.supervise import MAX_CRASHES
from netwise.searches.trial_run import TrialOutcome
from netwise.searches.worker import WorkerTask, run_worker

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=2
)
SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))


def study(folder: Path, trials: int, space: nw.Space = SPACE) -> StudyFolder:
    return StudyFolder.create(
        folder, RECIPE, nw.SearchPlan(space=space, method=nw.Random(), trials=trials)
    )


def task(opened: StudyFolder, **settings: object) -> WorkerTask:
    return WorkerTask(str(opened.path), None, 0, 1, space=opened.plan.space, **settings)


def test_a_worker_runs_all_trials_and_stores_what_their_histories_have(tmp_path: Path) -> None:
    opened = study(tmp_path / "s", 2)
    assert run_worker(task(opened)) == "finished"
    for record in opened.trials():
        history = nw.load_history(opened.path / record.folder / "run")
        assert record.state == "complete"
        assert record.epochs == len(history.of("train.loss").values)
        assert record.seconds == round(history.made_by.seconds, 3)
        assert record.value == history.of("valid.accuracy").last
        assert record.low < record.value < record.high or record.value == 1
    assert run_worker(task(opened)) == "finished"  # nothing is left


def failing(recipe: nw.Recipe, value: object) -> nw.Recipe:
    raise RuntimeError(f"no recipe for {value}")


def test_an_error_of_one_recipe_ends_its_trial_with_the_reason(tmp_path: Path) -> None:
    space = nw.Space((nw.axes.Choice("own", ("a", "b"), change=failing),))
    opened = study(tmp_path / "s", 1, space)
    run_worker(task(opened))
    (record,) = opened.trials()
    assert record.state == "failed"
    assert record.reason == f"RuntimeError: no recipe for {record.point['own']}"
    assert record.value is None


def test_a_lone_worker_gives_up_a_trial_that_killed_it_too_often(tmp_path: Path) -> None:
    opened = study(tmp_path / "s", 1)
    opened.folder(0).mkdir()
    (opened.folder(0) / CRASHES).write_text(json.dumps({"got": [], "times": MAX_CRASHES}))
    assert run_worker(task(opened, alone=True)) == "finished"
    (record,) = opened.trials()
    assert record.state == "failed"
    assert "its worker was killed 3 times while no other worker ran here" in record.reason


def test_a_stopped_trial_is_queued_without_counting_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = study(tmp_path / "s", 1)

    def stopped(*_: object) -> None:
        raise worker.RunStopped("Interrupted by SIGINT.")

    monkeypatch.setattr(worker, "run_trial", stopped)
    assert run_worker(task(opened, alone=True)) == "stopped"
    assert [record.state for record in opened.trials()] == ["waiting"]
    assert not (opened.folder(0) / CRASHES).exists()


def test_if_two_workers_finish_one_trial_the_first_result_wins(tmp_path: Path) -> None:
    opened = study(tmp_path / "s", 1)
    run_worker(task(opened))
    before = opened.trials()
    opened.optuna_study.tell(0, 123.0, skip_if_finished=True)
    second = optuna.trial.Trial(opened.optuna_study, 0)
    worker._store_end(opened, second, TrialOutcome(0.5, "complete", {"value": 0.5}))
    opened.requeue(0)  # of a worker that saw it run a moment ago
    assert opened.trials() == before


def test_a_heartbeat_is_stored_only_where_locks_are_not_shared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "HEARTBEAT_INTERVAL", 0.01)
    trial = optuna.create_study().ask()
    with worker.heartbeat(trial, has_shared_locks=True):
        time.sleep(0.05)
    assert trial.user_attrs == {}
    start = time.time()
    with worker.heartbeat(trial, has_shared_locks=False):
        time.sleep(0.1)
    assert start <= trial.user_attrs["beat"] <= time.time()
    assert RESULT_ATTRIBUTE not in trial.user_attrs
