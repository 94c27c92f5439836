"""Tensors of a run folder: checkpoints, which are whole or absent, and the final weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from netwise.atomic import delete_drafts, delete_folder, write_atomically, write_folder_atomically
from netwise.errors import RunFolderError
from netwise.storage.layout import CHECKPOINTS, WEIGHTS

KEPT_CHECKPOINTS = 2  # if the newest is damaged, the one before it is used


@dataclass(frozen=True)
class Checkpoint:
    """Everything that resuming a run needs.

    Args:
        tensors: by group ("model", "optimizer", ...) and name.
        state: plain values that JSON can hold.
    """

    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


def write_checkpoint(folder: Path, step: int, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of `step` into a run folder, then delete all but the newest two.

    Its files are written together with their SHA-256 sums, all or none. An existing checkpoint of
    the same step is kept.
    """
    home = folder / CHECKPOINTS
    target = home / f"step-{step:09d}"
    if target.exists():
        return
    files = {
        f"{group}.safetensors": _tensors_as_bytes(tensors)
        for group, tensors in checkpoint.tensors.items()
    }
    files["state.json"] = json.dumps(checkpoint.state).encode()
    sums = {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}
    files["manifest.json"] = json.dumps(sums, indent=1).encode()
    write_folder_atomically(target, files)
    for old in sorted(home.glob("step-*"))[:-KEPT_CHECKPOINTS]:
        delete_folder(old)


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest undamaged checkpoint of a run folder; None where there is no checkpoint yet.

    Raises:
        RunFolderError: all checkpoints are damaged.
    """
    home = folder / CHECKPOINTS
    delete_drafts(home)
    candidates = sorted(home.glob("step-*"), reverse=True)
    for path in candidates:
        checkpoint = _read_checkpoint(path)
        if checkpoint is not None:
            return checkpoint
    if candidates:
        raise RunFolderError(
            f"{home}: all {len(candidates)} checkpoints are damaged, because their files differ "
            "from their SHA-256 sums. Delete the run folder and train its recipe again."
        )
    return None


def write_weights(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write the final weights of a run folder."""
    write_atomically(folder / WEIGHTS, _tensors_as_bytes(tensors))


def read_weights(folder: Path) -> dict[str, Tensor]:
    """The final weights of a run folder.

    Raises:
        RunFolderError: the run has not ended, or the file is damaged.
    """
    path = folder / WEIGHTS
    try:
        return dict(load(path.read_bytes()))
    except FileNotFoundError:
        raise RunFolderError(
            f"{folder} has no {WEIGHTS}, because the run has not ended. "
            f"Resume it first: netwise train --resume {folder}"
        ) from None
    except SafetensorError as error:
        raise RunFolderError(
            f"{path} is damaged ({error}), because it is no complete safetensors file. "
            "Delete the run folder and train its recipe again."
        ) from None


def _tensors_as_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    return save({name: value.detach().cpu().contiguous() for name, value in tensors.items()})


def _read_checkpoint(path: Path) -> Checkpoint | None:
    """One checkpoint; None where a file is missing or differs from its sum."""
    try:
        sums = json.loads((path / "manifest.json").read_text("utf-8"))
        raw = {name: (path / name).read_bytes() for name in sums}
    except (OSError, ValueError):
        return None
    if any(hashlib.sha256(content).hexdigest() != sums[name] for name, content in raw.items()):
        return None
    tensors = {
        name.removesuffix(".safetensors"): dict(load(content))
        for name, content in raw.items()
        if name.endswith(".safetensors")
    }
    return Checkpoint(tensors, json.loads(raw["state.json"]))
