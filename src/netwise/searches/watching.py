"""One display of all workers: trials as they end, and how far those at work have come, read from their folders."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from netwise.searches.methods import RUNNING, Tried
from netwise.searches.study import StudyFolder
from netwise.signals import VALID_ACCURACY, VALID_LOSS, VALID_R2
from netwise.store import ABOUT, ROWS

LOOK_EVERY = 0.5  # seconds
TAIL = 20_000  # bytes of a history's end that hold its last epoch


@dataclass(frozen=True)
class AtWork:
    """How far a trial has come that somebody is at work on.

    Args:
        trial: the trial.
        epoch, epochs: done, and of all; of a fold its own.
        value: of the validation part after the last epoch, or None.
        runs: how many runs of the trial have begun: folds.
    """

    trial: Tried
    epoch: int = 0
    epochs: int = 0
    value: float | None = None
    runs: int = 1


Watch = Callable[[Sequence[Tried], Sequence[AtWork]], None]


def at_work(study: StudyFolder, trial: Tried) -> AtWork:
    """What the folder of a running trial says by now."""
    runs = sorted((path.parent for path in study.folder(trial.number).glob(f"*/{ABOUT}")), key=lambda path: (path / ABOUT).stat().st_mtime)
    if not runs:
        return AtWork(trial)
    try:
        epochs = int(json.loads((runs[-1] / ABOUT).read_text("utf-8"))["facts"]["epochs"])
        epoch, value = _last_epoch(runs[-1] / ROWS)
        return AtWork(trial, epoch, epochs, value, len(runs))
    except (OSError, ValueError, KeyError, TypeError):
        return AtWork(trial, runs=len(runs))  # it is just being written


def _last_epoch(rows: Path) -> tuple[int, float | None]:
    if not rows.is_file():
        return 0, None
    with open(rows, "rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        lines = file.read().split(b"\n")[1 if size > TAIL else 0 : -1]
    for line in reversed(lines):
        row = json.loads(line)
        if VALID_LOSS in row or "train.loss" in row:
            value = next((float(row[name]) for name in (VALID_ACCURACY, VALID_R2) if name in row), None)
            return int(row["epoch"]) + 1, value
    return 0, None


@contextmanager
def telling(study: StudyFolder, told: Callable[[Tried], None] | None, known: set[int], watch: Watch | None = None) -> Iterator[None]:
    """Inside, `told` hears of each trial that ends, once, and `watch` twice a second of all, by looking at the storage."""
    if told is None and watch is None:
        yield
        return
    over = threading.Event()

    def look() -> None:
        tried = study.tried()
        for trial in tried:
            if trial.ended and trial.number not in known:
                known.add(trial.number)
                if told is not None:
                    told(trial)
        if watch is not None:
            watch(tried, [at_work(study, trial) for trial in tried if trial.state == RUNNING])

    def keep_looking() -> None:
        while not over.wait(LOOK_EVERY):
            look()

    thread = threading.Thread(target=keep_looking, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        look()
