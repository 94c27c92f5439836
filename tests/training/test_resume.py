"""A run that was killed is resumed, to the same bits as without the interruption."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import netwise as nw
from netwise.storage.run_folder import RunFolder

RECIPE = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 32, 10), batch_norm=True, dropout=0.3),
    augment=(nw.Noise(std=0.05),),
    penalty=nw.L2(strength=1e-3),
    optimizer=nw.Adam(lr=0.003),
    schedule=nw.Cosine(),
    batch_size=16,
    epochs=30,
    stopping=nw.Patience(25),
)
WORKER = """
import sys, netwise as nw
nw.fit(nw.read_recipe(sys.argv[1]), folder=sys.argv[2], checkpoint_every=7)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> nw.Run:
    return nw.fit(RECIPE, folder=tmp_path_factory.mktemp("whole") / "run", checkpoint_every=7)


def same(one: nw.Run, other: nw.Run) -> None:
    assert one.history.series == other.history.series
    assert one.history.ended == other.history.ended
    assert one.history.layers == other.history.layers
    assert one.history.wiring == other.history.wiring is not None
    assert one.history.made_by.threads == other.history.made_by.threads
    assert one.score == other.score
    for (name, a), b in zip(
        one.module.state_dict().items(), other.module.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b), name
    assert one.folder is not None
    assert other.folder is not None
    assert (one.folder / "history" / "rows.jsonl").read_bytes() == (
        other.folder / "history" / "rows.jsonl"
    ).read_bytes()
    assert RunFolder(one.folder).weights().keys() == RunFolder(other.folder).weights().keys()


@pytest.mark.usefixtures("processes_without_coverage")
@pytest.mark.parametrize("attempt", range(4))
def test_killed_at_any_moment_it_ends_with_the_same_bits(
    whole: nw.Run, tmp_path: Path, attempt: int
) -> None:
    nw.write_recipe(RECIPE, tmp_path / "recipe.toml")
    folder, draw = tmp_path / "run", random.Random(attempt)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path / "recipe.toml"), str(folder)]
    )
    rows, deadline = folder / "history" / "rows.jsonl", time.monotonic() + 60
    while (
        not (rows.is_file() and rows.stat().st_size > 0)
        and time.monotonic() < deadline
        and worker.poll() is None
    ):
        time.sleep(0.002)
    time.sleep(draw.random() * 0.8)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    ended = nw.load_history(folder).ended
    if ended.how == "interrupted":  # else it was faster than the kill
        assert ended.sentence.startswith("The run was killed or crashed; ")
        assert [entry.ended for entry in nw.list_runs(tmp_path)] == ["interrupted"]
        same(nw.resume(folder), whole)
    else:
        same(nw.load(folder), whole)


def test_stopped_by_a_signal_again_and_again_it_ends_with_the_same_bits(
    whole: nw.Run, tmp_path: Path
) -> None:
    class Stop(nw.Silent):
        """Asks to stop at a certain step, by the signal that a terminal sends."""

        def __init__(self, at: int) -> None:
            self.at, self.done = at, False

        def step(self, done: int) -> None:
            if done >= self.at and not self.done:
                self.done = True
                os.kill(os.getpid(), signal.SIGINT)

    folder = tmp_path / "run"
    run = nw.fit(RECIPE, folder=folder, checkpoint_every=7, progress=Stop(100))
    for at in (400, 401, 900):
        assert run.history.ended.how == "interrupted"
        assert "SIGINT" in run.history.ended.sentence
        assert run.score is None
        run = nw.resume(folder, progress=Stop(at))
    assert run.history.ended.how == "interrupted"
    same(nw.resume(folder), whole)


def test_what_an_interrupted_run_learned_is_kept(tmp_path: Path) -> None:
    class Stop(nw.Silent):
        def epoch(self, epoch: int, row: object) -> None:
            if epoch == 3:
                os.kill(os.getpid(), signal.SIGTERM)

    run = nw.fit(RECIPE, folder=tmp_path / "run", progress=Stop())
    assert run.history.ended.how == "interrupted"
    assert "SIGTERM" in run.history.ended.sentence
    loaded = nw.load(tmp_path / "run")
    assert all(
        torch.equal(a, b)
        for a, b in zip(run.module.parameters(), loaded.module.parameters(), strict=True)
    )
    losses = loaded.history.of("valid.loss")
    assert losses is not None
    assert len(losses) >= 3


def test_killed_before_the_first_checkpoint_it_starts_from_the_first_step(
    whole: nw.Run, tmp_path: Path
) -> None:
    import shutil

    assert whole.folder is not None
    folder = tmp_path / "run"
    shutil.copytree(whole.folder, folder)
    shutil.rmtree(folder / "checkpoints")
    (folder / "checkpoints").mkdir()
    (folder / "weights.safetensors").unlink()
    store = RunFolder(folder)
    store.write_about(
        {**store.about(), "ended": {"how": "running", "sentence": "", "step": 0}, "score": None}
    )
    same(nw.resume(folder), whole)


def test_a_run_that_has_ended_is_not_resumed(whole: nw.Run, tmp_path: Path) -> None:
    assert whole.folder is not None
    with pytest.raises(
        nw.RunFolderError,
        match=r"has ended \((finished|stopped early)\): there is nothing left to do",
    ):
        nw.resume(whole.folder)
    with pytest.raises(nw.RunFolderError, match="is not a run folder"):
        nw.resume(tmp_path)


def test_data_that_have_changed_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "1,u\n2,v\n" * 40)

    class Stop(nw.Silent):
        def epoch(self, epoch: int, row: object) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    nw.fit(
        nw.Recipe(data=nw.data.csv(path, "y"), network=nw.MLP((1, 2)), epochs=5),
        folder=tmp_path / "run",
        progress=Stop(),
    )
    path.write_text("a,y\n" + "1,u\n3,v\n" * 40)
    with pytest.raises(nw.RunFolderError, match="the data have changed since the run began"):
        nw.resume(tmp_path / "run")
