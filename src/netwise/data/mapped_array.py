"""Arrays in a file that is mapped into memory: rows are read from it when they are asked for."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwise.data.lazy_rows import LazyRows
from netwise.data.precision import lossy_features

LEAST = 2**26  # bytes; smaller arrays are copied into memory, which is faster afterwards
RELEASE = 2**26  # bytes that are read until the pages of the file are given back
AROUND = 2**16  # bytes that the system maps besides a row that is read
READ_AT_ONCE = 2**18  # numbers


def is_large_mapped(values: object) -> bool:
    """Whether these are numbers in a mapped file, so many that copies would count."""
    return (
        isinstance(values, np.ndarray)
        and values.dtype.kind in "biuf"
        and values.ndim > 0
        and values.nbytes >= LEAST
        and _root_of(values) is not None
    )


def mapped_rows(values: np.ndarray) -> LazyRows | None:
    """A mapped array (samples, ...) as rows that become float32 when they are asked for; None
    where float32 loses differences between samples, see `keeping_differences`."""
    if values.ndim == 1:
        values = values.reshape(-1, 1)
    wide = values.dtype.kind in "iuf" and values.dtype.itemsize > 2 and values.dtype != np.float32
    if wide and lossy_features_of_pieces(values):
        return None
    return LazyRows.of(MappedRows(values))


def lossy_features_of_pieces(values: np.ndarray) -> bool:
    """Whether float32 loses differences between the samples in some feature, looking at some of
    them at a time. A feature whose range is larger over all of them than over each piece may be
    called lossy where it is not."""
    rows = max(2, READ_AT_ONCE // max(1, values[0].size))
    return any(
        bool(lossy_features(np.asarray(values[start : start + rows])).any())
        for start in range(0, len(values), rows)
    )


class MappedRows:
    """The rows of a mapped array, as the store of `LazyRows`.

    Pages of the file count as memory of the process while they are mapped. The system takes them
    back where memory is short; here they are given back after each `RELEASE` bytes, so that the
    process looks as small as it is.

    Args:
        array: (samples, ...).

    Example:
        >>> import numpy as np, tempfile, pathlib, torch
        >>> from netwise.data.mapped_array import MappedRows
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.npy"
        >>> np.save(path, np.arange(6, dtype=np.uint8).reshape(3, 2))
        >>> rows = MappedRows(np.load(path, mmap_mode="r"))
        >>> rows.index_select(0, torch.tensor([2, 0]))
        tensor([[4., 5.],
                [0., 1.]])
    """

    device = torch.device("cpu")

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self._map = _map_of(_root_of(array))
        # In a private map the pages that the program has changed would be lost.
        self._may_release = getattr(_root_of(array), "mode", "") in ("r", "r+", "w+")
        self._touched = 0
        self._row = AROUND + array[:1].nbytes

    def __len__(self) -> int:
        return len(self.array)

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        most = max(1, RELEASE // self._row)
        if len(index) <= most:
            return torch.from_numpy(self._taken(index.numpy()))
        found = torch.empty((len(index), *self.array.shape[1:]))
        for start in range(0, len(index), most):
            rows = index[start : start + most].numpy()
            found[start : start + most] = torch.from_numpy(self._taken(rows))
        return found

    def _taken(self, rows: np.ndarray) -> np.ndarray:
        taken = np.asarray(np.take(self.array, rows, axis=0))
        self._touched += len(taken) * self._row
        if self._touched > RELEASE:
            self._release()
        return taken if taken.dtype == np.float32 else taken.astype(np.float32)

    def _release(self) -> None:
        self._touched = 0
        if self._may_release and self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def __reduce__(self) -> Any:
        """Another process maps the same file."""
        root = _root_of(self.array)
        name = getattr(root, "filename", None)
        if root is None or name is None or not self.array.flags.c_contiguous or root.mode == "c":
            return MappedRows, (np.array(self.array),)
        offset = root.offset + _address(self.array) - _address(root)
        return _mapped_again, (str(name), self.array.dtype.str, offset, self.array.shape)


def _mapped_again(name: str, dtype: str, offset: int, shape: tuple[int, ...]) -> MappedRows:
    return MappedRows(np.memmap(Path(name), dtype, "r", offset, shape))


def _address(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _root_of(array: Any) -> np.memmap | None:
    """The mapped array that this one is a view of."""
    while array is not None:
        if isinstance(array, np.memmap) and _map_of(array) is not None:
            return array
        array = getattr(array, "base", None)
    return None


def _map_of(root: Any) -> mmap.mmap | None:
    held = getattr(root, "base", None)
    return held if isinstance(held, mmap.mmap) else None
