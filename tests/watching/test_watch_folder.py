"""`nw.watch(folder=...)` writes run folders while a loop runs, and never disturbs the loop."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw
from netwise.storage.run_folder import RunFolder
from netwise.watching import run_files

X = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
Y = X[:, :3].argmax(1)


def train(steps: int, after_step: Callable[[int], None] = lambda step: None) -> list[float]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for step in range(steps):
        rows = torch.randint(200, (16,))
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X[rows]), Y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        after_step(step)
    return losses


def test_the_folder_holds_what_the_watch_recorded(tmp_path: Path) -> None:
    expected = train(600)
    with nw.watch(folder=tmp_path / "runs" / "train") as w:
        losses = train(600)
    assert losses == expected
    assert w.errors == ()
    assert w.folders == {"model": tmp_path / "runs" / "train"}
    saved = nw.load_history(tmp_path / "runs" / "train")
    assert repr(saved) == repr(w.history().but(series=saved.series))
    assert repr(sorted(saved.series.items())) == repr(sorted(w.history().series.items()))
    assert saved.ended.step == 600
    assert RunFolder.open(tmp_path / "runs" / "train").program()["model"] == "model"


def test_losses_of_all_steps_are_in_the_file_while_the_loop_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "FLUSH_SECONDS", 0.0)
    seen = {}

    def read(step: int) -> None:
        if step in (50, 299):
            seen[step] = nw.load_history(tmp_path / "train")

    with nw.watch(folder=tmp_path / "train"):
        losses = train(300, read)
    for step, history in seen.items():
        loss = history.of("loss")
        assert loss is not None
        assert step - loss.steps[-1] <= 2  # the last step may not be closed
        assert loss.values == pytest.approx([losses[i] for i in loss.steps])
        assert history.ended.how == "running"
        assert len(history.layers) == 2


def test_a_message_that_is_no_unicode_leaves_a_folder_that_is_read(tmp_path: Path) -> None:
    def fail(step: int) -> None:
        if step == 3:
            raise ValueError("half of a pair: \ud800")

    with pytest.raises(ValueError, match="half"), nw.watch(folder=tmp_path / "train"):
        train(5, fail)
    error = nw.load_history(tmp_path / "train").error
    assert error is not None
    assert error.message == "half of a pair: \\ud800"


def test_a_folder_that_holds_something_is_refused_before_the_loop(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(nw.RunFolderError, match="exists already and holds something"):
        nw.watch(folder=tmp_path)


def test_a_full_disk_ends_the_files_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    expected = train(200)
    monkeypatch.setattr(RunFolder, "append", full)
    with nw.watch(folder=tmp_path / "train") as w:
        losses = train(200)
    assert losses == expected
    assert w.history().ended.step == 200
    (error,) = w.errors
    assert error.startswith("files: RunFolderError: ")
    assert "cannot be written: No space left on device" in error


def test_without_a_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with nw.watch() as w:
        train(30)
    assert w.folders == {}
    assert list(tmp_path.iterdir()) == []
