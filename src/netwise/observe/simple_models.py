"""How well simple models predict targets: a linear one, a smooth one and the nearest neighbour.

All three need the products of the samples alone, so they are fitted to a few hundred rows in less
than a second. Nothing is drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 3
RIDGES = (0.1, 3.0)  # in units of the mean squared length of a sample
WIDTH = 1.0  # of the smooth model: exp(-squared distance / mean squared length)
FLOOR = 0.2  # of the usual spread: features with less are not stretched further
APART = 100.0  # ratio of spreads from which on each feature has a unit of its own
NEIGHBOURS = 5  # for numbers
Rows = NDArray[np.float64]


@dataclass(frozen=True)
class SimpleScores:
    """Scores of the simple models on rows that they were not fitted to.

    Args:
        linear, smooth, neighbour: accuracies, or R² for numbers.
        chance: of the best constant prediction.
        rows: that were predicted.

    >>> SimpleScores(0.9, 0.8, 0.7, 0.1, 100).best
    0.9
    """

    linear: float
    smooth: float
    neighbour: float
    chance: float
    rows: int

    @property
    def best(self) -> float:
        """The highest score."""
        return max(self.linear, self.smooth, self.neighbour)

    @property
    def skill(self) -> float:
        """Where the highest score lies between chance (0) and perfect predictions (1)."""
        return skill_of(self.best, self.chance)


def skill_of(score: float, chance: float) -> float:
    """Where a score lies between that of guessing (0) and 1; 0 where guessing is perfect.

    >>> skill_of(0.75, 0.5)
    0.5
    """
    return max(0.0, (score - chance) / (1 - chance)) if chance < 1 else 0.0


def scaled(rows: Rows, like: Rows | None = None) -> Rows:
    """Features with mean 0 and comparable spreads.

    Features of one kind, such as pixels, keep their proportions, but for a factor; where spreads
    differ more than `APART` times each feature gets the spread 1.

    Args:
        rows: (samples, features).
        like: the rows whose means and spreads count. Default: `rows`.
    """
    base = rows if like is None else like
    mean, spread = base.mean(0), base.std(0)
    varying = spread > 1e-12 * max(1.0, float(np.abs(mean).max(initial=0.0)))
    if not varying.any():
        return np.zeros_like(rows)
    usual = float(np.sqrt(np.mean(spread[varying] ** 2)))
    if spread[varying].max() > APART * spread[varying].min() and not _is_sparse(base, varying):
        divisor = spread
    else:
        divisor = np.maximum(spread, FLOOR * usual)
    return np.where(varying, (rows - mean) / np.where(varying, divisor, 1.0), 0.0)


def _is_sparse(rows: Rows, varying: NDArray[np.bool_]) -> bool:
    """Whether the features with the least spread are mostly one value, such as pixels of a
    margin."""
    spread = rows.std(0)
    small = varying & (spread <= np.quantile(spread[varying], 0.1))
    few = rows[:, small][:, :64]
    return bool(np.mean(few == np.median(few, 0)) > 0.9)


def products_of(rows: Rows, others: Rows | None = None) -> Rows:
    """Scalar products of all rows with all others, per feature."""
    a = rows.astype(np.float32)
    b = a if others is None else others.astype(np.float32)
    total: Rows = (a @ b.T).astype(np.float64) / max(1, rows.shape[1])
    return total


def products_of_symbols(rows: NDArray[np.int64], others: NDArray[np.int64]) -> Rows:
    """The share of places at which two rows have the same symbol.

    >>> products_of_symbols(np.array([[1, 2]]), np.array([[1, 3], [1, 2]])).tolist()
    [[0.5, 1.0]]
    """
    total = np.zeros((len(rows), len(others)))
    for place in range(rows.shape[1]):
        total += rows[:, place, None] == others[None, :, place]
    shares: Rows = total / max(1, rows.shape[1])
    return shares


def scores_of(
    products: Rows, target: Rows, fitted: Sequence[int], predicted: Sequence[int], is_class: bool
) -> SimpleScores:
    """Fit the models to some samples and measure them on others.

    Args:
        products: of all samples, (samples, samples).
        target: (samples, columns): rows with a single 1 for classes, else numbers.
        fitted, predicted: numbers of the samples.
        is_class: what `target` is.
    """
    fit, ask = np.asarray(fitted), np.asarray(predicted)
    within, across = products[np.ix_(fit, fit)], products[np.ix_(ask, fit)]
    size = max(float(np.mean(np.diag(within))), 1e-12)
    within, across = within / size, across / size
    own = np.diag(products)[ask] / size
    far = own[:, None] + np.diag(within)[None] - 2 * across
    near = np.diag(within)[:, None] + np.diag(within)[None] - 2 * within
    truth = target[ask]
    given = target[fit]
    answers = {
        "linear": _ridge(within, across, given),
        "smooth": _ridge(np.exp(-near / WIDTH), np.exp(-far / WIDTH), given),
    }
    linear, smooth = (max(_score(a, truth, is_class) for a in answers[name]) for name in answers)
    count = 1 if is_class else min(NEIGHBOURS, len(fit))
    nearest = np.argpartition(far, count - 1, axis=1)[:, :count]
    neighbour = _score(given[nearest].mean(1), truth, is_class)
    chance = float(truth.mean(0).max()) if is_class else 0.0
    return SimpleScores(linear, smooth, neighbour, chance, len(ask))


def cross_validated(
    products: Rows, target: Rows, is_class: bool, folds: int = FOLDS
) -> SimpleScores:
    """Scores of each part of the samples by models that were fitted to the others; the mean.

    Args:
        products, target, is_class: as in `scores_of`.
        folds: parts; sample i is in part i modulo `folds`.
    """
    place = np.arange(len(target))
    each = [
        scores_of(products, target, place[place % folds != k], place[place % folds == k], is_class)
        for k in range(folds)
    ]
    means = (float(np.mean([getattr(s, n) for s in each])) for n in ("linear", "smooth"))
    linear, smooth = means
    return SimpleScores(
        linear,
        smooth,
        float(np.mean([s.neighbour for s in each])),
        float(np.mean([s.chance for s in each])),
        len(target),
    )


def predictions(products: Rows, target: Rows, fitted: Sequence[int], asked: Sequence[int]) -> Rows:
    """Predictions of the linear model, (asked samples, columns)."""
    fit, ask = np.asarray(fitted), np.asarray(asked)
    within, across = products[np.ix_(fit, fit)], products[np.ix_(ask, fit)]
    size = max(float(np.mean(np.diag(within))), 1e-12)
    return _ridge(within / size, across / size, target[fit])[0]


def _ridge(within: Rows, across: Rows, target: Rows) -> list[Rows]:
    """Predictions by kernel ridge regression, for each of `RIDGES`."""
    mean = target.mean(0)
    answers = []
    for ridge in RIDGES:
        matrix = within + ridge * np.eye(len(within))
        answers.append(mean + across @ np.linalg.solve(matrix, target - mean))
    return answers


def _score(answer: Rows, truth: Rows, is_class: bool) -> float:
    """Accuracy, or R² over all columns, each in units of its own spread."""
    if is_class:
        return float(np.mean(answer.argmax(1) == truth.argmax(1)))
    spread = truth.var(0)
    varying = spread > 0
    if not varying.any():
        return 0.0
    left = np.mean((answer - truth) ** 2, 0)[varying] / spread[varying]
    return float(1 - left.mean())
