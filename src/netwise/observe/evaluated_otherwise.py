"""Whether an evaluation asks for other targets than training: in other units, or for something else
than the inputs themselves; and whether its inputs are drawn anew each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.row_fingerprints import row_keys

FEWEST = 30  # rows of targets
FEWEST_BLOCKS = 3  # evaluations of the same targets
Units = tuple[float, float, float, float]


def target_units(training: Iterable[KeptBatch], evaluation: Iterable[KeptBatch]) -> Units | None:
    """Mean and standard deviation of the targets in training, then in evaluation; None where they
    are not numbers of the same loss, or few.

    >>> x, y = torch.zeros(40, 2), torch.arange(40.0)[:, None]
    >>> def kept(y, training):
    ...     return [KeptBatch((x,), {}, y, "squared error", training=training)]
    >>> target_units(kept(y - 19.5, True), kept(y, False))[::2]
    (0.0, 19.5)
    """
    found = [
        [value for value in map(_numbers, batches) if value is not None]
        for batches in (training, evaluation)
    ]
    if min(sum(len(value) for value in values) for values in found) < FEWEST:
        return None
    if len({value.shape[1] for values in found for value in values}) > 1:
        return None
    parts = []
    for values in found:
        all_values = torch.cat(values).double()
        parts += [float(all_values.mean()), float(all_values.std(unbiased=False))]
    return parts[0], parts[1], parts[2], parts[3]


def _numbers(batch: KeptBatch) -> Tensor | None:
    target = batch.target
    if target is None or not target.is_floating_point() or not target.dim():
        return None
    return target.reshape(len(target), -1)


def copies_inputs(batches: Iterable[KeptBatch]) -> bool | None:
    """Whether targets are always an input itself; None where they are so at times, or without any
    targets.

    >>> x = torch.eye(3)
    >>> copies_inputs([KeptBatch((x,), {}, x)]), copies_inputs([KeptBatch((x,), {}, 2 * x)])
    (True, False)
    """
    found = {_is_input(batch) for batch in batches if batch.target is not None}
    return found.pop() if len(found) == 1 else None


def _is_input(batch: KeptBatch) -> bool:
    target = batch.target
    return target is not None and any(
        target.shape == t.shape and bool((target == t).all()) for t in batch.inputs
    )


def drawn_anew(evaluation: Sequence[KeptBatch]) -> bool | None:
    """Whether evaluations ask for the same targets in the same order, of inputs all rows of which
    are new each time; None with few evaluations, or where targets are of the inputs' form.

    >>> y = torch.arange(40) % 3
    >>> def evaluated(block):
    ...     return KeptBatch((torch.rand(40, 2),), {}, y, training=False, block=block)
    >>> drawn_anew([evaluated(block) for block in range(3)])
    True
    """
    blocks: dict[int, list[KeptBatch]] = {}
    for batch in evaluation:
        if batch.target is not None and not batch.on_training_rows:
            blocks.setdefault(batch.block, []).append(batch)
    known = list(blocks.values())
    if len(known) < FEWEST_BLOCKS:
        return None
    first = known[0]
    targets = [batch.target for batch in first if batch.target is not None]
    if sum(len(target) if target.dim() else 0 for target in targets) < FEWEST:
        return None
    if any(t.shape == batch.target.shape for batch in first for t in batch.inputs
           if batch.target is not None):  # fmt: skip
        return None  # noise that is taken away may be drawn anew
    if len({float(value) for value in torch.cat([t.flatten() for t in targets]).unique()}) < 2:
        return None
    seen: set[int] = set()
    for batches in known:
        pairs = list(zip(first, batches, strict=False))
        if len(batches) < len(first) and batches is not known[-1]:
            return False
        if not all(_same_targets(one, other) for one, other in pairs):
            return False
        keys = {key for batch in batches for key in row_keys(batch.inputs)}
        if keys & seen:
            return False
        seen |= keys
    return True


def _same_targets(one: KeptBatch, other: KeptBatch) -> bool:
    a, b = one.target, other.target
    return a is not None and b is not None and a.shape == b.shape and bool((a == b).all())
