"""Samples that come one after the other: iterable data sets and loaders."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwise.data.streams.block_rows import Block, rows_of_a_block
from netwise.data.streams.sample_form import (
    SampleForm,
    batch_targets,
    many_rows,
    one_row,
    require_finite,
    targets_array,
)
from netwise.errors import DataError

NO_END = 200_000_000  # samples of a source that says no length
Piece = tuple[Tensor, "np.ndarray | None"]


class SampleSequence:
    """The samples of a source in its own order, as a `BlockReader`. A block that is asked for again
    is read from the start of the source, or from where the source can skip to.

    Args:
        source: an iterable, which begins anew each time.
        form: of its samples.
        are_batches: the source gives batches.
        rows: samples of a pass; 0: all until its end.
        missing: gaps (NaN) are allowed.
    """

    def __init__(
        self, source: Any, form: SampleForm, are_batches: bool, rows: int, missing: bool
    ) -> None:
        self.source, self.form, self.are_batches = source, form, are_batches
        self.missing, self.epoch = missing, 0
        self.size, self.rows, self.y = 1, rows, None
        self._next, self._pieces = 0, _none()
        self.reorders, self.repeats = False, True

    def measure(self) -> np.ndarray | None:
        """Read all samples once: how many there are, their targets and whether they come alike each
        time. Returns the targets."""
        first = next(self._all(), None)
        if first is None:
            raise DataError("the source gives no samples: pass one that does, or a new one")
        self.size = rows_of_a_block(4 * first[0][0].numel())
        limit, self.rows = self.rows or NO_END, NO_END
        targets: list[np.ndarray] = []
        count, mark = 0, 0
        for number, block in enumerate(self._blocks()):
            mark = mark if number else _mark(block)
            count += len(block.x)
            if block.y is not None:
                targets.append(block.y)
            if count >= limit:
                break
        if count >= NO_END:
            raise DataError(
                f"the source has given {count:,} samples and no end: pass rows=..., the samples of "
                "one pass"
            )
        self.rows = min(count, limit)
        self.repeats = _mark(next(self._blocks())) == mark
        self.epoch = 1
        self.reorders = _mark(next(self._blocks())) != mark
        self.epoch = 0
        return np.concatenate(targets)[: self.rows] if targets else None

    def begin(self, epoch: int) -> bool:
        changed, self.epoch = self.reorders and epoch != self.epoch, epoch
        if changed:
            self._next, self._pieces = 0, _none()
        return changed

    def read(self, number: int) -> Block:
        if number < self._next or not self._next:
            self._next = number if hasattr(self.source, "skip") else 0
            self._pieces = self._blocks(self._next * self.size)
        while True:
            block = next(self._pieces, None)
            if block is None:
                raise DataError(
                    f"the source gave {self.rows:,} samples in its first pass, and ends before "
                    f"sample {number * self.size:,} now: pass a source that gives the same number "
                    "each time, or rows=..., the samples of one pass"
                )
            self._next += 1
            if self._next > number:
                return block

    def _blocks(self, start: int = 0) -> Iterator[Block]:
        """Blocks of the samples from `start` on."""
        xs: list[Tensor] = []
        ys: list[np.ndarray] = []
        held, read = 0, start
        for x, y in self._all(start):
            if xs and x.shape[1:] != xs[0].shape[1:]:
                raise DataError(
                    f"sample {read + held} has the shape {tuple(x.shape[1:])}, and those before it "
                    f"{tuple(xs[0].shape[1:])}: give all samples one shape"
                )
            xs.append(x)
            ys += [] if y is None else [y]
            held += len(x)
            while held >= self.size:
                block = _joined(xs, ys, read, self.missing)
                yield Block(block.x[: self.size], None if block.y is None else block.y[: self.size])
                xs = [block.x[self.size :]]
                ys = [] if block.y is None else [block.y[self.size :]]
                held, read = held - self.size, read + self.size
        if held:
            yield _joined(xs, ys, read, self.missing)

    def _all(self, start: int = 0) -> Iterator[Piece]:
        if hasattr(self.source, "set_epoch"):
            self.source.set_epoch(self.epoch)
        source = self.source() if _is_factory(self.source) else self.source
        for sample in source.skip(start) if start else source:
            inputs, target = self.form.parts(sample)
            if self.are_batches:
                yield many_rows(inputs), batch_targets(target)
            else:
                yield one_row(inputs)[None], targets_array([target])


def _none() -> Iterator[Block]:
    yield from ()


def _is_factory(source: Any) -> bool:
    return callable(source) and not hasattr(source, "__iter__")


def require_new_starts(source: Any) -> None:
    """Refuse what can be read only once.

    Raises:
        DataError: it is an iterator, such as a generator.
    """
    if hasattr(source, "__next__"):
        raise DataError(
            f"a {type(source).__name__} can be read only once, and training reads its data several "
            "times: pass the function that makes it, or an object whose __iter__ begins anew"
        )


def _joined(xs: list[Tensor], ys: list[np.ndarray], start: int, missing: bool) -> Block:
    x = torch.cat(xs)
    require_finite(x, range(start, start + len(x)), missing)
    return Block(x, np.concatenate(ys) if ys else None)


def _mark(block: Block) -> int:
    return zlib.crc32(np.ascontiguousarray(block.x.numpy()).data.cast("B"))
