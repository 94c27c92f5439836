"""The monitor gets the progress of all runs, and then their number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

import netwise as nw
from netwise.history import RunEnd
from netwise.training import progress_files
from netwise.training.progress_files import ProgressFile, monitor_progress_files

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=150
)


@pytest.mark.parametrize("jobs", [1, 2])
def test_running_runs_are_reported_and_then_their_number(
    jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_files, "POLL_SECONDS", 0.02)
    sentences: list[str] = []
    latest: dict[str, nw.RunProgress] = {}

    def monitor(sentence: str, runs: Sequence[nw.RunProgress]) -> None:
        sentences.append(sentence)
        latest.update({run.name: run for run in runs})

    with nw.monitor_runs(monitor):
        runs = nw.fit_many([RECIPE, RECIPE.but(seed=1, optimizer=nw.SGD(lr=0.2))], jobs=jobs)
    assert sentences[-1] == "2 of 2 runs ended"
    other = latest["run 2 of 2"]
    assert other.about == "optimizer.lr = 0.2, seed = 1"
    assert 0 <= other.epoch <= other.epochs == 150
    accuracy = runs[1].history.of("valid.accuracy")
    assert accuracy is not None
    assert other.value is None or other.value in accuracy.values
    alone = nw.fit_many([RECIPE], jobs=1)[0]  # monitoring changes no number
    assert alone.history.of("train.loss") == runs[0].history.of("train.loss")


def test_a_progress_file_exists_while_its_run_does(tmp_path: Path) -> None:
    file = ProgressFile(str(tmp_path), 3)
    file.start(epochs=5, steps=10, done=0)
    assert json.loads((tmp_path / "3.json").read_text()) == [0, 5, None]
    file.last_write = 0.0  # long ago
    file.epoch(2, {"valid.accuracy": 0.75})
    assert json.loads((tmp_path / "3.json").read_text()) == [2, 5, 0.75]
    file.end(RunEnd("finished", "", 10))
    assert not list(tmp_path.iterdir())


def test_on_another_machine_nothing_is_written(tmp_path: Path) -> None:
    ProgressFile(str(tmp_path / "absent"), 0).start(epochs=1, steps=1, done=0)
    assert not list(tmp_path.iterdir())


def test_without_a_monitor_there_is_no_folder() -> None:
    with monitor_progress_files([RECIPE], [None]) as folder:
        assert folder is None
