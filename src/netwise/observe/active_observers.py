"""The observers that run in this process, and blocks in which they record nothing."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Active(Protocol):
    """An observer that runs.

    Attributes:
        thread: the one whose events it records; 0: none.
    """

    thread: int


ACTIVE: weakref.WeakSet[Active] = weakref.WeakSet()


@contextmanager
def paused() -> Iterator[None]:
    """Inside, the observers that run now record nothing: what is trained is none of the program's
    own.

    >>> with paused():
    ...     pass
    """
    threads = [(observer, observer.thread) for observer in ACTIVE]
    for observer, _ in threads:
        observer.thread = 0
    try:
        yield
    finally:
        for observer, thread in threads:
            observer.thread = thread


def _stop_in_child() -> None:
    """In a forked process, such as a worker that loads data, nothing is observed."""
    for observer in list(ACTIVE):
        observer.thread = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_stop_in_child)
