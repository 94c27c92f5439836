"""Tensors of a run folder: checkpoints, which are whole or absent, and the final weights."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from netwise.atomic import delete_drafts, delete_folder, write_atomically, write_folder_atomically
from netwise.errors import RunFolderError
from netwise.file_errors import file_access_error, file_errors
from netwise.history import RUNNING
from netwise.storage.layout import CHECKPOINTS, RECIPE, ROWS, WEIGHTS
from netwise.storage.row_log import first_rows
from netwise.storage.seals import FILES, ROWS_SEAL, RowsSeal

STATE, MANIFEST = "state.json", "manifest.json"
KEPT_CHECKPOINTS = 2  # if the newest is damaged, the one before it is used


@dataclass(frozen=True)
class Checkpoint:
    """Everything that resuming a run needs.

    Args:
        tensors: by group ("model", "optimizer", ...) and name.
        state: plain values that JSON can hold.
        path: of its folder; None where it was not read from one.
    """

    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]
    path: Path | None = field(default=None, compare=False)


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
    files[STATE] = json.dumps(checkpoint.state).encode()
    sums = {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}
    files[MANIFEST] = json.dumps(sums, indent=1).encode()
    delete_drafts(home)  # of a process that was killed
    write_folder_atomically(target, files)
    for _, old in _by_step(home)[:-KEPT_CHECKPOINTS]:
        delete_folder(old)


def delete_after(folder: Path, step: int) -> None:
    """Delete the checkpoints of later steps than this one."""
    for later, path in _by_step(folder / CHECKPOINTS):
        if later > step:
            delete_folder(path)


def latest_checkpoint(folder: Path, rows: bytes) -> Checkpoint | None:
    """The newest checkpoint of a run folder that is undamaged and whose rows are in the history;
    None where there is no checkpoint yet. Nothing is changed.

    Args:
        folder: of the run.
        rows: complete lines of its history.

    Raises:
        RunFolderError: there are checkpoints, and none that can be used.
        FileAccessError: they cannot be read, which is not taken for damage.
    """
    reasons, whole = [], []
    for _, path in reversed(_by_step(folder / CHECKPOINTS)):
        checkpoint = _read_checkpoint(path)
        if isinstance(checkpoint, str):
            reasons.append(f"{path.name} {checkpoint}")
            continue
        reason = _misfit(checkpoint.state, rows)
        if not reason:
            return checkpoint
        reasons.append(f"{path.name} {reason}")
        whole.append(path)
    if reasons:
        raise RunFolderError(_cannot_be_resumed(folder, reasons, whole))
    return None


def _cannot_be_resumed(folder: Path, reasons: Sequence[str], whole: Sequence[Path]) -> str:
    """Why no checkpoint can be used, and what of the run can be saved."""
    again = f"train the recipe again, which gives the same numbers: netwise train {folder / RECIPE}"
    if whole:
        again += (
            f'. Or start another run from the weights of {whole[0].name}: init = {{kind = "From", '
            f'path = "{whole[0] / "model.safetensors"}"}}'
        )
    return (
        f"{folder / CHECKPOINTS} is damaged, because no checkpoint can be used: "
        f"{'; '.join(reasons)}. Nothing was changed. Put the files back from a copy, or {again}"
    )


def write_weights(folder: Path, tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Write the final weights of a run folder; returns their SHA-256 by the name of the file."""
    raw = _tensors_as_bytes(tensors)
    write_atomically(folder / WEIGHTS, raw)
    return {WEIGHTS: hashlib.sha256(raw).hexdigest()}


def read_weights(folder: Path, about: Mapping[str, Any]) -> dict[str, Tensor]:
    """The final weights of a run folder.

    Args:
        folder: of the run.
        about: values of its about.json, with the checksum of the weights; runs of earlier versions
            have none.

    Raises:
        RunFolderError: the run has not ended, or the file is damaged.
    """
    path, known = folder / WEIGHTS, about.get(FILES, {}).get(WEIGHTS)
    has_ended = about["ended"]["how"] != RUNNING
    with file_errors(path):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            raw = None
    # A run that was resumed may have the weights of its interruption, which belong to other rows.
    if not has_ended and (raw is None or (known is None and ROWS_SEAL in about)):
        raise RunFolderError(
            f"{folder} has no {WEIGHTS} of its last step, because the run has not ended. "
            f"Resume it first: netwise train --resume {folder}"
        )
    if raw is None:
        raise _damaged_weights(path, "the file is missing")
    if known is not None and hashlib.sha256(raw).hexdigest() != known:
        raise _damaged_weights(path, "it differs from its SHA-256 sum")
    try:
        return dict(load(raw))
    except SafetensorError as error:
        reason = f"it is no complete safetensors file: {error}"
        raise _damaged_weights(path, reason) from None


def _damaged_weights(path: Path, reason: str) -> RunFolderError:
    return RunFolderError(
        f"{path} is damaged, because {reason}. Put it back from a copy, or train the recipe again, "
        f"which gives the same weights: netwise train {path.with_name(RECIPE)}"
    )


def _tensors_as_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    return save({name: value.detach().cpu().contiguous() for name, value in tensors.items()})


def _by_step(home: Path) -> list[tuple[int, Path]]:
    """The folders of checkpoints with their steps, in order. An absent folder has none.

    Raises:
        FileAccessError: it cannot be read.
    """
    with file_errors(home):
        try:
            names = os.listdir(home)
        except FileNotFoundError:
            return []
    steps = {name: name.removeprefix("step-") for name in names if name.startswith("step-")}
    return sorted((int(step), home / name) for name, step in steps.items() if step.isdecimal())


def _read_checkpoint(path: Path) -> Checkpoint | str:
    """One checkpoint, or why it is damaged, as a predicate.

    Raises:
        FileAccessError: a file is there and cannot be read.
    """
    try:
        sums = json.loads(_content(path / MANIFEST))
        if not isinstance(sums, dict) or STATE not in sums:
            return f"has a {MANIFEST} that names no {STATE}"
        raw = {name: _content(path / Path(name).name) for name in sums}
    except FileNotFoundError as error:
        return f"lacks {Path(error.filename).name}"
    except (ValueError, RecursionError) as error:
        return f"has a {MANIFEST} that cannot be read: {error}"
    for name, content in raw.items():
        if hashlib.sha256(content).hexdigest() != sums[name]:
            return f"has a {name} that differs from its SHA-256 sum"
    try:
        tensors = {
            name.removesuffix(".safetensors"): dict(load(content))
            for name, content in raw.items()
            if name.endswith(".safetensors")
        }
        return Checkpoint(tensors, dict(json.loads(raw[STATE])), path)
    except (SafetensorError, ValueError, TypeError, RecursionError) as error:
        return f"cannot be read: {error}"


def _content(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        FileNotFoundError: it is absent.
        FileAccessError: it is there and cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise file_access_error(error, path) from error


def _misfit(state: Mapping[str, Any], rows: bytes) -> str:
    """Why the history does not have the rows that a checkpoint counts on, as a predicate of the
    checkpoint; "" where it has them."""
    count = state.get("rows")
    if not isinstance(count, int) or not isinstance(state.get("step"), int):
        return f"has a {STATE} without the numbers of steps and rows"
    seal = RowsSeal.of(first_rows(rows, count))
    if count > seal.count:
        return f"was written at {count} rows, and {ROWS} has {seal.count}"
    if state.get("rows_sha256") not in (None, seal.sha256):  # earlier versions have none
        return f"does not fit {ROWS}, whose first {count} rows have another SHA-256 sum"
    return ""
