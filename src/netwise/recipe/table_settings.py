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

HIDDEN = (256, 256)  # units of the hidden layers
LEARNING_RATE = 0.005  # of AdamW, the peak of one cycle
BATCH_SIZE = 200  # samples of one step; fewer samples are all in one batch
# Samples below which a network of this size needs strong regularisation; beyond, the weight decay
# falls with their number.
SMALL_SET = 1000
SMALL_SET_DROPOUT, DROPOUT = 0.5, 0.2
SMALL_SET_DECAY, DECAY = 1.0, 0.1  # of few samples, and of many
MIN_DROPOUT_UNITS = 64  # units of a hidden layer below which none is dropped
STEPS, MIN_EPOCHS, MAX_EPOCHS = 4000, 20, 200
MEMBERS = 8  # networks of an ensemble: more gain little, and prediction costs as many times as much
# Inputs up to which each number has a periodic embedding. Beyond, as for pixels, it costs more than
# all else and gains nothing.
MAX_EMBEDDED = 64
# Limit of standardised inputs, in standard deviations: without it, pixels that are hardly ever on
# reach hundreds.
INPUT_LIMIT = 3.0


def batch_size_for(rows: int) -> int:
    """All samples, at most `BATCH_SIZE`."""
    return min(rows, BATCH_SIZE)


def epochs_for(rows: int, batch_size: int) -> int:
    """Passes over the data that make `STEPS` steps, within limits: small data need many passes."""
    passes = math.ceil(STEPS * batch_size / max(1, rows))
    return max(MIN_EPOCHS, min(MAX_EPOCHS, passes))


def weight_decay_for(rows: int) -> float:
    """Of AdamW."""
    return max(DECAY, SMALL_SET_DECAY * min(1.0, SMALL_SET / max(1, rows)))


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
