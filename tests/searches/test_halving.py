"""Successive halving: decisions of numbers and values alone, whoever trains, and when."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import netwise as nw
from netwise.searches import halving
from netwise.searches.halving import HalvingCallback
from netwise.searches.rungs import Rungs
from netwise.searches.study import StudyFolder
from netwise.searches.trial_run import TrialPostponed, train_or_resume
from netwise.searches.worker import WorkerTask, run_worker

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=9
)
SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))


def create(folder: Path, method: nw.SearchMethod | None = None, trials: int = 8) -> StudyFolder:
    method = method or nw.Halving(factor=2)
    return StudyFolder.create(
        folder, RECIPE, nw.SearchPlan(space=SPACE, method=method, trials=trials)
    )


def ends(study: StudyFolder) -> list[tuple[Any, ...]]:
    return [(t.number, t.state, t.value, t.epochs, t.epoch_values, t.point) for t in study.trials()]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    study = create(tmp_path_factory.mktemp("alone") / "s")
    run_worker(WorkerTask(str(study.path), None, 0, 1))
    assert {state for _, state, *_ in ends(study)} == {"complete", "pruned"}
    return ends(study)


def test_two_workers_prune_what_one_prunes(tmp_path: Path, alone: list[tuple[Any, ...]]) -> None:
    found = nw.search(
        RECIPE, SPACE, method=nw.Halving(factor=2), trials=8, fresh=0, folder=tmp_path / "s", jobs=2
    )
    assert ends(StudyFolder.open(found.folder)) == alone


class Killed(BaseException):
    pass


@pytest.mark.parametrize("place", ["before the value is stored", "before the end is stored"])
def test_a_kill_at_a_rung_changes_no_decision(
    tmp_path: Path, alone: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    study = create(tmp_path / "s")
    kills = [0]

    def decide(self: HalvingCallback, epoch: int, row: Any) -> str | None:
        if place == "before the value is stored" and epoch in (1, 2) and kills[0] < 5:
            kills[0] += 1
            raise Killed
        reason = original(self, epoch, row)
        if reason is not None and kills[0] < 5:
            kills[0] += 1
            raise Killed
        return reason

    original = HalvingCallback.__call__
    monkeypatch.setattr(HalvingCallback, "__call__", decide)
    for _ in range(30):
        try:
            run_worker(WorkerTask(str(study.path), None, 0, 1))
            break
        except Killed:
            continue
    assert kills[0] > 2
    assert ends(StudyFolder.open(study.path)) == alone


def test_a_trial_waits_for_lower_ones_that_are_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halving, "WAIT_SECONDS", 0.01)
    study = create(tmp_path / "s")
    (zero, lock), (one, other_lock) = study.claim(0, study.stage(0)), study.claim(0, study.stage(0))
    waiting = HalvingCallback(study, one, Rungs(1, 2, 9))
    answers: list[str | None] = []
    thread = threading.Thread(
        target=lambda: answers.append(waiting(1, {"valid.accuracy": 0.5, "train.loss": 1.0}))
    )
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    StudyFolder.open(study.path).storage.set_trial_intermediate_value(zero._trial_id, 1, 0.9)
    thread.join(60)
    assert answers == ["pruned after epoch 1: others were better by then"]
    lock.release()
    other_lock.release()


def test_a_trial_goes_back_where_nobody_trains_a_lower_one(tmp_path: Path) -> None:
    study = create(tmp_path / "s")
    (_, lock), (one, other_lock) = study.claim(0, study.stage(0)), study.claim(0, study.stage(0))
    lock.release()  # as the operating system does when a worker is killed
    postponed = HalvingCallback(study, one, Rungs(1, 2, 9))
    with pytest.raises(TrialPostponed):
        train_or_resume(study.recipe_of(study.trials()[1]), study.folder(1) / "run", 0, postponed)
    other_lock.release()
    run_worker(WorkerTask(str(study.path), None, 0, 1))
    assert all(trial.ended for trial in study.trials())
