"""Rows of .npy files that do not fit in memory: the blocks of a window are held."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwise.data.mapped_array import ANNOUNCED, place_in_file
from netwise.data.streams.array_files import ArrayFileRows
from netwise.data.streams.row_plan import RowPlan
from netwise.data.streams.sample_form import require_finite
from netwise.errors import DataError
from netwise.file_errors import file_errors
from netwise.memory import available_memory

# The kinds of numbers whose rows torch gathers, which is quicker.
TAKEN_BY_TORCH = ("f4", "f8", "f2", "u1", "i1", "i2", "i4", "i8")


class WindowedArrays:
    """The rows of .npy files as the store of `LazyRows`. Whole blocks are read, once in an epoch,
    and those that a window of the plan spans are held in memory in the numbers of the file.

    The order of an epoch says which blocks come next: half a window of them is announced to the
    system, which reads them while steps are computed, into its cache. Rows that lie further apart
    than a window, such as those of a validation part, are read by themselves.

    Args:
        arrays: mapped, of one shape.
        plan: with a block.
        used: rows that are in the training part; a window spans more of the files where these are
            fewer.
        missing: gaps (NaN) are allowed.
    """

    device = torch.device("cpu")

    def __init__(
        self, arrays: Sequence[np.ndarray], plan: RowPlan, used: int, missing: bool
    ) -> None:
        self.arrays, self.plan, self.used, self.missing = arrays, plan, used, missing
        self.apart = ArrayFileRows(arrays, plan, missing, announce=True)
        self.starts = self.apart.ends - [len(each) for each in arrays]
        total = sum(each.nbytes for each in arrays)
        drop = total > (available_memory() or total) // 2
        self.files = [_File(each, drop) for each in arrays]
        self.size = plan.block
        blocks = -(-len(self) // self.size)
        span = min(len(self), plan.window * len(self) / max(1, used))
        self.capacity = min(blocks, 3 + int(np.ceil(span / self.size)))
        self.order = np.zeros(0, int)  # blocks in the order of the epoch; none before the first
        self.position = self.order  # of each block in it
        self.announced = 0  # blocks of the order
        self.slot = np.full(blocks, -1)  # where a block is held
        self.held = np.full(self.capacity, -1)  # the place in the order of the block in each slot
        self.buffer = arrays[0][:0]

    def __len__(self) -> int:
        return len(self.apart)

    def begin(self, epoch: int, rows: Tensor | None = None) -> None:
        """Begin an epoch.

        Args:
            epoch: from 0.
            rows: numbers of the rows in its order.
        """
        if rows is None:
            return
        numbers = rows.numpy() // self.size
        first = np.full(len(self.slot), len(numbers))
        first[numbers[::-1]] = np.arange(len(numbers))[::-1]  # of equal ones the last is kept
        self.order = np.argsort(first, kind="stable")
        self.position = np.argsort(self.order)
        self.announced = 0
        self.slot[:], self.held[:] = -1, -1
        if not len(self.buffer):
            example = self.arrays[0]
            self.buffer = np.empty((self.capacity * self.size, *example.shape[1:]), example.dtype)

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        if not len(self.order) or not len(index):
            return self.apart.index_select(0, index)
        numbers = index.numpy() // self.size
        absent = np.flatnonzero(self.slot[numbers] < 0)
        if not len(absent):
            return self._held_rows(index, numbers)
        # A batch between two windows has rows of both: those of the first are still held.
        present = np.flatnonzero(self.slot[numbers] >= 0)
        parts = [(present, self._held_rows(index[present], numbers[present]))]
        positions = np.unique(self.position[numbers[absent]])
        if int(positions[-1] - positions[0]) < self.capacity:
            self._hold(positions)
            parts.append((absent, self._held_rows(index[absent], numbers[absent])))
        else:
            parts.append((absent, self.apart.index_select(0, index[absent])))
        x = torch.empty((len(index), *self.arrays[0].shape[1:]))
        for places, rows in parts:
            x[torch.from_numpy(places)] = rows
        return x

    def _held_rows(self, index: Tensor, numbers: np.ndarray) -> Tensor:
        """Rows of blocks that are held."""
        slots = self.slot[numbers]
        places = slots * self.size + index.numpy() % self.size
        if self.buffer.dtype.isnative and self.buffer.dtype.str[1:] in TAKEN_BY_TORCH:
            x = torch.from_numpy(self.buffer).index_select(0, torch.from_numpy(places)).float()
        else:
            x = torch.from_numpy(self.buffer.take(places, axis=0).astype(np.float32))
        require_finite(x, index.tolist() if not bool(torch.isfinite(x.sum())) else (), self.missing)
        return x

    def _hold(self, positions: np.ndarray) -> None:
        """Read the blocks at these places of the order, in place of the earliest that are held."""
        end = int(positions[-1]) + 1
        self._announce(int(positions[0]), end)
        slots = np.argsort(self.held, kind="stable")[: len(positions)]
        replaced = self.held[slots]
        self.slot[self.order[replaced[replaced >= 0]]] = -1
        for slot, place in zip(slots.tolist(), positions.tolist(), strict=True):
            block = int(self.order[place])
            self.held[slot], self.slot[block] = place, slot
            self._copy(block, self.buffer[slot * self.size : (slot + 1) * self.size])
        self._announce(end, end + self.capacity // 2)

    def _announce(self, first: int, end: int) -> None:
        """Have the system read the blocks at these places of the order."""
        for block in self.order[max(first, self.announced) : end].tolist():
            for file, start, stop in self._pieces(block):
                self.files[file].announce(start, stop)
        self.announced = max(self.announced, end)

    def _copy(self, block: int, held: np.ndarray) -> None:
        done = 0
        for file, start, stop in self._pieces(block):
            self.files[file].read(start, held[done : done + stop - start])
            done += stop - start

    def _pieces(self, block: int) -> list[tuple[int, int, int]]:
        """(file, first row in it, end) of what a block spans."""
        begin, end = block * self.size, min(len(self), (block + 1) * self.size)
        files = range(
            int(np.searchsorted(self.apart.ends, begin, side="right")),
            int(np.searchsorted(self.apart.ends, end, side="left")) + 1,
        )
        return [
            (file, max(begin, start) - start, min(end, int(self.apart.ends[file])) - start)
            for file in files
            for start in (int(self.starts[file]),)
        ]

    def __reduce__(self) -> Any:
        """Another process maps the same files, and holds its own blocks."""
        return _again, (self.apart, self.plan, self.used, self.missing)


class _File:
    """Reads rows of a mapped array from its file: pages that are copied from a map count as memory
    of the process, and drive those that were announced out of the system's cache. The file is open
    while it is read only: a stream may have thousands.

    Args:
        array: (samples, ...). Of one whose rows are no pieces of its file the map is read.
        drop: rows that were read leave the system's cache, which has no room for all of them: it
            would keep them, since they were used, and lose those that were announced.
    """

    def __init__(self, array: np.ndarray, drop: bool) -> None:
        self.array, self.row, self.drop = array, array[:1].nbytes, drop
        self.place = place_in_file(array)

    def announce(self, start: int, stop: int) -> None:
        """Have the system read these rows, without waiting for it."""
        if self.place is None or not hasattr(os, "posix_fadvise"):
            return
        path, first = self.place
        begin, end = first + start * self.row, first + stop * self.row
        with file_errors(path), io.FileIO(path) as file:
            for piece in range(begin, end, ANNOUNCED):
                length = min(ANNOUNCED, end - piece)
                os.posix_fadvise(file.fileno(), piece, length, os.POSIX_FADV_WILLNEED)

    def read(self, start: int, rows: np.ndarray) -> None:
        """Fill an array with the rows from `start` on.

        Raises:
            FileAccessError: the file cannot be read.
            DataError: it has become shorter.
        """
        if self.place is None:
            rows[:] = self.array[start : start + len(rows)]
            return
        path, first = self.place
        left = memoryview(rows.reshape(-1).view(np.uint8).data)
        with file_errors(path), io.FileIO(path) as file:
            if hasattr(os, "posix_fadvise"):  # read no more than is asked for
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
            begin, size = first + start * self.row, left.nbytes
            file.seek(begin)
            while left.nbytes:
                count = file.readinto(left)
                if not count:
                    raise DataError(
                        f"{path} has become shorter since the run began: restore the file, or "
                        "write it anew and train again"
                    )
                left = left[count:]
            if self.drop and hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), begin, size, os.POSIX_FADV_DONTNEED)


def _again(apart: ArrayFileRows, plan: RowPlan, used: int, missing: bool) -> WindowedArrays:
    return WindowedArrays([store.array for store in apart.stores], plan, used, missing)
