"""The folder of a run has whole rows, and a checkpoint never counts rows that are missing."""

from __future__ import annotations

from pathlib import Path

import torch

import netwise as nw
from netwise.history import FINISHED, RunEnd, RunFacts
from netwise.observe.hooked_probe import HookedProbe
from netwise.recipe.prepared import prepare
from netwise.storage.run_folder import RunFolder
from netwise.training.captured.captured_steps import CapturedSteps
from netwise.training.fit import initialize
from netwise.training.pace import Pace
from netwise.training.run_recorder import RunRecorder, values_at_start, weights_as_dict
from netwise.training.run_setup import set_up
from netwise.training.run_state import RunState, state_at_start
from netwise.training.settings import RunOptions
from netwise.training.speedups import speedups_by_rule

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), preprocess=(nw.Standardise(),), epochs=2
)


def new_folder(path: Path) -> RunFolder:
    folder, held = RunFolder.create(path, RECIPE, values_at_start(prepare(RECIPE), RunOptions()))
    held.release()
    return folder


def recorder_of(folder: RunFolder | None) -> tuple[RunRecorder, RunState]:
    setup = set_up(RECIPE, prepare(RECIPE), RunOptions(), initialize)
    log = None if folder is None else folder.return_to(None)
    text = "" if folder is None else folder.recipe_text()
    probe = HookedProbe(setup.module)
    recorder = RunRecorder(
        folder, setup, RunFacts(), probe, Pace(1, 1), CapturedSteps(), None, log, text
    )
    return recorder, state_at_start(setup)


def test_rows_are_written_once_and_before_a_checkpoint(tmp_path: Path) -> None:
    folder = new_folder(tmp_path / "run")
    recorder, state = recorder_of(folder)
    state.rows = [{"step": 0, "train.loss": 1.0}]
    recorder.write_rows(state)
    state.rows.append({"step": 1, "train.loss": 0.5})
    state.step = 2
    recorder.write_checkpoint(state)
    recorder.write_rows(state)
    assert folder.rows() == state.rows
    checkpoint = folder.latest_checkpoint()
    assert checkpoint is not None
    assert checkpoint.state["rows"] == 2
    assert folder.about()["ended"]["how"] == "running"


def test_the_end_has_weights_score_and_settings(tmp_path: Path) -> None:
    folder = new_folder(tmp_path / "run")
    recorder, state = recorder_of(folder)
    score = nw.Score("accuracy", 0.5, 0.4, 0.6, 30)
    recorder.write_end(state, RunEnd(FINISHED, "All done.", 0), score, recorder.setup.pipeline)
    about = folder.about()
    assert about["score"]["sentence"] == str(score)
    assert about["how"] == {
        "device": "cpu",
        "threads": 1,
        "watch_every": 1,
        "checkpoint_every": 0,
        "precision": None,
        "test": True,
        "sync_batch_norm": False,
        "shard": False,
        "busy_cores": None,
        "speedups": list(speedups_by_rule(RECIPE, "cpu")),
    }
    assert nw.load(tmp_path / "run").score == score


def test_weights_have_all_that_predicting_needs() -> None:
    recorder, _ = recorder_of(None)
    tensors = weights_as_dict(recorder.setup, recorder.setup.pipeline)
    names = {"model.layer1.weight", "preprocess.0.mean", "preprocess.0.scale", "target.mean"}
    assert names <= set(tensors)
    assert all(isinstance(value, torch.Tensor) for value in tensors.values())


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    recorder, state = recorder_of(None)
    state.rows = [{"step": 0}]
    recorder.write_checkpoint(state)
    recorder.write_end(state, RunEnd(FINISHED, "", 0), None, recorder.setup.pipeline)
    assert not list(tmp_path.iterdir())
