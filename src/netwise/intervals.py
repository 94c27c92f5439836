"""95 % confidence intervals: of a proportion, of a mean, and of the mean over cross-validation
folds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev

NORMAL = 1.959964  # 97.5 % quantile of the standard normal distribution


def wilson(right: float, samples: float, z: float = NORMAL) -> tuple[float, float]:
    """Wilson's interval (low, high) of the proportion right / samples.

    Unlike the normal approximation, it is valid near 0 and 1. Numbers that are not whole stand for
    samples that are not independent.

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    share = right / samples
    middle = share + z * z / (2 * samples)
    half_width = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples * samples))
    scale = 1 + z * z / samples
    # Rounding must not move an end past the share, 0 or 1.
    return max(0.0, min(share, (middle - half_width) / scale)), min(
        1.0, max(share, (middle + half_width) / scale)
    )


def effective_samples(weights: Iterable[float]) -> float:
    """How many samples of equal weight have a mean as certain as that of samples with these
    weights: (sum of weights)² / sum of their squares; 0 where all are 0.

    Source: Kish 1965, Survey sampling, section 11.7.

    >>> effective_samples([2.0, 2.0]), effective_samples([1.0, 0.0])
    (2.0, 1.0)
    """
    kept = [float(weight) for weight in weights if weight > 0]
    return math.fsum(kept) ** 2 / math.fsum(w * w for w in kept) if kept else 0.0


def of_mean(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high) of two or more independent values, by Student's t."""
    return _student(values, 1 / len(values))


def of_folds(values: Sequence[float], folds: int) -> tuple[float, float, float]:
    """(mean, low, high) of the scores of a cross-validation, possibly repeated.

    The training sets of folds overlap, so the interval is wider than for independent values.

    Args:
        values: one score for each fold and repetition, at least two.
        folds: number of folds.

    Source: Nadeau, Bengio 2003, "Inference for the generalization error", section 3.
    """
    return _student(values, 1 / len(values) + 1 / (folds - 1))


def _student(values: Sequence[float], variance: float) -> tuple[float, float, float]:
    """(mean, low, high) for a mean with `variance` times the variance of one value."""
    from scipy import stats

    mean = fmean(values)
    half_width = float(stats.t.ppf(0.975, len(values) - 1)) * stdev(values) * math.sqrt(variance)
    return mean, mean - half_width, mean + half_width
