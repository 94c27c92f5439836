"""The summary of data without columns: arrays, pictures, texts, and data sets by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from netwise.data.summary import advice
from netwise.data.summary.data_summary import DataSummary
from netwise.data.summary.repeated_rows import counted_repeats, hashes_of_tensors
from netwise.data.summary.values import Repeats, TargetSummary, numbers_of
from netwise.tasks import task_named

MOST_NUMBERS = 1 << 31  # of inputs that are compared row by row
TOGETHER = "keep them in one part by a group (data.arrays(..., group=...))"


@dataclass(frozen=True, eq=False)
class LoadedParts:
    """Samples as `Data.load` gives them.

    Args:
        x, y: inputs and targets of the training, validation and test part.
        task: of the samples.
        classes: their names.
        mean, scale: of the targets, which are (raw - mean) / scale.
        split_by: "group", "time" or "".
        notes: how they were read.
    """

    x: Sequence[Tensor]
    y: Sequence[Tensor]
    task: str
    classes: tuple[str, ...]
    mean: Tensor
    scale: Tensor
    split_by: str
    notes: tuple[str, ...] = ()


def summary_of_samples(name: str, loaded: LoadedParts, split: str) -> DataSummary:
    """The summary of samples.

    Args:
        name: of the data.
        loaded: their parts.
        split: how the parts were chosen, as a sentence without its full stop; "" where not known.
    """
    lengths = [len(x) for x in loaded.x]
    sizes = dict(zip(("train", "valid", "test"), lengths, strict=True))
    rows = sum(lengths)
    shape = tuple(loaded.x[0].shape[1:])
    inputs = (
        f"samples of {' x '.join(map(str, shape))} numbers" if shape else "samples of one number"
    )
    target = _target(loaded)
    repeats = _repeats(loaded)
    found = advice.target_advice(target, rows) if loaded.y[0].dim() == 1 else []
    if repeats is not None:
        found += advice.repeat_advice(repeats, sizes, loaded.split_by, TOGETHER)
    return DataSummary(
        name=name,
        rows=rows,
        inputs=inputs,
        notes=loaded.notes,
        target=target,
        parts=sizes,
        split=split,
        repeats=repeats,
        advice=tuple(found),
    )


def _target(loaded: LoadedParts) -> TargetSummary:
    if task_named(loaded.task).has_classes:
        every = torch.cat([y.flatten() for y in loaded.y])
        counts = torch.bincount(every, minlength=len(loaded.classes)).tolist()
        return TargetSummary("", loaded.task, dict(zip(loaded.classes, counts, strict=True)))
    if task_named(loaded.task).has_values and loaded.y[0].shape[1:] == (1,):
        values = torch.cat(list(loaded.y)).double() * loaded.scale + loaded.mean
        return TargetSummary("", loaded.task, numbers=numbers_of(values.numpy()))
    return TargetSummary("", loaded.task)


def _repeats(loaded: LoadedParts) -> Repeats | None:
    """Of plain tensors; tensors that hold pictures in another form are left to their reader."""
    plain = all(type(x) is Tensor and x.is_floating_point() for x in loaded.x)
    if not plain or sum(x.numel() for x in loaded.x) > MOST_NUMBERS:
        return None
    hashes = [hashes_of_tensors([x, y]) for x, y in zip(loaded.x, loaded.y, strict=True)]
    ends = np.cumsum([0, *map(len, hashes)])
    parts = [np.arange(start, end) for start, end in pairwise(ends)]
    return Repeats(*counted_repeats(np.concatenate(hashes), parts))
