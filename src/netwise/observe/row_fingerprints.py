"""Whether rows of inputs were met before, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from netwise.observe.tensor_samples import plain, rows_of

MOST_FINGERPRINTS = 65_536
MOST_ROWS = 4096  # rows of one batch
MOST_COLUMNS = 64  # numbers of a row, evenly distributed over it
MOST_COLUMNS_OF_EMPTY = 512  # of a row where most of those are 0
MOST_WIDE = 256  # such rows that are read at once
MOST_TENSORS = 4  # inputs of a module
WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes


def fingerprints(inputs: Sequence[Tensor], most_rows: int = MOST_ROWS) -> list[int]:
    """A number for each row of a batch; equal rows have equal ones.

    Rows of equal numbers, such as empty pictures, have none: they are found in most data.

    Args:
        inputs: tensors (rows, ...) of one batch.
        most_rows: rows that are read, from all parts of the batch.

    >>> a, b, c = fingerprints([torch.tensor([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])])
    >>> a == c != b
    True
    """
    total, varied = _mixed(inputs, most_rows)
    if total is None or varied is None:
        return []
    return list(total[varied].tolist())


def row_keys(inputs: Sequence[Tensor]) -> list[int]:
    """The same number for each row, those of equal numbers among them; [] where rows cannot be
    read.

    >>> a, b = row_keys([torch.zeros(2, 3)])
    >>> a == b
    True
    """
    total, _ = _mixed(inputs, max((len(t) for t in inputs if t.dim()), default=1))
    return [] if total is None else list(total.tolist())


def _mixed(inputs: Sequence[Tensor], most_rows: int) -> tuple[Tensor | None, Tensor | None]:
    """A number for each row, and whether the row has different numbers."""
    total: Tensor | None = None
    varied: Tensor | None = None
    count = 0
    for tensor in inputs[:MOST_TENSORS]:
        values = plain(tensor)
        if values is None or not values.dim() or not values.numel():
            continue
        if total is not None and len(values) != count:
            continue
        count = len(values)
        with torch._C.DisableTorchFunction():
            if len(values) > most_rows:
                chosen = rows_of(torch.arange(len(values)), 1, most_rows)[:, 0]
                values = values.index_select(0, chosen.to(values.device))
            rows = _whole_numbers(rows_of(values, MOST_COLUMNS, MOST_COLUMNS * most_rows))
            mixed, differs = _mixed_rows(rows)
            # Of counts of words a few numbers of a row are most often all 0.
            empty = ((rows == 0).sum(1) * 2 > rows.shape[1]).nonzero()[:, 0]
            for some in empty.split(MOST_WIDE) if values[:1].numel() > rows.shape[1] else ():
                wide = rows_of(values[some], MOST_COLUMNS_OF_EMPTY, MOST_WIDE * 2**20)
                mixed[some], differs[some] = _mixed_rows(_whole_numbers(wide))
            if total is None or varied is None:
                total, varied = mixed, differs
            elif len(mixed) == len(total):
                total = total * 31 + mixed  # wraps around
                varied = varied | (differs if rows.shape[1] > 1 else differs.logical_not())
    return total, varied


def _mixed_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    return ((rows * _factors(rows.shape[1]).to(rows.device)).sum(1), (rows != rows[:, :1]).any(1))


class KnownRows:
    """Fingerprints of rows that were met; of more than fit in, the first ones.

    >>> known = KnownRows()
    >>> known.add([torch.tensor([[1.0, 2.0], [3.0, 4.0]])])
    >>> known.share([torch.tensor([[3.0, 4.0], [5.0, 6.0]])])
    0.5
    """

    def __init__(self, most: int = MOST_FINGERPRINTS) -> None:
        self._most = most
        self._known: set[int] = set()
        self._left_out = 0

    def add(self, inputs: Sequence[Tensor]) -> None:
        """Remember the rows of a batch."""
        new = set(fingerprints(inputs)) - self._known
        room = self._most - len(self._known)
        self._left_out += max(0, len(new) - room)
        self._known.update(new if len(new) <= room else sorted(new)[:room])

    @property
    def share_kept(self) -> float:
        """The share of the rows that could be kept."""
        return len(self._known) / max(1, len(self._known) + self._left_out)

    def share(self, inputs: Sequence[Tensor], most_rows: int = MOST_ROWS) -> float | None:
        """The share of a batch's rows that are known; None where that cannot be said."""
        if not self._known:
            return None
        rows = fingerprints(inputs, most_rows)
        return sum(row in self._known for row in rows) / len(rows) if rows else None


def _whole_numbers(rows: Tensor) -> Tensor:
    """The bytes of each number as a whole number."""
    if rows.is_floating_point():
        return rows.contiguous().view(WHOLE[rows.element_size()]).long()
    return rows.long()


@lru_cache(maxsize=MOST_COLUMNS)
def _factors(columns: int) -> Tensor:
    """Odd 62-bit numbers from a multiplicative sequence, one for each column."""
    place = torch.arange(1, columns + 1, device="cpu", dtype=torch.int64)
    mixed = place * 0x1E3779B97F4A7C15
    mixed = (mixed ^ (mixed >> 29)) * 0x3F58476D1CE4E5B9
    return (mixed ^ (mixed >> 32)) | 1
