"""Which steps of an observed program are watched.

The first steps are watched, then fewer and fewer: the distance grows with the number of steps
already done, so early training is seen in detail and a long run costs little. Distances are
irregular, because a fixed one could coincide with the end of each epoch, or with one of two
networks that are trained in turn. They depend on the step alone: no random generator of the program
is used.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 5  # steps that are all watched
SHARE = 4  # the distance is this part of the steps already done
FARTHEST = 200  # longest distance before rows are thinned
# Facts that seldom change, such as names or statistics of the data, are read in the first watched
# steps and then in one of so many.
FIRST_READ, READ_EVERY = 12, 4
HASH = 2654435761  # Knuth's multiplicative hash, 2^32 / golden ratio


def is_read(count: int, first: int = FIRST_READ, every: int = READ_EVERY) -> bool:
    """Whether facts that seldom change are read in a watched step.

    Args:
        count: of watched steps before it.
        first: so many are all read.
        every: then one of so many.

    >>> [is_read(count) for count in (0, 11, 13, 16)]
    [True, True, False, True]
    """
    return count < first or count % every == 0


@dataclass(frozen=True)
class Sampling:
    """The distance from one watched step to the next.

    Args:
        every: watch one step of so many; None: first all, then fewer and fewer.

    >>> [Sampling().distance(step) for step in (1, 5, 100, 10_000)]
    [1, 1, 24, 173]
    >>> Sampling(every=7).distance(100)
    7
    """

    every: int | None = None

    def distance(self, steps: int) -> int:
        """Steps until the next watched one, once `steps` have been done."""
        if self.every is not None:
            return self.every
        if steps < FIRST:
            return 1
        longest = max(1, min(steps // SHARE, FARTHEST))
        return longest - ((steps * HASH >> 7) % (longest // 4 + 1))
