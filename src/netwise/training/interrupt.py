"""Ctrl-C and SIGTERM as a request to stop after the current step, not in the middle of it; and what
work on a whole run raises then."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from netwise.history import INTERRUPTED
from netwise.termination import Terminated

if TYPE_CHECKING:
    from netwise.training.run import Run


def uninterrupted(run: Run) -> Run:
    """The run, where it was trained to its end: for work that makes no sense with a part of a run.

    Raises:
        Terminated: SIGTERM interrupted the run.
        KeyboardInterrupt: another signal did.
    """
    ended = run.history.ended
    if ended.how == INTERRUPTED:
        raise Terminated if signal.SIGTERM.name in ended.sentence else KeyboardInterrupt
    return run


_ENTERED: list[Interrupt] = []


def signal_requested() -> bool:
    """Whether a signal has arrived inside a `with Interrupt()`, for code that waits there."""
    return any(interrupt.requested() for interrupt in _ENTERED)


class Interrupt:
    """While entered, the first SIGINT or SIGTERM is stored; a second SIGINT raises
    KeyboardInterrupt.

    Only the main thread can handle signals; in other threads nothing changes.
    """

    def __init__(self) -> None:
        self.number = 0
        self._handlers: dict[int, Any] = {}

    def requested(self) -> bool:
        """Whether a signal has arrived."""
        return self.number != 0

    def __enter__(self) -> Self:
        _ENTERED.append(self)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if self._replaces(signal.getsignal(number)):
                    self._handlers[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _ENTERED.remove(self)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _replaces(self, handler: Any) -> bool:
        """Whether this handler of a signal is replaced."""
        return True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.number and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number

    @property
    def name(self) -> str:
        """Name of the signal, such as "SIGINT"; "" before one has arrived."""
        return signal.Signals(self.number).name if self.number else ""
