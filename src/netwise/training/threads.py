"""Threads for a step: a fixed rule of its work and of the cores that are free when a run begins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

# Multiply-adds of one forward pass over a batch, from which on a step gets several threads. Time of
# a step with two threads over that with one, by `scripts/bench threads` on two cores of an AMD
# EPYC: 1.08 at 0.24 million, 0.78 at 3, 0.59 at 34, 0.55 at 240. On other two-core machines both
# were equal at 34 million, and other processes on the machine make two threads many times slower.
MULTIPLE_THREADS_FROM = 20_000_000

_CORE_LIMIT: ContextVar[int | None] = ContextVar("core_limit", default=None)


def cores() -> int:
    """Cores that this process may use: all, or as many as `limit_cores` or the environment variable
    `OMP_NUM_THREADS` allow."""
    available = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    limits = [_CORE_LIMIT.get(), _limit_of_environment()]
    return min([available, *(limit for limit in limits if limit is not None)])


def _limit_of_environment() -> int | None:
    """The threads that `OMP_NUM_THREADS` allows, which torch itself goes by; None without it."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


@contextmanager
def limit_cores(share: int) -> Iterator[None]:
    """Inside, `cores()` is at most `share`: workers on one machine do not compete for cores."""
    token = _CORE_LIMIT.set(max(1, share))
    try:
        yield
    finally:
        _CORE_LIMIT.reset(token)


def threads_for(multiply_adds: int, available: int, used: float = 0.0) -> int:
    """One thread for a small step, one for each free core for a large step.

    Args:
        multiply_adds: of the forward pass over one batch.
        available: cores of this process.
        used: how many of them other processes keep busy.
    """
    return 1 if multiply_adds < MULTIPLE_THREADS_FROM else max(1, round(available - used))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Inside, torch computes with `count` threads; afterwards with as many as before."""
    before = torch.get_num_threads()
    if count == before:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
