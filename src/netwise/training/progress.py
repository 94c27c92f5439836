"""Progress of runs: what training calls, and what a display implements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from netwise.history import RunEnd


class Progress(Protocol):
    """The methods that `fit` calls on a progress display. They must not change the run.

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
        """A run of so many epochs and steps starts; a resumed run has `done` steps behind it."""

    def step(self, done: int) -> None:
        """So many steps are done; not called after each step."""

    def epoch(self, epoch: int, row: Mapping[str, float]) -> None:
        """Epoch number `epoch` (from 1) has ended with these signals."""

    def end(self, ended: RunEnd) -> None:
        """The run has ended."""


class Silent:
    """A progress display that shows nothing; a base class for your own.

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
    """Progress of one run among several.

    Args:
        name: of the run.
        epoch: epochs done.
        epochs: of the whole run.
        value: on the validation part after the last epoch, or None.
        about: the fields in which its recipe differs from the others, as text.

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


# Called with a sentence and the progress of all runs that are running.
RunMonitor = Callable[[str, Sequence[RunProgress]], None]
POLL_SECONDS = 0.5  # between two calls of a monitor

_MONITOR: ContextVar[RunMonitor | None] = ContextVar("run_monitor", default=None)


def active_monitor() -> RunMonitor | None:
    """The monitor of `monitor_runs` in this context, or None."""
    return _MONITOR.get()


@contextmanager
def monitor_runs(by: RunMonitor) -> Iterator[None]:
    """Inside, everything that trains several runs calls `by` twice a second.

    `by` gets a sentence that says how many runs have ended, and the progress of those that are
    running. `fit_many`, cross-validation, learning curves, trials, `treat` and `search` call it.

    Example:
        >>> import netwise as nw
        >>> sentences = []
        >>> recipe = nw.suggest(nw.data.iris(), epochs=2)
        >>> with nw.monitor_runs(lambda sentence, runs: sentences.append(sentence)):
        ...     _ = nw.fit_many([recipe, recipe.but(seed=1)], jobs=1)
        >>> sentences[-1]
        '2 of 2 runs ended'
    """
    token = _MONITOR.set(by)
    try:
        yield
    finally:
        _MONITOR.reset(token)
