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
from netwise.memory import available_memory

LEAST = 2**26  # bytes; smaller arrays are copied into memory, which is faster afterwards
RELEASE = 2**26  # bytes that are read until the pages of the file are given back
AROUND = 2**16  # bytes that the system maps besides a row that is read
READ_AT_ONCE = 2**18  # numbers
ANNOUNCED = 2**17  # bytes of one announcement: of longer ones the system may read less


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

    A row that is not in memory is read together with those around it, up to several megabytes by
    the system's setting. That is quick where all of the file will be needed and fits in memory. Of
    a larger file most would be read in vain, so the rows of a batch are announced before they are
    taken: the system reads them alone, and all at the same time.

    Args:
        array: (samples, ...).
        announce: announce rows before they are taken. Default: where the array needs more than half
            of the free memory.

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

    def __init__(self, array: np.ndarray, announce: bool | None = None) -> None:
        self.array = array
        self._announcements = _Announcements(array)
        self._map = _map_of(_root_of(array))
        self._announces = array.nbytes > (available_memory() or array.nbytes) // 2
        if announce is not None:
            self._announces = announce
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
        if self._announces:
            self._announcements.announce(rows)
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
        place = place_in_file(self.array)
        if place is None or getattr(_root_of(self.array), "mode", "") == "c":
            return MappedRows, (np.array(self.array),)
        name, offset = place
        return _mapped_again, (str(name), self.array.dtype.str, offset, self.array.shape)


class _Announcements:
    """Tells the system which rows of a mapped array are needed soon.

    Args:
        array: (samples, ...); of one that is not mapped, or whose rows are no pieces of the file,
            nothing is told.
    """

    def __init__(self, array: np.ndarray) -> None:
        root = _root_of(array)
        self._map = _map_of(root)
        self._step, self._row = array.strides[0] if array.ndim else 0, array[:1].nbytes
        whole = self._step > 0 and array[:1].flags.c_contiguous
        if root is None or not whole or not hasattr(mmap, "MADV_WILLNEED"):
            self._map = None
        else:
            start = root.offset % mmap.ALLOCATIONGRANULARITY
            self._first = start + _address(array) - _address(root)

    def announce(self, rows: np.ndarray) -> None:
        """Have the system read these rows, without waiting for it."""
        if self._map is None or not len(rows):
            return
        starts = self._first + np.sort(rows) * self._step
        first = starts // mmap.PAGESIZE
        last = (starts + self._row - 1) // mmap.PAGESIZE
        new = np.flatnonzero(first[1:] > last[:-1] + 1) + 1
        begins, ends = first[np.r_[0, new]], last[np.r_[new - 1, len(last) - 1]] + 1
        pages = ANNOUNCED // mmap.PAGESIZE
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            for page in range(begin, end, pages):
                length = min(pages, end - page) * mmap.PAGESIZE
                self._map.madvise(mmap.MADV_WILLNEED, page * mmap.PAGESIZE, length)


def _mapped_again(name: str, dtype: str, offset: int, shape: tuple[int, ...]) -> MappedRows:
    return MappedRows(np.memmap(Path(name), dtype, "r", offset, shape))


def place_in_file(array: np.ndarray) -> tuple[Path, int] | None:
    """The file of a mapped array whose numbers lie there one after the other, and the byte where
    they begin; None for other arrays."""
    root = _root_of(array)
    name = getattr(root, "filename", None)
    if root is None or name is None or not array.flags.c_contiguous:
        return None
    return Path(name), root.offset + _address(array) - _address(root)


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
