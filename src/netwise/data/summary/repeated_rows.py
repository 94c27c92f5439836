"""Rows that are there more than once, and in which parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    import polars as pl

BLOCK = 1 << 22  # numbers that are hashed at a time


def hashes_of_frame(frame: pl.DataFrame) -> np.ndarray:
    """One 64-bit number for each row of a table; equal rows have equal ones."""
    return frame.hash_rows(seed=0).to_numpy()


def hashes_of_tensors(tensors: Sequence[Tensor]) -> np.ndarray:
    """One 64-bit number for each row of tensors with as many rows; equal rows have equal ones.

    The bytes of a row, in pieces of one number, are multiplied by fixed odd numbers and added.
    """
    total = np.zeros(len(tensors[0]), np.uint64)
    for place, tensor in enumerate(tensors):
        array = tensor.reshape(len(tensor), math.prod(tensor.shape[1:])).numpy()
        if not array.shape[1]:
            continue
        generator = np.random.default_rng(place)
        factors = generator.integers(0, 2**63, array.shape[1], dtype=np.uint64) * np.uint64(2) + 1
        block = max(1, BLOCK // array.shape[1])
        for start in range(0, len(array), block):
            piece = array[start : start + block]
            if piece.dtype.kind == "f":
                piece = piece + 0.0  # -0.0 is 0.0
            numbers = np.ascontiguousarray(piece).view(f"u{piece.dtype.itemsize}")
            total[start : start + block] += (numbers.astype(np.uint64) * factors).sum(1)
    return total


def counted_repeats(hashes: np.ndarray, parts: Sequence[np.ndarray]) -> tuple[int, int, int]:
    """(rows that repeat an earlier one, rows of the validation part that are in the training part,
    rows of the test part that are in either).

    Args:
        hashes: of all rows.
        parts: row numbers of the training, validation and test part.
    """
    train, valid, test = (hashes[rows] for rows in parts)
    ordered = np.sort(hashes)
    return (
        int(np.count_nonzero(ordered[1:] == ordered[:-1])),
        _known(valid, np.sort(train)),
        _known(test, np.sort(np.concatenate([train, valid]))),
    )


def _known(hashes: np.ndarray, ordered: np.ndarray) -> int:
    """How many are among the ordered ones."""
    if not len(ordered):
        return 0
    places = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    return int(np.count_nonzero(ordered[places] == hashes))
