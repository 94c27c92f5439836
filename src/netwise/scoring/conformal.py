"""Intervals around predicted numbers that hold the true ones as often as they say."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from netwise.errors import DataError, WrongValue

LEVEL = 0.95  # as all intervals of netwise


def conformal_reach(errors: NDArray[np.float64], level: float = LEVEL) -> NDArray[np.float64]:
    """Half the width of the interval around a predicted number, by split conformal prediction.

    The interval `prediction ± reach` of a new sample holds its true number with a probability of at
    least `level`, whatever the model and the distribution are, if the sample comes from the same
    source as those of the errors: the true number is in it unless its error is among the largest.

    Args:
        errors: absolute errors `(samples, targets)` on samples that the model was not trained on.
        level: share of new samples whose interval holds the true number, between 0 and 1.

    Returns:
        Of each target: the error of rank ceil((samples + 1) level).

    Raises:
        WrongValue: level is not between 0 and 1.
        DataError: there are too few errors for this level.

    >>> conformal_reach(np.arange(1.0, 100.0)[:, None], 0.9)
    array([90.])

    Source: Lei, G'Sell, Rinaldo, Tibshirani, Wasserman 2018, Distribution-free predictive inference
    for regression, JASA 113, section 2.2.
    """
    if not 0 < level < 1:
        reason = "is the share of samples whose interval holds the true number, between 0 and 1"
        raise WrongValue.of("predict_interval", "level", str(level), reason, str(LEVEL))
    samples = len(errors)
    # Rounded, since (99 + 1) * 0.95 is a little more than 95 in floating point.
    rank = math.ceil(round((samples + 1) * level, 9))
    if rank > samples:
        most = math.floor(1000 * samples / (samples + 1)) / 1000
        needed = math.ceil(round(level / (1 - level), 9))
        raise DataError(
            f"an interval with level = {level} needs {needed} validation samples, and there are "
            f"{samples}: "
            + (f"write level = {most} at most, or " if samples else "")
            + "train with a larger validation part, such as valid = 0.2"
        )
    reach: NDArray[np.float64] = np.partition(errors, rank - 1, axis=0)[rank - 1]
    return reach
