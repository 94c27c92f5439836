"""Samples as one file that many processes map into memory: they share one copy."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from netwise.data.content import FileKey, files_key
from netwise.data.dataset import Pairs, Samples
from netwise.data.encoding import encoder_from
from netwise.errors import FileAccessError
from netwise.parts.preprocess import Fitted

PARTS = ("train", "valid", "test")


def write_mapped(samples: Samples, path: Path, fitted: tuple[Fitted, ...] = ()) -> None:
    """Write samples as one safetensors file.

    Args:
        samples: loaded, or preprocessed.
        path: of the file.
        fitted: what each preprocessing step was fitted to; empty for loaded samples.

    Raises:
        FileAccessError: it cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    samples = samples.unmarked()
    tensors: dict[str, Tensor] = {
        "target.mean": samples.target_mean,
        "target.scale": samples.target_scale,
    }
    for name in PARTS:
        part: Pairs = getattr(samples, name)
        tensors |= {f"{name}.x": part.x, f"{name}.y": part.y}
        if part.weight is not None:
            tensors[f"{name}.weight"] = part.weight
        if part.key is not None:
            tensors[f"{name}.key"] = part.key
    for i, step in enumerate(fitted):
        tensors |= {f"learned.{i}.{key}": value for key, value in step.items()}
    plain = {
        "task": samples.task,
        "classes": list(samples.classes),
        "encoder": samples.encoder.plain(),
        "fingerprint": samples.fingerprint,
        "in_order": samples.in_order,
        "split_by": samples.split_by,
        "notes": list(samples.notes),
        "steps": len(fitted),
    }
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    try:
        save_file(contiguous, path, {"samples": json.dumps(plain)})
    except SafetensorError as error:
        raise FileAccessError(
            f"{path} cannot be written: {error}. Free space on this disk, or set TMPDIR to a "
            "folder on another one.",
            path=path,
            during_work=True,
        ) from error


def read_mapped(path: Path) -> tuple[Samples, tuple[Fitted, ...]]:
    """What `write_mapped` wrote. The tensors are memory-mapped pages of the file, shared by all
    processes that read it."""
    return _read_once(path, files_key([path]))


@lru_cache(maxsize=8)
def _read_once(path: Path, content: tuple[FileKey, ...]) -> tuple[Samples, tuple[Fitted, ...]]:
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        plain = json.loads((file.metadata() or {})["samples"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no dict
    train, valid, test = (
        Pairs(
            tensors[f"{name}.x"],
            tensors[f"{name}.y"],
            tensors.get(f"{name}.weight"),
            tensors.get(f"{name}.key"),
        )
        for name in PARTS
    )
    samples = Samples(
        train,
        valid,
        test,
        plain["task"],
        tuple(plain["classes"]),
        encoder_from(plain["encoder"]),
        plain["fingerprint"],
        tensors["target.mean"],
        tensors["target.scale"],
        plain["in_order"],
        plain["split_by"],
        tuple(plain["notes"]),
    )
    fitted = tuple(
        {
            key.split(".", 2)[2]: value.clone()
            for key, value in tensors.items()
            if key.startswith(f"learned.{i}.")
        }
        for i in range(plain["steps"])
    )
    return samples, fitted
