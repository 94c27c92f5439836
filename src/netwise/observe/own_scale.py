"""Whether the rows of an evaluation were scaled by numbers of their own."""

from __future__ import annotations

import torch
from torch import Tensor

from netwise.observe.readable import readable

MOST_NUMBERS = 2**16  # of one batch; larger ones are not read
FEWEST_ROWS = 20
# Features that reach both 0 and 1. Of rows that were scaled together with more others, one in four
# has its lowest and its highest value here at most, so that three do in one of 64 cases.
FEWEST_FEATURES = 3
MOST_AT_END = 2  # rows at an end of a feature: more are no scaled numbers, as of pixels and marks
ROUNDING = 1e-5

RANGE = "range"
MOMENTS = "moments"


class OwnScale:
    """Ranges and moments of each feature of all rows of an evaluation.

    Example:
        >>> rows = torch.randn(50, 3)
        >>> own = OwnScale()
        >>> own.add((rows - rows.mean(0)) / rows.std(0))
        >>> own.kind
        'moments'
        >>> own = OwnScale()
        >>> own.add((rows - rows.amin(0)) / (rows.amax(0) - rows.amin(0)))
        >>> own.kind
        'range'
    """

    def __init__(self) -> None:
        self._rows: list[Tensor] | None = []

    def add(self, inputs: Tensor) -> None:
        """Add a batch (samples, features); others end the comparison."""
        values = readable(inputs)
        fits = values is not None and values.is_floating_point() and values.dim() == 2
        if values is None or not fits or values.numel() > MOST_NUMBERS or self._rows is None:
            self._rows = None
            return
        self._rows.append(values.detach().cpu().double())
        if sum(rows.numel() for rows in self._rows) > MOST_NUMBERS:
            self._rows = None

    @property
    def kind(self) -> str:
        """ "range" where each feature is from exactly 0 to exactly 1, "moments" where each has mean
        0 and standard deviation 1, else ""."""
        if not self._rows or len({rows.shape[1] for rows in self._rows}) > 1:
            return ""
        rows = torch.cat(self._rows)
        varies = rows.amax(0) > rows.amin(0)
        rows = rows[:, varies]
        if len(rows) < FEWEST_ROWS or not rows.shape[1]:
            return ""
        size, spread = rows.mean(0).abs(), rows.std(0)
        off = (spread - 1).abs().minimum((rows.std(0, correction=0) - 1).abs())
        if bool((size < ROUNDING).all() and (off < ROUNDING).all()):
            return MOMENTS
        low, high = rows.amin(0), rows.amax(0)
        most = torch.stack([(rows == low).sum(0), (rows == high).sum(0)]).amax(0)
        numbers = most <= MOST_AT_END
        whole = (low.abs() < ROUNDING) & ((high - 1).abs() < ROUNDING)
        if int(numbers.sum()) >= FEWEST_FEATURES and bool(whole[numbers].all()):
            return RANGE
        return ""
