"""The run folder: whole or absent, never half."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import torch

import netwise as nw
from netwise.atomic import write_atomically
from netwise.storage.run_folder import Checkpoint, RunFolder, list_runs, new_folder, strict


@pytest.fixture
def folder(tmp_path: Path, small: nw.Recipe) -> RunFolder:
    return RunFolder.create(tmp_path / "run", small)


def checkpoint(value: float) -> Checkpoint:
    return Checkpoint(
        {"model": {"w": torch.full((3,), value)}, "optimizer": {}}, {"step": int(value)}
    )


def test_a_folder_that_holds_something_is_never_written_over(
    tmp_path: Path, small: nw.Recipe
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("years of work")
    with pytest.raises(nw.RunFolderError, match="holds something"):
        nw.fit(small, folder=tmp_path / "a")
    assert (tmp_path / "a" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "file").write_text("x")
    with pytest.raises(nw.RunFolderError):
        RunFolder.create(tmp_path / "file", small)


def test_rows_come_back_and_a_torn_last_line_does_not_count(folder: RunFolder) -> None:
    folder.append([{"step": 0, "loss": 0.5}, {"step": 1, "loss": float("nan")}])
    with open(folder.path / "history" / "rows.jsonl", "a") as file:
        file.write('{"step": 2, "lo')
    assert folder.rows() == [{"step": 0, "loss": 0.5}, {"step": 1, "loss": "nan"}]
    folder.keep_rows(1)
    assert folder.rows() == [{"step": 0, "loss": 0.5}]
    with pytest.raises(nw.RunFolderError, match="the folder is damaged"):
        folder.keep_rows(5)


def test_a_damaged_line_in_the_middle_is_told(folder: RunFolder) -> None:
    (folder.path / "history" / "rows.jsonl").write_text('{"step": 0}\n{"st\n{"step": 2}\n')
    with pytest.raises(nw.RunFolderError, match="is damaged"):
        folder.rows()


def test_the_newest_whole_checkpoint_is_taken_and_two_are_kept(folder: RunFolder) -> None:
    for step in (1, 2, 3):
        folder.write_checkpoint(step, checkpoint(step))
    home = folder.path / "checkpoints"
    assert sorted(p.name for p in home.iterdir()) == ["step-000000002", "step-000000003"]
    latest = folder.latest_checkpoint()
    assert latest is not None
    assert latest.state == {"step": 3}
    raw = bytearray((home / "step-000000003" / "model.safetensors").read_bytes())
    raw[-1] ^= 1  # one bit
    (home / "step-000000003" / "model.safetensors").write_bytes(raw)
    before = folder.latest_checkpoint()
    assert before is not None
    assert torch.equal(before.tensors["model"]["w"], torch.full((3,), 2.0))
    (home / "step-000000002" / "manifest.json").write_text("{")
    with pytest.raises(nw.RunFolderError, match="no checkpoint is whole"):
        folder.latest_checkpoint()


def test_a_draft_that_a_kill_left_behind_is_cleared(folder: RunFolder) -> None:
    (folder.path / "checkpoints" / ".draft-xyz").mkdir()
    assert folder.latest_checkpoint() is None
    assert not list((folder.path / "checkpoints").iterdir())


def test_an_atomic_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, "old")

    def broken(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_no_two_processes_write_one_run(folder: RunFolder) -> None:
    with (
        folder.locked(),
        pytest.raises(nw.RunFolderError, match="is being trained by another process"),
        RunFolder(folder.path).locked(),
    ):
        pass
    with folder.locked():
        pass


def test_folders_are_numbered(tmp_path: Path) -> None:
    assert [new_folder(tmp_path, "digits").name for _ in range(3)] == [
        "digits",
        "digits-2",
        "digits-3",
    ]


def test_the_list_of_runs_is_rebuilt_from_the_folders(tmp_path: Path, small: nw.Recipe) -> None:
    nw.fit(small, folder=tmp_path / "one")
    nw.fit(small.but(seed=1), folder=tmp_path / "two")
    first = list_runs(tmp_path)
    assert sorted(Path(entry.folder).name for entry in first) == ["one", "two"]
    assert {entry.ended for entry in first} == {"finished"}
    assert first[0].score.startswith("accuracy")
    (tmp_path / "index.sqlite").write_bytes(b"this is no database" * 100)
    assert list_runs(tmp_path) == first
    for file in (tmp_path / "one").rglob("*"):
        if file.is_file():
            file.unlink()
    assert [Path(entry.folder).name for entry in list_runs(tmp_path)] == ["two"]
    with sqlite3.connect(tmp_path / "index.sqlite") as base:
        assert base.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    base.close()
    assert list_runs(tmp_path / "nowhere") == []


def test_nothing_in_a_folder_is_code(tmp_path: Path, small: nw.Recipe) -> None:
    nw.fit(small, folder=tmp_path / "run")
    kinds = {path.suffix for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert kinds <= {".toml", ".json", ".jsonl", ".safetensors", ""}
    for path in (tmp_path / "run").rglob("*.safetensors"):
        assert path.read_bytes()[8:9] == b"{"  # a header of text, then numbers


@pytest.mark.parametrize("name", ["recipe.toml", "about.json", "weights.safetensors"])
def test_a_damaged_run_is_told(tmp_path: Path, small: nw.Recipe, name: str) -> None:
    nw.fit(small, folder=tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(b"\x80\x04garbage")
    with pytest.raises(nw.NetwiseError):
        nw.load(tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    with pytest.raises(nw.NetwiseError):
        nw.load(tmp_path / "run")


def test_strict_json_has_words_for_what_is_no_number() -> None:
    text = json.dumps(strict({"a": [float("nan"), float("-inf"), 1.5], "b": (1,)}), allow_nan=False)
    assert text == '{"a": ["nan", "-inf", 1.5], "b": [1]}'
