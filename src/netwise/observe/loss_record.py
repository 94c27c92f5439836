"""The loss of an observed run over its steps, in bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

MOST_VALUES = 400  # beyond it neighbours are joined, and the interval doubled


@dataclass
class LossRecord:
    """Means of the loss over intervals of steps.

    An interval is one step at first. Each time `MOST_VALUES` are reached, two neighbours become
    one. Values since the last call of `take_mean` are also averaged, for the end of an epoch.

    Attributes:
        waiting: (step, loss) that are added before anything else is done.
    """

    waiting: list[tuple[int, float]] = field(default_factory=list)
    _values: list[tuple[int, float]] = field(default_factory=list)
    _interval: int = 1
    _sum: float = 0.0
    _count: int = 0
    _total: float = 0.0
    _steps: int = 0
    _new: list[tuple[int, float]] = field(default_factory=list)

    @property
    def values(self) -> list[tuple[int, float]]:
        """The intervals so far: (last step, mean)."""
        self._add_waiting()
        return self._values

    def _add_waiting(self) -> None:
        waiting, self.waiting = self.waiting, []
        for step, value in waiting:
            self._add(step, value)

    def add(self, step: int, value: float) -> bool:
        """Record the loss of a step; whether `values` has a new one.

        >>> record = LossRecord()
        >>> for step in range(1000):
        ...     _ = record.add(step, float(step))
        >>> len(record.values) <= 400, record.values[-1]
        (True, (999, 997.5))
        """
        self._add_waiting()
        return self._add(step, value)

    def _add(self, step: int, value: float) -> bool:
        self._sum += value
        self._count += 1
        if -math.inf < value < math.inf:
            self._total += value
            self._steps += 1
        is_full = self._count >= self._interval
        if is_full:
            self._keep(step)
        return is_full

    def _keep(self, step: int) -> None:
        mean = self._sum / self._count
        self._values.append((step, mean))
        if len(self._new) < MOST_VALUES:  # else nobody takes them
            self._new.append((step, mean))
        self._sum, self._count = 0.0, 0
        if len(self._values) >= MOST_VALUES:
            pairs = zip(self._values[::2], self._values[1::2], strict=True)
            self._values = [(b[0], (a[1] + b[1]) / 2) for a, b in pairs]
            self._interval *= 2

    def take_mean(self) -> float | None:
        """The mean of the finite losses since the last call; None without any."""
        self._add_waiting()
        mean = self._total / self._steps if self._steps else None
        self._total, self._steps = 0.0, 0
        return mean

    def take_new(self) -> list[tuple[int, float]]:
        """The values that were recorded since the last call."""
        self._add_waiting()
        new, self._new = self._new, []
        return new
