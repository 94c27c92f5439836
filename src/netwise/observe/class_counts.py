"""Frequencies of class numbers in bounded memory."""

from __future__ import annotations

import torch
from torch import Tensor

MOST_CLASSES = 262_144  # different ones that are counted apart; a vocabulary has fewer
MOST_WAITING = 4096  # numbers that are collected before they are merged into the counts
RARE = 0.01  # share of the numbers that are not counted apart, above which shares are not known


class ClassCounts:
    """How often each whole number was met.

    Args:
        most: different numbers that are counted apart. Beyond it the rarest are counted together.

    >>> counts = ClassCounts()
    >>> counts.add(torch.tensor([3, 3, 7, 3]))
    >>> counts.classes, counts.distribution()[1].tolist()
    (2, [0.75, 0.25])
    """

    def __init__(self, most: int = MOST_CLASSES) -> None:
        self._most = most
        self._values = torch.zeros(0, dtype=torch.int64, device="cpu")
        self._counts = torch.zeros(0, dtype=torch.int64, device="cpu")
        self._other = 0
        self._waiting: list[Tensor] = []
        self._waiting_numbers = 0

    def add(self, numbers: Tensor) -> None:
        """Count the whole numbers of a one-dimensional tensor on the CPU."""
        self._waiting.append(numbers)
        self._waiting_numbers += len(numbers) + 16  # a short tensor costs memory, too
        if self._waiting_numbers > max(MOST_WAITING, len(self._values) // 4):
            self._merge()

    def _merge(self) -> None:
        if not self._waiting:
            return
        new, counts_of_new = torch.cat(self._waiting).unique(return_counts=True)
        self._waiting, self._waiting_numbers = [], 0
        all_values, all_counts = (
            torch.cat([self._values, new]),
            torch.cat([self._counts, counts_of_new]),
        )
        values, place = all_values.unique(return_inverse=True)
        counts = torch.zeros(len(values), dtype=torch.int64, device="cpu")
        counts = counts.scatter_add(0, place, all_counts)
        if len(values) > self._most:
            kept = counts.topk(self._most).indices.sort().values
            self._other += int(counts.sum() - counts[kept].sum())
            values, counts = values[kept], counts[kept]
        self._values, self._counts = values, counts

    @property
    def classes(self) -> int:
        """Different numbers that are counted apart."""
        self._merge()
        return len(self._values)

    @property
    def other(self) -> int:
        """Numbers that are counted together."""
        self._merge()
        return self._other

    def distribution(self) -> tuple[Tensor, Tensor]:
        """The numbers in ascending order, and the share of each, as float64."""
        self._merge()
        return self._values.double(), self._counts.double() / max(1, int(self._counts.sum()))

    def enough(self, each: int) -> bool:
        """Whether there are `each` numbers for each class, and almost all are counted apart."""
        self._merge()
        counted = int(self._counts.sum())
        if not counted or counted < each * len(self._counts):
            return False
        return self._other <= RARE * (counted + self._other)
