"""What other processes take of the cores: threads that wait for each other suffer most from it."""

from __future__ import annotations

import os
import time
from pathlib import Path

SECONDS = 0.2  # that are looked at: the counts of Linux have a resolution of 0.01
_COUNTS = Path("/proc/stat")


def used_by_others(seconds: float = SECONDS) -> float | None:
    """How many of the cores that this process may use are kept busy by other processes, for the
    next moment; None where the system does not tell (only Linux does).

    Example:
        >>> from netwise.training.other_load import used_by_others
        >>> used = used_by_others()
        >>> used is None or used >= 0
        True
    """
    before, own_before, begun = _busy_seconds(), time.process_time(), time.monotonic()
    if before is None:
        return None
    time.sleep(seconds)
    after, own = _busy_seconds(), time.process_time() - own_before
    if after is None:
        return None
    return max(0.0, (after - before - own) / (time.monotonic() - begun))


def seconds_without_core() -> float | None:
    """How long this thread was ready to compute and had no core, since it began; None where the
    system does not tell (only Linux does). Time in which it waited for a disk is no part of it.

    Example:
        >>> from netwise.training.other_load import seconds_without_core
        >>> seconds = seconds_without_core()
        >>> seconds is None or seconds >= 0
        True
    """
    try:  # nanoseconds on a core, nanoseconds of waiting for one, turns (sched-stats of Linux)
        return int(Path("/proc/thread-self/schedstat").read_text("ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def _busy_seconds() -> float | None:
    """Seconds in which the cores of this process have worked for anyone, since the start of the
    system. Fields of a line: user, nice, system, idle, iowait, irq, softirq, steal (proc(5))."""
    try:
        mine = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        lines = _COUNTS.read_text().splitlines()
        ticks = float(os.sysconf("SC_CLK_TCK"))
        rows = [line.split() for line in lines if line.split()[:1] and line.split()[0] in mine]
        return sum(sum(map(int, (*row[1:4], *row[6:9]))) for row in rows) / ticks
    except (OSError, AttributeError, ValueError):
        return None
