"""Rows of a source that is read in blocks: from its start, or each block by itself."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from netwise.data.streams.row_plan import RowPlan

BLOCK_BYTES = 2**22  # of a block of a source that has none of its own


@dataclass(frozen=True, eq=False)
class Block:
    """Rows that were read together.

    Args:
        x: float32 (rows, ...).
        y: their targets as they came, or None where they are known otherwise.
    """

    x: Tensor
    y: np.ndarray | None = None


class BlockReader(Protocol):
    """Gives blocks of rows by their numbers, from 0."""

    rows: int
    size: int  # rows of a block; the last may have fewer

    def read(self, number: int) -> Block:
        """The block."""

    def begin(self, epoch: int) -> bool:
        """Begin an epoch; true where other rows come in it than in the one before."""


class BlockRows:
    """The rows of blocks, as the store of `LazyRows`: the blocks that were used last are kept, as
    many as a window of the plan spans.

    Args:
        reader: gives the blocks.
        plan: see `RowPlan`.
        used: rows of the source that are in the training part; a window spans more of the source
            where these are fewer.
    """

    device = torch.device("cpu")

    def __init__(self, reader: BlockReader, plan: RowPlan, used: int) -> None:
        self.reader, self.plan = reader, plan
        span = plan.window * reader.rows / max(1, used)
        self._capacity = 3 + int(np.ceil(span / reader.size))
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._last = -1

    def __len__(self) -> int:
        return self.reader.rows

    def begin(self, epoch: int, rows: Tensor | None = None) -> None:
        """Begin an epoch."""
        if self.reader.begin(epoch):
            self._blocks.clear()
            self._last = -1

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        if not len(index):
            return self._block(0).x[:0]
        gathered: Any = None
        for places, rows, block in self._parts(index):
            chosen = block.x.index_select(0, rows)
            if gathered is None:
                gathered = chosen.new_empty((len(index), *chosen.shape[1:]))
            gathered[places] = chosen
        return torch.as_tensor(gathered)

    def targets(self, index: Tensor) -> np.ndarray:
        """The targets of these rows, as they were read with their inputs."""
        parts = list(self._parts(index))
        first = parts[0][2].y
        assert first is not None
        found = np.empty((len(index), *first.shape[1:]), first.dtype)
        for places, rows, block in parts:
            assert block.y is not None
            found = found.astype(np.result_type(found, block.y))  # longer words
            found[places.numpy()] = block.y[rows.numpy()]
        return found

    def _parts(self, index: Tensor) -> Any:
        """(places in the index, rows of the block, block), in the order of the source."""
        numbers = index // self.reader.size
        for number in numbers.unique().tolist():  # increasing, as a source in sequence needs it
            places = (numbers == number).nonzero().flatten()
            yield places, index[places] - number * self.reader.size, self._block(number)

    def _block(self, number: int) -> Block:
        if number in self._blocks:
            if not self.plan.in_sequence:
                self._blocks.move_to_end(number)
            return self._blocks[number]
        for each in range(self._first_to_read(number), number):
            if each not in self._blocks:
                self._keep(each, self.reader.read(each))
        self._last = number
        return self._keep(number, self.reader.read(number))

    def _first_to_read(self, number: int) -> int:
        """The first block to read on the way to this one. Of a source that is read from its start
        these are all that a window may span: the next batches need them."""
        if not self.plan.in_sequence:
            return number
        reached = self._last + 1 if number > self._last else 0
        return max(reached, number - self._capacity + 2)

    def _keep(self, number: int, block: Block) -> Block:
        self._blocks[number] = block
        while len(self._blocks) > self._capacity:
            # The first block is asked for again and again: its rows show the shape.
            oldest = next(each for each in self._blocks if each)
            del self._blocks[oldest]
        return block


def rows_of_a_block(row_bytes: int) -> int:
    """Rows of a block of a source that has no blocks of its own."""
    return max(1, min(4096, BLOCK_BYTES // max(1, row_bytes)))
