"""Tells of trials as they end, while workers in other processes are at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from netwise.searches.methods import RUNNING, WAITING, Tried
from netwise.searches.study import StudyFolder

LOOK_EVERY = 0.5  # seconds


@contextmanager
def telling(study: StudyFolder, told: Callable[[Tried], None] | None, known: set[int]) -> Iterator[None]:
    """Inside, `told` hears of each trial that ends, once, by looking at the storage."""
    if told is None:
        yield
        return
    over = threading.Event()
    own = StudyFolder(study.path, study.recipe, study.search, study.storage, study.name)

    def look() -> None:
        for trial in own.tried():
            if trial.state not in (RUNNING, WAITING) and trial.number not in known:
                known.add(trial.number)
                told(trial)

    def watch() -> None:
        while not over.wait(LOOK_EVERY):
            look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        look()
