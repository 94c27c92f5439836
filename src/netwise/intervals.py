"""95 % intervals: of a share, of a mean, of the mean over folds that share their training
samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

NORMAL = 1.959964  # standard deviations of a normal distribution that hold 95 % of it


def wilson(right: int, samples: int, z: float = NORMAL) -> tuple[float, float]:
    """(low, high) of a share. Source: Wilson 1927; honest near 0 and 1, where the normal one is
    not."""
    share = right / samples
    middle = share + z * z / (2 * samples)
    reach = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples * samples))
    scale = 1 + z * z / samples
    # The last digit may be rounded past the share itself, or past 0 and 1.
    return max(0.0, min(share, (middle - reach) / scale)), min(
        1.0, max(share, (middle + reach) / scale)
    )


def of_mean(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high) of two values or more that know nothing of each other: Student's t."""
    return _student(values, 1 / len(values))


def of_folds(values: Sequence[float], folds: int) -> tuple[float, float, float]:
    """(mean, low, high) of the values of a cross-validation, dealt once or more often.

    Folds overlap in what they learned from, so their mean is less sure than that of as many
    independent values.

    Source: Nadeau, Bengio 2003, "Inference for the generalization error", section 3.
    """
    return _student(values, 1 / len(values) + 1 / (folds - 1))


def _student(values: Sequence[float], variance: float) -> tuple[float, float, float]:
    """Of a mean whose variance is so many times that of one value."""
    from scipy import stats

    mean = fmean(values)
    reach = float(stats.t.ppf(0.975, len(values) - 1)) * stdev(values) * math.sqrt(variance)
    return mean, mean - reach, mean + reach
