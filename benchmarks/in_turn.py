"""Contestants that take blocks of steps in turn, in one process and with one thread: times are CPU
time of the thread, so that other processes on the machine count little."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from statistics import median

import torch
from watch import processor

LEAST_ROUNDS = 5

Row = dict[str, float]


def compare(
    blocks: Mapping[str, Callable[[], object]], base: str, seconds: float, steps: int = 1
) -> dict[str, Row]:
    """Times of a step of each contestant, and their ratios to one of them.

    Args:
        blocks: calls that take `steps` steps, by contestant. The first call of each is not timed.
        base: the contestant that the others are compared with.
        seconds: of CPU time for all together.
        steps: of a block.
    """
    for block in blocks.values():
        block()
    times: dict[str, list[float]] = {name: [] for name in blocks}
    started = time.thread_time()
    while len(times[base]) < LEAST_ROUNDS or time.thread_time() - started < seconds:
        for name, block in blocks.items():
            begun = time.thread_time()
            block()
            times[name].append((time.thread_time() - begun) / steps)
    return {
        name: {
            "microseconds": 1e6 * min(values),
            "ratio of minima": min(values) / min(times[base]),
            "ratio of medians": median(values) / median(times[base]),
        }
        for name, values in times.items()
    }


def print_rows(title: str, rows: Mapping[str, Row]) -> None:
    """Print what `compare` returned, a contestant a line."""
    print(title)
    for contestant, row in rows.items():
        print(
            f"  {contestant:28s}{row['microseconds']:10.1f} us"
            f"{row['ratio of minima']:8.2f}   (medians {row['ratio of medians']:.2f})",
            flush=True,
        )


def write_results(results: Mapping[str, object], arguments: list[str], **more: object) -> None:
    """Write results with date, versions and machine to the file after `--json`, if it is there."""
    if "--json" not in arguments:
        return
    made = {
        "date": date.today().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "machine": processor(),
        **more,
        "results": results,
    }
    Path(arguments[arguments.index("--json") + 1]).write_text(json.dumps(made, indent=1) + "\n")
