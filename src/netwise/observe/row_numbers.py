"""A feature that numbers the rows of a table, which tells classes that the table is sorted by."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from netwise.observe.data_sample import DataSample, products
from netwise.observe.simple_models import Rows, SimpleScores, cross_validated

FEWEST = 60  # rows
MOST_FEATURES = 500
EVEN = 0.02  # of a step, by which rounding may move a number
DENSE = 0.2  # of all numbers between the lowest and the highest, in the sample


@dataclass(frozen=True)
class RowNumbers:
    """A feature that numbers the rows.

    Args:
        feature: its place.
        alone: accuracy of the nearest neighbours that know this feature alone.
        others: of the best simple model that knows all others.
    """

    feature: int
    alone: float
    others: float


def row_numbers(sample: DataSample) -> RowNumbers | None:
    """The feature whose values are all different and at even distances, as numbers of rows are,
    also once they are scaled; None without one, and for targets that are numbers.

    >>> x = np.stack([np.arange(90.0), np.random.default_rng(0).normal(size=90)], 1)
    >>> y = np.eye(3)[np.arange(90) // 30]
    >>> found = row_numbers(DataSample(x, None, y, True, tuple(range(90))))
    >>> found.feature, found.alone > 0.9, found.others < 0.6
    (0, True, True)
    """
    numbers = sample.numbers
    if numbers is None or not sample.is_class or len(sample) < FEWEST:
        return None
    if not 2 <= numbers.shape[1] <= MOST_FEATURES:
        return None
    for feature in range(numbers.shape[1]):
        if _are_even(numbers[:, feature]):
            alone = _asked(sample, numbers[:, [feature]]).neighbour
            others = _asked(sample, np.delete(numbers, feature, 1)).best
            return RowNumbers(feature, alone, others)
    return None


def _asked(sample: DataSample, numbers: Rows) -> SimpleScores:
    part = replace(sample, numbers=numbers, symbols=None)
    return cross_validated(products(part), part.target, True)


def _are_even(values: Rows) -> bool:
    """Whether all values are different, and multiples of one step apart."""
    gaps = np.diff(np.sort(values))
    if not (gaps > 0).all():
        return False
    steps = gaps / gaps.min()
    whole = np.round(steps)
    is_even = np.abs(steps - whole) <= EVEN * whole
    return bool(is_even.all() and len(values) >= DENSE * whole.sum())
