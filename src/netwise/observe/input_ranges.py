"""Inputs of evaluation that lie beyond those of training, and single numbers that stand for values
that are missing."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch

MARGIN = 0.1  # of the range of a feature in training: a sample does not show its ends
FEWEST = 60  # rows
MOST_FEATURES = 512
FEWEST_VALUES = 20  # different ones beside the repeated one, of a feature of numbers
RARE, OFTEN = 0.003, 0.3  # share of the rows that have the repeated number
LEFT = 0.2  # of the standard deviation, without the repeated number


def beyond_training(training: Iterable[KeptBatch], evaluation: Iterable[KeptBatch]) -> float | None:
    """The share of the numbers of evaluated inputs that are outside of the range that their feature
    has in training; None for inputs of one number, other than numbers, or with few rows.

    >>> def kept(x):
    ...     return [KeptBatch((x,), {})]
    >>> x = torch.rand(80, 3)
    >>> beyond_training(kept(x), kept(x + 5)), beyond_training(kept(x), kept(x))
    (1.0, 0.0)
    """
    seen, asked = _rows(training), _rows(evaluation)
    if seen is None or asked is None or seen.shape[1] != asked.shape[1] or seen.shape[1] < 2:
        return None
    low, high = seen.amin(0), seen.amax(0)
    room = MARGIN * (high - low)
    return float(((asked < low - room) | (asked > high + room)).double().mean())


def missing_marks(training: Iterable[KeptBatch]) -> tuple[int, float, float] | None:
    """Features in which one number at the end of their range is that of several rows and makes up
    nearly all of their spread: how many, the mean share of the rows, and the standard deviation of
    the other rows over that of all, at most; None without such features.

    >>> x = torch.randn(400, 2)
    >>> x[::25, 0] = -999
    >>> missing_marks([KeptBatch((x,), {})])[:2]
    (1, 0.04)
    """
    rows = _rows(training)
    if rows is None:
        return None
    count, shares, ratios = 0, [], []
    for column in rows.T:
        found = _mark(column)
        if found is not None:
            count += 1
            shares.append(found[0])
            ratios.append(found[1])
    return (count, sum(shares) / count, max(ratios)) if count else None


def _mark(column: Tensor) -> tuple[float, float] | None:
    spread = column.std(unbiased=False)
    for end in (column.min(), column.max()):
        marked = column == end
        share = float(marked.double().mean())
        others = column[~marked]
        if not RARE <= share <= OFTEN or int(marked.sum()) < 3:
            continue
        if len(others[:512].unique()) < FEWEST_VALUES:
            continue
        ratio = float(others.std(unbiased=False) / spread)
        if ratio < LEFT:
            return share, ratio
    return None


def _rows(batches: Iterable[KeptBatch]) -> Tensor | None:
    """The first input of numbers as (rows, features)."""
    tensors: list[Tensor] = []
    for batch in batches:
        inputs = [t for t in batch.inputs if t.is_floating_point() and t.dim() > 1]
        if inputs and (not tensors or inputs[0].shape[1:] == tensors[0].shape[1:]):
            tensors.append(inputs[0])
    if sum(len(tensor) for tensor in tensors) < FEWEST:
        return None
    rows = torch.cat(tensors).flatten(1)
    return rows[:, :: -(-rows.shape[1] // MOST_FEATURES)].double()
