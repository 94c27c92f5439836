"""Pictures in memory: bytes that become floats where and when they are used.

A picture of 224 x 224 in colour has 150 kB as bytes and 600 kB as floats; 50,000 of them have 7.5
and 30 GB. A network needs the floats of one batch at a time.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from netwise.data.lazy_rows import LazyRows


class Pixels(LazyRows):
    """Pictures as a tensor of float32 numbers from 0 to 1, (samples, channels, height, width), of
    which only bytes are in memory: the store is uint8 (samples, height, width, channels), maybe
    mapped from a file.

    Example:
        >>> import torch
        >>> store = torch.arange(48, dtype=torch.uint8).reshape(4, 2, 2, 3)
        >>> x = Pixels.of(store)
        >>> x.shape, type(x[1:]).__name__, type(x.index_select(0, torch.tensor([3]))).__name__
        (torch.Size([4, 3, 2, 2]), 'Pixels', 'Tensor')
        >>> torch.equal(x * 255, store.permute(0, 3, 1, 2).float())
        True
        >>> x.then(lambda x: x.flatten(1)).shape
        torch.Size([4, 12])
    """

    owner: ClassVar[str] = "data.images"
    piece: ClassVar[int] = 2**24

    @staticmethod
    def decoded(stored: Tensor) -> Tensor:
        return stored.permute(0, 3, 1, 2).contiguous().float().div_(255.0)

    def moments_over(self, dims: tuple[int, ...], keepdim: bool) -> tuple[Tensor, Tensor, int]:
        """Over pictures and pixels they follow from how often each channel has each byte, which is
        ten times faster to count than floats are to add."""
        if self.steps or set(dims) != {0, 2, 3} or self.store.device.type != "cpu":
            return super().moments_over(dims, keepdim)
        values = torch.arange(256).float().div_(255.0).double()  # as `decoded` gives them
        counts = self._byte_counts().double()
        shape = (1, -1, 1, 1) if keepdim else (-1,)
        count = math.prod(self.shape[axis] for axis in dims)
        mean, square = (counts @ values) / count, (counts @ values.square()) / count
        return mean.reshape(shape), square.reshape(shape), count

    def _byte_counts(self) -> Tensor:
        """How often each channel has each byte: (channels, 256)."""
        counts = torch.zeros(self.shape[1], 256, dtype=torch.int64)
        size = max(1, self.piece // math.prod(self.shape[1:]))
        for rows in self.numbers().split(size):
            stored = self.store.index_select(0, rows)
            for channel, found in enumerate(counts):
                found += torch.bincount(stored[..., channel].flatten(), minlength=256)
        return counts
