"""How often a schedule has brought a learning rate down to nearly 0 and slowly up again."""

from __future__ import annotations

LOW = 0.01  # of the first rate
HIGH = 0.5


class RateClimbs:
    """Counts slow climbs of a rate that begins at its highest value: a restart jumps, and a cycle
    or a warm-up begins at a low rate.

    Example:
        >>> climbs = RateClimbs()
        >>> for rate in (1.0, 0.5, 0.0, 0.2, 0.6, 1.0, 0.5, 0.0, 1.0):
        ...     climbs.add(rate)
        >>> climbs.count
        1
    """

    def __init__(self) -> None:
        self.count = 0
        self._first: float | None = None
        self._low = self._between = False

    def add(self, rate: float) -> None:
        """Add the next value."""
        if self._first is None:
            self._first = rate
        if rate > self._first * (1 + 1e-6):
            self._first = 0.0  # it began low: nothing is counted
        if rate < LOW * self._first:
            self._low, self._between = True, False
        elif self._low and rate < HIGH * self._first:
            self._between = True
        elif self._low:
            self.count += self._between
            self._low = False
