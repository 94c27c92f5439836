"""Calling a function every few seconds, in a thread beside other work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def call_periodically(seconds: float, function: Callable[[], object]) -> Iterator[None]:
    """Inside, a thread calls `function` every `seconds`, first after that time. At the end a call
    that is running is waited for."""
    ended = threading.Event()

    def call_until_ended() -> None:
        while not ended.wait(seconds):
            function()

    thread = threading.Thread(target=call_until_ended, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
