"""Checkpoints are whole or absent, and damage is detected."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file as read_saved

import netwise as nw
from netwise.storage.checkpoints import (
    Checkpoint,
    latest_checkpoint,
    read_weights,
    write_checkpoint,
    write_weights,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "checkpoints").mkdir()
    return tmp_path


def checkpoint(value: float) -> Checkpoint:
    tensors = {"model": {"w": torch.full((3,), value)}, "optimizer": {}}
    return Checkpoint(tensors, {"step": int(value), "rows": 0})


def flip_a_bit(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)


def test_a_checkpoint_comes_back_bit_for_bit(folder: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    model = {"w": torch.randn(4, 3, generator=generator), "n": torch.tensor(7)}
    write_checkpoint(folder, 12, Checkpoint({"model": model}, {"step": 12, "rows": 0, "rate": 0.1}))
    latest = latest_checkpoint(folder, b"")
    assert latest is not None
    assert latest.state == {"step": 12, "rows": 0, "rate": 0.1}
    for name, value in model.items():
        assert torch.equal(latest.tensors["model"][name], value)


def test_the_newest_two_are_kept_and_the_newest_undamaged_is_read(folder: Path) -> None:
    assert latest_checkpoint(folder, b"") is None
    for step in (1, 2, 3):
        write_checkpoint(folder, step, checkpoint(step))
    home = folder / "checkpoints"
    assert sorted(p.name for p in home.iterdir()) == ["step-000000002", "step-000000003"]
    latest = latest_checkpoint(folder, b"")
    assert latest is not None
    assert latest.state == {"step": 3, "rows": 0}
    flip_a_bit(home / "step-000000003" / "model.safetensors")
    before = latest_checkpoint(folder, b"")
    assert before is not None
    assert torch.equal(before.tensors["model"]["w"], torch.full((3,), 2.0))
    (home / "step-000000002" / "manifest.json").write_text("{")
    message = (
        f"{home} is damaged, because no checkpoint can be used: step-000000003 has a "
        "model.safetensors that differs from its SHA-256 sum; step-000000002 has a manifest.json "
        "that cannot be read"
    )
    with pytest.raises(nw.RunFolderError, match=re.escape(message)):
        latest_checkpoint(folder, b"")


def test_an_existing_checkpoint_of_the_same_step_is_kept(folder: Path) -> None:
    write_checkpoint(folder, 5, checkpoint(1))
    write_checkpoint(folder, 5, checkpoint(2))
    latest = latest_checkpoint(folder, b"")
    assert latest is not None
    assert latest.state == {"step": 1, "rows": 0}


def test_an_incomplete_checkpoint_of_a_killed_process_is_ignored_and_then_deleted(
    folder: Path,
) -> None:
    draft = folder / "checkpoints" / ".draft-xyz"
    draft.mkdir()
    assert latest_checkpoint(folder, b"") is None
    assert draft.exists()  # reading changes nothing
    write_checkpoint(folder, 1, checkpoint(1))
    assert not draft.exists()


def test_the_newest_checkpoint_whose_rows_are_there_is_read(folder: Path) -> None:
    lines = [b'{"step": 0}\n', b'{"step": 1}\n', b'{"step": 2}\n']
    for step in (1, 3):
        state = {"step": step, "rows": step, "rows_sha256": sha256(lines[:step])}
        write_checkpoint(folder, step, Checkpoint({"model": {"w": torch.ones(1)}}, state))
    changed = [lines[0], b'{"step": 9}\n', lines[2]]
    for history, step in ((lines, 3), (lines[:2], 1), (changed, 1), (lines + changed, 3)):
        latest = latest_checkpoint(folder, b"".join(history))
        assert latest is not None
        assert latest.state["step"] == step
    model = folder / "checkpoints" / "step-000000003" / "model.safetensors"
    message = (
        "step-000000003 was written at 3 rows, and history/rows.jsonl has 0; step-000000001 was "
        "written at 1 rows, and history/rows.jsonl has 0. Nothing was changed. Put the files back "
        "from a copy, or train the recipe again, which gives the same numbers: netwise train "
        f"{folder / 'recipe.toml'}. Or start another run from the weights of step-000000003: "
        f'init = {{kind = "From", path = "{model}"}}'
    )
    with pytest.raises(nw.RunFolderError, match=re.escape(message)):
        latest_checkpoint(folder, b"")
    assert torch.equal(read_saved(model)["w"], torch.ones(1))


@pytest.mark.parametrize(
    "manifest", ["", "{", "[]", "{}", "7", "[" * 9000, '{"state.json": 5}', '{"../x": "y"}']
)
def test_a_manifest_of_any_content_is_damage(folder: Path, manifest: str) -> None:
    for step in (1, 2):
        write_checkpoint(folder, step, checkpoint(step))
    (folder / "checkpoints" / "step-000000002" / "manifest.json").write_text(manifest)
    latest = latest_checkpoint(folder, b"")
    assert latest is not None
    assert latest.state["step"] == 1


def not_a_folder(home: Path) -> None:
    shutil.rmtree(home)
    home.write_text("")


def link_to_itself(home: Path) -> None:
    shutil.rmtree(home)
    home.symlink_to(home)


def folder_in_place_of_a_file(home: Path) -> None:
    file = home / "step-000000002" / "model.safetensors"
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("make", [not_a_folder, link_to_itself, folder_in_place_of_a_file])
def test_what_cannot_be_read_is_not_taken_for_absent(
    folder: Path, make: Callable[[Path], None]
) -> None:
    for step in (1, 2):
        write_checkpoint(folder, step, checkpoint(step))
    make(folder / "checkpoints")
    with pytest.raises(nw.FileAccessError, match="checkpoints"):
        latest_checkpoint(folder, b"")


def test_a_folder_without_permission_is_not_taken_for_absent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(folder, 1, checkpoint(1))

    def refuse(path: Path) -> list[str]:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", refuse)  # root may read everything
    with pytest.raises(nw.FileAccessError, match="checkpoints cannot be read: Permission"):
        latest_checkpoint(folder, b"")


def sha256(lines: list[bytes]) -> str:
    return hashlib.sha256(b"".join(lines)).hexdigest()


def test_weights_come_back_and_their_absence_and_damage_are_reported(folder: Path) -> None:
    running, finished = {"ended": {"how": "running"}}, {"ended": {"how": "finished"}}
    path = folder / "weights.safetensors"
    message = f"{folder} has no weights.safetensors of its last step, because the run has not ended"
    with pytest.raises(nw.RunFolderError, match=re.escape(message)):
        read_weights(folder, running)
    with pytest.raises(nw.RunFolderError, match="is damaged, because the file is missing"):
        read_weights(folder, finished)
    files = write_weights(folder, {"w": torch.arange(6.0).view(2, 3).T})  # not contiguous
    known = {**finished, "files": files}
    for about in (finished, known):  # earlier versions have no checksum
        assert torch.equal(read_weights(folder, about)["w"], torch.arange(6.0).view(2, 3).T)
    flip_a_bit(path)
    with pytest.raises(nw.RunFolderError, match="because it differs from its SHA-256 sum"):
        read_weights(folder, known)
    assert not torch.equal(read_weights(folder, finished)["w"], torch.arange(6.0).view(2, 3).T)
    path.write_bytes(b"\x80\x04garbage")
    with pytest.raises(nw.RunFolderError, match=r"because it is no complete safetensors .* train"):
        read_weights(folder, finished)


def test_weights_from_before_a_resumed_run_are_not_read(folder: Path) -> None:
    write_weights(folder, {"w": torch.ones(1)})
    resumed = {"ended": {"how": "running"}, "rows": {"count": 0, "sha256": ""}}
    with pytest.raises(nw.RunFolderError, match="because the run has not ended"):
        read_weights(folder, resumed)
