"""How often loaders of batches were begun anew."""

from __future__ import annotations

import weakref
from typing import Any

from torch.utils.data import DataLoader


class LoaderIterators:
    """Counts the iterators that a program makes of each loader with several batches.

    Example:
        >>> counts, loader = LoaderIterators(), DataLoader([1.0, 2.0, 3.0], batch_size=2)
        >>> for _ in range(5):
        ...     counts.made(loader)
        >>> counts.most
        5
    """

    def __init__(self) -> None:
        self._counts: weakref.WeakKeyDictionary[DataLoader[Any], int] = weakref.WeakKeyDictionary()
        self.most = 0  # of one loader

    def made(self, loader: DataLoader[Any]) -> None:
        """The program has made an iterator."""
        try:
            several = len(loader) > 1
        except TypeError:  # it has no length
            return
        if several:
            count = self._counts[loader] = self._counts.get(loader, 0) + 1
            self.most = max(self.most, count)
