"""How many threads a step gets: a fixed rule of its work, never a timing, which would make equal
runs differ."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

# Multiply-adds of one step's way forward (samples times those of one). Time of a step with two
# threads over that with
# one, by `scripts/bench threads` on two cores of an AMD EPYC: 1.08 at 0.24 million, 0.78 at 3, 0.59
# at 34, 0.55 at 240.
# On other two-core machines 34 million came out even, and a neighbour at work makes two threads
# many times slower: the
# line stands where the gain is sure and the loss was never seen.
ENOUGH_FOR_MORE = 20_000_000


_MOST: ContextVar[int | None] = ContextVar("most", default=None)


def cores() -> int:
    """Cores that this process may use, of which a worker among others has its share."""
    there = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    most = _MOST.get()
    return there if most is None else min(there, most)


@contextmanager
def limit_cores(share: int) -> Iterator[None]:
    """Inside, this process takes itself to have so many cores: workers side by side do not fight
    for them."""
    token = _MOST.set(max(1, share))
    try:
        yield
    finally:
        _MOST.reset(token)


def threads_for(multiply_adds: int, available: int) -> int:
    """One thread for a small step, all that are available for a large one."""
    return 1 if multiply_adds < ENOUGH_FOR_MORE else max(1, available)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads inside, and with as many as before afterwards."""
    before = torch.get_num_threads()
    if count == before:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
