"""Doing something every few seconds beside other work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def call_periodically(seconds: float, do: Callable[[], object]) -> Iterator[None]:
    """Inside, `do` is called by a thread of its own, first after so many seconds; at the end it is
    waited for."""
    over = threading.Event()

    def keep_doing() -> None:
        while not over.wait(seconds):
            do()

    thread = threading.Thread(target=keep_doing, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
