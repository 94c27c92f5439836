"""How a run tells of itself while it trains: the engine calls, a display listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from netwise.history import Ended


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

    def end(self, ended: Ended) -> None:
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
    def end(self, ended: Ended) -> None: ...
