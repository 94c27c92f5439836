"""SIGTERM as an exception, so that the work that it ends can clean up behind itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

TERMINATED = 143  # exit code of a process that SIGTERM ended: 128 + 15


class Terminated(SystemExit):
    """SIGTERM has ended the work. Where nothing catches it, the process ends its workers, removes
    its temporary files and exits with code 143."""

    def __init__(self) -> None:
        super().__init__(TERMINATED)


def raise_terminated(number: int, frame: FrameType | None) -> None:
    """A handler of SIGTERM."""
    raise Terminated


@contextmanager
def handle_sigterm(handler: Any) -> Iterator[None]:
    """Inside, SIGTERM has this handler; a handler of the program's own is left in place."""
    before = signal.getsignal(signal.SIGTERM)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or before not in (signal.SIG_DFL, raise_terminated):
        yield
        return
    signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
