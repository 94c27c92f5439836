"""Ctrl-C and SIGTERM in several processes: all of them stop after the same step."""

from __future__ import annotations

import signal

from netwise.training.interrupt import Interrupt
from netwise.training.ranks.ranks import Ranks


class AgreedInterrupt:
    """A request to stop that any of the processes has got.

    Args:
        own: of this process.
        ranks: the processes.
    """

    def __init__(self, own: Interrupt, ranks: Ranks) -> None:
        self.own, self.ranks, self.number = own, ranks, 0

    def at_once(self) -> bool:
        """Whether to stop before the next check; several processes go on until they have agreed."""
        return self.ranks.alone and self.own.requested()

    def requested(self) -> bool:
        """Whether a signal has arrived in any process; all have to ask together."""
        if self.ranks.alone:
            self.number = self.own.number
        else:
            self.number = int(max(self.ranks.gather(self.own.number)))
        return self.number != 0

    @property
    def name(self) -> str:
        """Name of the signal, such as "SIGINT"; "" before one has arrived."""
        return signal.Signals(self.number).name if self.number else ""
