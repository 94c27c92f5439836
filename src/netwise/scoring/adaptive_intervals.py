"""Intervals around predicted numbers that are wider where errors are larger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netwise.errors import DataError
from netwise.scoring.conformal import conformal_reach

Floats = NDArray[np.float64]

FEWEST = 200  # samples from which a relation between errors and predictions is looked for
IN_A_BIN, MOST_BINS = 20, 20
LEAST_SCALE = 0.1  # of the mean error: a bin of lucky samples has no interval of width 0


@dataclass(frozen=True, eq=False)
class ErrorScale:
    """The typical error of a prediction, by the predicted number: linear between knots, constant
    beyond them.

    Args:
        knots: predicted numbers, in increasing order.
        scale: mean absolute error at each.
    """

    knots: Floats
    scale: Floats

    @staticmethod
    def fitted(predictions: Floats, errors: Floats) -> ErrorScale:
        """That of samples `(samples,)`: of equally many in each bin."""
        order = np.argsort(predictions, kind="stable")
        bins = np.array_split(order, max(1, min(MOST_BINS, len(order) // IN_A_BIN)))
        knots = np.array([predictions[rows].mean() for rows in bins])
        scale = np.array([errors[rows].mean() for rows in bins])
        return ErrorScale(knots, np.maximum(scale, LEAST_SCALE * errors.mean()))

    def at(self, predictions: Floats) -> Floats:
        """The typical error of each prediction."""
        return np.interp(predictions, self.knots, self.scale)


def interval_reach(errors: Floats, answers: Floats, predictions: Floats, level: float) -> Floats:
    """Half the width of the interval around each predicted number.

    Where the size of the errors follows from the predicted number, as that of prices does, each
    error is divided by the typical one at its prediction (normalised conformal prediction). The
    typical errors are those of every other sample, and the quantile is that of the rest, so that
    intervals hold the true number as often as those of equal width do. They are used where their
    interval score was better on samples that chose neither quantile; else all intervals have the
    width of `conformal_reach`.

    Args:
        errors: absolute errors `(samples, targets)` on samples that the model was not trained on.
        answers: what the model predicted for these `(samples, targets)`; of no samples where that
            is not known.
        predictions: the new predicted numbers `(new samples, targets)`.
        level: share of new samples whose interval holds the true number, between 0 and 1.

    Raises:
        WrongValue, DataError: see `conformal_reach`.

    >>> errors = np.arange(1.0, 100.0)[:, None]
    >>> interval_reach(errors, errors[:0], np.zeros((2, 1)), 0.9).tolist()
    [[90.0], [90.0]]

    Source: Papadopoulos, Gammerman, Vovk 2008, Normalized nonconformity measures for regression
    conformal prediction; Lei et al. 2018, section 5.2. The interval score is that of Gneiting,
    Raftery 2007, JASA 102, equation 43.
    """
    constant = conformal_reach(errors, level)
    columns = []
    for target, reach in enumerate(constant):
        known = len(answers) == len(errors) and len(errors) >= FEWEST
        adaptive = (
            _adaptive(errors[:, target], answers[:, target], predictions[:, target], level)
            if known
            else None
        )
        columns.append(np.full(len(predictions), reach) if adaptive is None else adaptive)
    return np.stack(columns, 1)


def _adaptive(errors: Floats, answers: Floats, predictions: Floats, level: float) -> Floats | None:
    """The reach of each prediction; None where equal widths are as good."""
    scale = ErrorScale.fitted(answers[::2], errors[::2])
    rest, typical = errors[1::2], scale.at(answers[1::2])
    if typical.min() <= 0:
        return None
    try:
        gains = np.concatenate(
            [
                _interval_scores(rest[judged], conformal_reach(rest[chosen, None], level), level)
                - _interval_scores(
                    rest[judged],
                    conformal_reach((rest / typical)[chosen, None], level) * typical[judged],
                    level,
                )
                for chosen, judged in _halves(len(rest))
            ]
        )
        quantile = conformal_reach((rest / typical)[:, None], level)
    except DataError:  # too few for this level
        return None
    if gains.mean() <= 2 * gains.std() / np.sqrt(len(gains)):
        return None
    reach: Floats = quantile[0] * scale.at(predictions)
    return reach


def _halves(count: int) -> tuple[tuple[slice, slice], ...]:
    one, other = slice(0, count, 2), slice(1, count, 2)
    return (one, other), (other, one)


def _interval_scores(errors: Floats, reach: Floats, level: float) -> Floats:
    """Width of the interval of each sample, and a penalty where it misses the true number."""
    scores: Floats = 2 * reach + 2 / (1 - level) * np.maximum(errors - reach, 0)
    return scores
