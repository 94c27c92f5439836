"""Settings of networks for tables, by the number of samples and what the inputs hold.

Measured on small tables of scikit-learn and OpenML, see benchmarks/estimators.md and
benchmarks/tables.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from netwise.data.lazy_rows import pieces_of

HIDDEN = (128, 128)  # units of the hidden layers
LEARNING_RATE = 0.03  # of AdamW, the peak of one cycle
CONSTANT_RATE = 1 / 6  # of this peak, where the rate does not fall
LABEL_SMOOTHING = 0.1  # of classes, in the estimators
ONE_BATCH = 200  # samples up to which all are in one batch
# By the number of samples from which on they hold: samples of a step, and steps of a run. A fit
# shall take about five times as long as gradient boosted trees, see benchmarks/tables.md.
BATCH_SIZES = ((0, 64), (1000, 128), (20_000, 256))
STEPS = ((0, 200), (1000, 600))
# Samples below which a network of this size needs strong regularisation; beyond, the weight decay
# falls with the square of their number.
SMALL_SET = 1000
SMALL_SET_DROPOUT, DROPOUT = 0.3, 0.1
SMALL_SET_DECAY, DECAY = 0.3, 0.03  # of few samples, and of many
MIN_DROPOUT_UNITS = 64  # units of a hidden layer below which none is dropped
MIN_EPOCHS, MAX_EPOCHS = 20, 60
MEMBERS = 8  # networks of an ensemble: more gain little, and prediction costs as many times as much
# Inputs up to which each number has a periodic embedding. Beyond, as for pixels, it costs more than
# all else and gains nothing.
MAX_EMBEDDED = 64
# Limit of standardised inputs, in standard deviations: without it, pixels that are hardly ever on
# reach hundreds.
INPUT_LIMIT = 3.0


def batch_size_for(rows: int) -> int:
    """All samples up to `ONE_BATCH`, else about one of `BATCH_SIZES`: batches of one epoch are of
    nearly the same size, since a small last one costs as much as another, and all members have as
    many rows of them."""
    if rows <= ONE_BATCH:
        return rows
    batches = round(rows / _by_rows(BATCH_SIZES, rows))
    return MEMBERS * math.ceil(rows / (MEMBERS * batches))


def _by_rows(values: Sequence[tuple[int, int]], rows: int) -> int:
    """The last of (least rows, value) that holds for so many rows."""
    return [value for least, value in values if rows >= least][-1]


def epochs_for(rows: int, batch_size: int) -> int:
    """Passes over the data that make one of `STEPS`, within limits: small data need many passes."""
    passes = math.ceil(_by_rows(STEPS, rows) * batch_size / max(1, rows))
    return max(MIN_EPOCHS, min(MAX_EPOCHS, passes))


def weight_decay_for(rows: int) -> float:
    """Of AdamW."""
    return max(DECAY, SMALL_SET_DECAY * min(1.0, SMALL_SET / max(1, rows)) ** 2)


def dropout_for(rows: int, hidden: Sequence[int]) -> float:
    """Share of hidden units to drop; none where a hidden layer is narrow or missing."""
    if not hidden or min(hidden) < MIN_DROPOUT_UNITS:
        return 0.0
    return SMALL_SET_DROPOUT if rows < SMALL_SET else DROPOUT


def embedded_inputs(x: Tensor, hidden: Sequence[int]) -> tuple[int, ...]:
    """Indices of the inputs that get a periodic embedding: those with more than two values. None
    where there is no hidden layer, or where there are more than `MAX_EMBEDDED`."""
    if not hidden or x.dim() != 2:
        return ()
    low, high = x.amin(0), x.amax(0)
    inside = torch.zeros_like(low, dtype=torch.bool)
    for piece in pieces_of(x):
        inside |= (~((piece == low) | (piece == high))).any(0)
    numbers = inside.nonzero().flatten().tolist()
    return tuple(numbers) if len(numbers) <= MAX_EMBEDDED else ()
