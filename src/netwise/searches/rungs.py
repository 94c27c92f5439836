"""The rungs of successive halving: after how many epochs trials are compared, and who continues."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile


@dataclass(frozen=True)
class Rungs:
    """The numbers of epochs after which trials are compared.

    Args:
        first: epochs of the first rung.
        factor: of the epochs from rung to rung; one of `factor` trials continues.
        epochs: of a whole run; there is no rung at its end.
        brackets: halvings in parallel, each of which leaves out one rung more at the start. Trials
            are compared within their bracket.

    Source: Li et al. 2018 (ASHA); the trials of each bracket as in Optuna's `HyperbandPruner`.
    """

    first: int
    factor: int
    epochs: int
    brackets: int = 1

    def bracket(self, number: int) -> int:
        """The bracket of a trial. Of each round of trials, those that start early get the most."""
        shares = [
            math.ceil(self.brackets * self.factor**left / (left + 1))
            for left in reversed(range(self.brackets))
        ]
        place, bracket = number % sum(shares), 0
        while place >= shares[bracket]:
            place, bracket = place - shares[bracket], bracket + 1
        return bracket

    def of(self, number: int) -> tuple[int, ...]:
        """The rungs of a trial, ascending."""
        start = self.first * self.factor ** self.bracket(number)
        powers = (start * self.factor**power for power in range(64))
        return tuple(takewhile(lambda rung: rung < self.epochs, powers))

    def survives(self, value: float, others: Sequence[float]) -> bool:
        """Whether a trial with this value continues: it is among the best one of `factor`, or the
        best so far."""
        ranking = sorted((_ranked(each) for each in (*others, value)), reverse=True)
        return _ranked(value) >= ranking[max(1, len(ranking) // self.factor) - 1]


def _ranked(value: float) -> float:
    return -math.inf if math.isnan(value) else value
