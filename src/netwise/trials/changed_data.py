"""Kept batches with something changed: inputs or targets standardised, other targets, few rows, or
rows in another order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch
from netwise.trials.bench import Bench, rows_agree, rows_of_batch
from netwise.trials.rebuilt_loss import BITS, CLASSES, LOGITS, NUMBERS, RebuiltLoss, is_one_hot

Batches = tuple[KeptBatch, ...]
FEW = 16  # samples that any network should fit
ORDERED = 4.0  # variance of the means of batches over that of random batches
OFF_SCALE = 3.0  # mean over spread, or spread, from which standardising changes something


def few_rows(bench: Bench) -> Batches | None:
    """One batch of the first few samples; None where batches cannot be cut."""
    for batch in bench.batches:
        if rows_agree(batch) and len(batch.inputs[0]) >= FEW:
            return (rows_of_batch(batch, slice(0, FEW)),)
    return None


def half_of_rows(batches: Batches, half: int) -> Batches | None:
    """Every other row of each batch; None where batches cannot be cut.

    Args:
        batches: with targets.
        half: 0 or 1, from which row on.
    """
    if not batches or not all(rows_agree(b) and len(b.inputs[0]) > 1 for b in batches):
        return None
    return tuple(rows_of_batch(batch, slice(half, None, 2)) for batch in batches)


def mixed_rows(bench: Bench) -> tuple[Batches, Batches] | None:
    """Batches of the same sizes with all rows in a random order; None where batches cannot be
    joined, or do not differ more than random ones do."""
    batches = bench.batches
    joined = _joined(batches)
    if joined is None or len(batches) < 3 or not _are_sorted(batches):
        return None
    x, y = joined
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    rows = order.split([len(_target(batch)) for batch in batches])
    made = (
        replace(batch, args=(x[some],), target=y[some])
        for batch, some in zip(batches, rows, strict=True)
    )
    return tuple(made), bench.held


def _are_sorted(batches: Sequence[KeptBatch]) -> bool:
    """Whether the means of the batches' targets differ far more than those of random batches, whose
    variance is that of the targets over the size."""
    targets = [
        _target(batch).double().flatten(1 if _target(batch).dim() > 1 else 0) for batch in batches
    ]
    if len({t.shape[1:] for t in targets}) != 1 or min(map(len, targets)) < 2:
        return False
    whole = torch.cat(targets).var(0).sum()
    size = min(map(len, targets))
    means = torch.stack([t.mean(0) for t in targets]).var(0).sum()
    return bool(whole > 0) and float(means * size / whole) > ORDERED


def exchanged_targets(bench: Bench) -> Batches | None:
    """All batches with the targets of other rows, a row that occurs again with the same one; None
    where batches cannot be joined."""
    joined = _joined(bench.batches)
    if joined is None:
        return None
    x, y = joined
    _, which = torch.unique(x.flatten(1), dim=0, return_inverse=True)
    count = int(which.max()) + 1
    first = torch.empty(count, dtype=torch.long).scatter_(0, which, torch.arange(len(which)))
    others = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    parts = y[first[others]][which].split([len(_target(batch)) for batch in bench.batches])
    return tuple(replace(b, target=t) for b, t in zip(bench.batches, parts, strict=True))


def _joined(batches: Sequence[KeptBatch]) -> tuple[Tensor, Tensor] | None:
    """All inputs and targets, where each batch has one tensor of inputs with rows of one shape."""
    if not batches or any(batch.kwargs or len(batch.args) != 1 for batch in batches):
        return None
    if not all(map(rows_agree, batches)) or len({b.args[0].shape[1:] for b in batches}) != 1:
        return None
    return torch.cat([b.args[0] for b in batches]), torch.cat([_target(b) for b in batches])


def _target(batch: KeptBatch) -> Tensor:
    assert batch.target is not None
    return batch.target


def standard_inputs(bench: Bench) -> tuple[Batches, Batches] | None:
    """All batches with each input feature standardised by the training batches; None where inputs
    are no numbers, or have mean 0 and standard deviation 1 within a factor."""
    first = [b.args[0] for b in bench.batches if b.args and isinstance(b.args[0], Tensor)]
    if len(first) != len(bench.batches) or not all(t.is_floating_point() for t in first):
        return None
    if len({t.shape[1:] for t in first}) != 1 or first[0].dim() < 2:
        return None
    x = torch.cat(first)
    axes = (0,) if x.dim() == 2 else tuple(axis for axis in range(x.dim()) if axis != 1)
    mean, std = x.mean(axes, keepdim=True), x.std(axes, keepdim=True).clamp(min=1e-12)
    whole = float(x.std())
    usual = abs(float(x.mean())) < OFF_SCALE * whole and 1 / OFF_SCALE**2 < whole < OFF_SCALE
    if usual and float(std.max()) < OFF_SCALE**2:
        return None

    def changed(batch: KeptBatch) -> KeptBatch:
        inputs = (batch.args[0] - mean) / std
        return replace(batch, args=(inputs, *batch.args[1:]))

    held = [b for b in bench.held if b.args and isinstance(b.args[0], Tensor)]
    if len(held) != len(bench.held):
        return None
    return tuple(map(changed, bench.batches)), tuple(map(changed, bench.held))


def standard_targets(bench: Bench) -> tuple[Batches, Batches] | None:
    """All batches with targets of mean 0 and standard deviation 1; None where they are no numbers,
    or have these within a factor."""
    if bench.loss.kind != NUMBERS:
        return None
    targets = [b.target for b in bench.batches if b.target is not None]
    if not all(t.is_floating_point() for t in targets) or len({t.shape[1:] for t in targets}) != 1:
        return None
    y = torch.cat(targets)
    mean, std = y.mean(), y.std().clamp(min=1e-12)
    if abs(float(mean)) < OFF_SCALE * float(std) and 1 / OFF_SCALE < float(std) < OFF_SCALE:
        return None

    def changed(batch: KeptBatch) -> KeptBatch:
        assert batch.target is not None
        return replace(batch, target=(batch.target - mean) / std)

    return tuple(map(changed, bench.batches)), tuple(map(changed, bench.held))


def on_classes(bench: Bench) -> tuple[Batches, Batches, RebuiltLoss] | None:
    """Batches and a cross-entropy of the outputs as logits, where targets are classes or bits and
    the program's loss is another one; else None."""
    loss = bench.loss
    targets = [b.target for b in (*bench.batches, *bench.held) if b.target is not None]
    if all(map(is_one_hot, targets)):
        return _with(bench, lambda t: t.argmax(1), loss, CLASSES)
    if (
        loss.kind == CLASSES
        and loss.name != LOGITS
        and all(not t.is_floating_point() for t in targets)
    ):
        return _with(bench, _same, loss, CLASSES)
    bits = all(bool(((t == 0) | (t == 1)).all()) for t in targets)
    if bits and loss.kind in (BITS, NUMBERS) and loss.name != "of logits":
        return _with(bench, lambda t: t.float(), loss, BITS)
    return None


def _same(target: Tensor) -> Tensor:
    return target


def _with(
    bench: Bench, change: Callable[[Tensor], Tensor], loss: RebuiltLoss, kind: str
) -> tuple[Batches, Batches, RebuiltLoss]:
    def changed(batches: Sequence[KeptBatch]) -> Batches:
        return tuple(replace(b, target=change(b.target)) for b in batches if b.target is not None)

    function: Any = F.cross_entropy if kind == CLASSES else F.binary_cross_entropy_with_logits
    name = LOGITS if kind == CLASSES else "binary cross-entropy of logits"
    made = replace(loss, name=name, function=function, kind=kind, middle=0.0)
    return changed(bench.batches), changed(bench.held), made
