"""Checkpoints are whole or absent, and damage is detected."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

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
    return Checkpoint(tensors, {"step": int(value)})


def flip_a_bit(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)


def test_a_checkpoint_comes_back_bit_for_bit(folder: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    model = {"w": torch.randn(4, 3, generator=generator), "n": torch.tensor(7)}
    write_checkpoint(folder, 12, Checkpoint({"model": model}, {"step": 12, "rate": 0.1}))
    latest = latest_checkpoint(folder)
    assert latest is not None
    assert latest.state == {"step": 12, "rate": 0.1}
    for name, value in model.items():
        assert torch.equal(latest.tensors["model"][name], value)


def test_the_newest_two_are_kept_and_the_newest_undamaged_is_read(folder: Path) -> None:
    assert latest_checkpoint(folder) is None
    for step in (1, 2, 3):
        write_checkpoint(folder, step, checkpoint(step))
    home = folder / "checkpoints"
    assert sorted(p.name for p in home.iterdir()) == ["step-000000002", "step-000000003"]
    latest = latest_checkpoint(folder)
    assert latest is not None
    assert latest.state == {"step": 3}
    flip_a_bit(home / "step-000000003" / "model.safetensors")
    before = latest_checkpoint(folder)
    assert before is not None
    assert torch.equal(before.tensors["model"]["w"], torch.full((3,), 2.0))
    (home / "step-000000002" / "manifest.json").write_text("{")
    message = (
        f"{home}: all 2 checkpoints are damaged, because their files differ from their SHA-256 "
        "sums. Delete the run folder and train its recipe again."
    )
    with pytest.raises(nw.RunFolderError, match=re.escape(message)):
        latest_checkpoint(folder)


def test_an_existing_checkpoint_of_the_same_step_is_kept(folder: Path) -> None:
    write_checkpoint(folder, 5, checkpoint(1))
    write_checkpoint(folder, 5, checkpoint(2))
    latest = latest_checkpoint(folder)
    assert latest is not None
    assert latest.state == {"step": 1}


def test_an_incomplete_checkpoint_of_a_killed_process_is_deleted(folder: Path) -> None:
    (folder / "checkpoints" / ".draft-xyz").mkdir()
    assert latest_checkpoint(folder) is None
    assert not list((folder / "checkpoints").iterdir())


def test_weights_come_back_and_their_absence_and_damage_are_reported(folder: Path) -> None:
    message = f"{folder} has no weights.safetensors, because the run has not ended. Resume it first"
    with pytest.raises(nw.RunFolderError, match=re.escape(message)):
        read_weights(folder)
    write_weights(folder, {"w": torch.arange(6.0).view(2, 3).T})  # not contiguous
    assert torch.equal(read_weights(folder)["w"], torch.arange(6.0).view(2, 3).T)
    (folder / "weights.safetensors").write_bytes(b"\x80\x04garbage")
    with pytest.raises(nw.RunFolderError, match=r"weights\.safetensors is damaged .* train its"):
        read_weights(folder)
