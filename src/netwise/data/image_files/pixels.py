"""Pictures in memory: bytes that become floats where and when they are used.

A picture of 224 x 224 in colour has 150 kB as bytes and 600 kB as floats; 50,000 of them have 7.5
and 30 GB. A network needs the floats of one batch at a time.
"""

from __future__ import annotations

from typing import ClassVar

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
