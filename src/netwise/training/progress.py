"""How a run tells of itself while it trains: the engine calls, a display listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from netwise.history import RunEnd


class Progress(Protocol):
    """What a display offers. Nothing it does may change the run.

    Example:
        >>> import netwise as nw
        >>> class Count(nw.Silent):
        ...     epochs = 0
        ...     def epoch(self, epoch, row):
        ...         self.epochs += 1
        >>> count = Count()
        >>> _ = nw.fit(nw.suggest(nw.data.iris(), epochs=3), progress=count)
        >>> count.epochs
        3
    """

    def start(self, epochs: int, steps: int, done: int) -> None:
        """A run of so many epochs and steps begins; `done` steps were taken before."""

    def step(self, done: int) -> None:
        """So many steps are done; called now and then."""

    def epoch(self, epoch: int, row: Mapping[str, float]) -> None:
        """Epoch number `epoch` (from 1) has ended with these signals."""

    def end(self, ended: RunEnd) -> None:
        """The run has ended."""


class Silent:
    """A display that shows nothing; the base for one's own.

    Example:
        >>> import netwise as nw
        >>> nw.Silent().step(3)
    """

    def start(self, epochs: int, steps: int, done: int) -> None: ...
    def step(self, done: int) -> None: ...
    def epoch(self, epoch: int, row: Mapping[str, float]) -> None: ...
    def end(self, ended: RunEnd) -> None: ...


@dataclass(frozen=True)
class RunProgress:
    """How far one of many runs has come that somebody is at work on.

    Args:
        name: of the run among the others.
        epoch, epochs: done, and of all.
        value: of the validation part after the last epoch, or None.
        about: what sets it apart from the others, in words.

    Example:
        >>> import netwise as nw
        >>> nw.RunProgress("run 3 of 5", 2, 10, 0.91, "seed = 2").epoch
        2
    """

    name: str
    epoch: int = 0
    epochs: int = 0
    value: float | None = None
    about: str = ""


RunMonitor = Callable[[str, Sequence[RunProgress]], None]
_MONITOR: ContextVar[RunMonitor | None] = ContextVar("watcher", default=None)
POLL_SECONDS = 0.5  # seconds between two looks at many runs


def active_monitor() -> RunMonitor | None:
    """Who wants to be told of many runs, here and now."""
    return _MONITOR.get()


@contextmanager
def monitor_runs(by: RunMonitor) -> Iterator[None]:
    """Inside, whatever trains many runs tells of them twice a second: how many have ended, in
    words, and those at work.

    `fit_many`, cross-validation, learning curves, trials, `treat` and `search` all do, whoever
    calls them.

    Example:
        >>> import netwise as nw
        >>> seen = []
        >>> recipe = nw.suggest(nw.data.iris(), epochs=2)
        >>> with nw.monitor_runs(lambda words, runs: seen.append(words)):
        ...     _ = nw.fit_many([recipe, recipe.but(seed=1)], jobs=1)
        >>> seen[-1]
        '2 of 2 runs ended'
    """
    token = _MONITOR.set(by)
    try:
        yield
    finally:
        _MONITOR.reset(token)
