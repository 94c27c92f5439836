"""Watches how long the steps of a run take, and says so where other processes slow them down."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

from netwise.training.other_load import seconds_without_core, used_by_others

FIRST_BLOCKS = 5  # of steps: their median is the time at the start
SLOW, SLOW_SECONDS = 5.0, 2.0  # times the start; steps that take this long for so many seconds
MOST_QUESTIONS = 3  # to the system, each of which takes a moment
LEAST_SHARE = 0.25  # of the slow seconds, in which a lone thread waited for a core
LEAST_USE = 0.5  # cores that others use, from which on they are the reason


class SlowSteps(UserWarning):
    """Steps take many times longer than at the start of the run, since other processes use the
    cores.

    Example:
        >>> import netwise as nw, warnings
        >>> warnings.simplefilter("ignore", nw.SlowSteps)
    """


class Pace:
    """Seconds of a step, block by block.

    Attributes:
        sentence: what was said about slow steps; "" where nothing was.
    """

    def __init__(
        self,
        threads: int,
        cores: int,
        used: Callable[[], float | None] = used_by_others,
        waited: Callable[[], float | None] = seconds_without_core,
    ) -> None:
        self.threads, self.cores, self.used, self.waited = threads, cores, used, waited
        self.sentence = ""
        self._questions = 0
        self._first: list[float] = []
        self._seconds = 0.0  # of slow blocks without a quick one between them
        self._quickest = 0.0  # step of these blocks
        self._blocks = 0
        self._waited: float | None = None  # for a core, after the first slow block

    def add(self, steps: int, seconds: float) -> None:
        """Take in a block of steps, and warn once where they have become slow."""
        if not steps or self.sentence or self._questions == MOST_QUESTIONS:
            return
        self._blocks += 1
        each = seconds / steps
        if self._blocks == 1:
            return  # the first block warms up
        if len(self._first) < FIRST_BLOCKS:
            self._first.append(each)
            return
        if each < SLOW * self.at_start:
            self._seconds = 0.0
            return
        if not self._seconds:
            self._quickest, self._waited = each, self.waited()
        self._quickest = min(each, self._quickest)
        self._seconds += seconds
        if self._seconds >= SLOW_SECONDS:
            self._questions += 1
            self.sentence = self._sentence(self._quickest)
            self._seconds = 0.0
            if self.sentence:
                warnings.warn(self.sentence, SlowSteps, stacklevel=2)

    @property
    def at_start(self) -> float:
        """Seconds of a step in the first blocks; 0 before they are over."""
        return median(self._first) if len(self._first) == FIRST_BLOCKS else 0.0

    def _sentence(self, each: float) -> str:
        used = self.used()
        if used is None or used < LEAST_USE or self._waited_elsewhere():
            return ""
        text = (
            f"Steps take {each / self.at_start:.0f} times longer than at the start "
            f"({1e3 * each:.3g} instead of {1e3 * self.at_start:.3g} ms): other processes use "
            f"{min(used, self.cores):.1f} of {self.cores} cores"
        )
        if self.threads == 1:
            return f"{text}. End them, or wait until they have ended."
        return (
            f"{text}, and {self.threads} threads wait for each other. One thread would help: "
            "interrupt the run, and train again with --threads 1, in Python fit(..., threads=1)."
        )

    def _waited_elsewhere(self) -> bool:
        """Whether one thread lost most of its time to something else than the want of a core, such
        as a disk that its data are read from. Several threads also wait for each other."""
        now = self.waited()
        if self.threads > 1 or now is None or self._waited is None:
            return False
        return now - self._waited < LEAST_SHARE * self._seconds

    def plain(self) -> dict[str, Any]:
        """For the folder of the run."""
        return {"seconds_per_step_at_start": self.at_start, "sentence": self.sentence}
