"""Metrics: a number for the answers to one part of the data, computed by scikit-learn, with its
95 % interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from netwise.errors import UnknownName
from netwise.intervals import NORMAL, effective_samples, wilson
from netwise.scoring.answers import AnsweredClasses, AnsweredNumbers, Answers, Floats
from netwise.scoring.score import WORDS, Score

BINS = 15  # of probabilities, for the calibration error (Guo et al. 2017)
RESAMPLES = 1000  # of a bootstrap interval
UNEVEN = (
    5.0  # samples of the largest class over those of the smallest, from which accuracy misleads
)
MOST_RANKED = 20_000_000  # samples times classes that are sorted for an AUC

Interval = tuple[float, float]


@dataclass(frozen=True)
class Metric:
    """A metric that a recipe can name.

    Args:
        name: as in `Score.name`.
        has_classes: the targets are classes; False: numbers.
        higher_is_better: False for errors and losses.
        needs_probability: it cannot be computed of a model that gives none.
        value: the number, of answers; their weights count as in scikit-learn's `sample_weight`.
        interval: its 95 % interval, of (answers, value).
    """

    name: str
    has_classes: bool
    higher_is_better: bool
    value: Callable[[Any], float]
    interval: Callable[[Any, float], Interval]
    needs_probability: bool = False

    @property
    def title(self) -> str:
        """The name for people."""
        return WORDS[self.name][0]

    def goal(self, value: float) -> float:
        """The value as a number of which higher is better."""
        return value if self.higher_is_better else -value

    def can_measure(self, answers: Answers) -> bool:
        """Whether these answers have what the metric needs: probabilities, and of classes at least
        two for an AUC."""
        if isinstance(answers, AnsweredNumbers):
            return not self.has_classes
        if not self.has_classes or (self.needs_probability and answers.probability is None):
            return False
        if self.name != "auc":
            return True
        return (
            answers.ranking.size <= MOST_RANKED
            and len(np.unique(answers.truth[weights_of(answers) > 0])) > 1
        )

    def score(self, answers: Answers) -> Score:
        """The value with its interval.

        >>> answers = AnsweredNumbers(np.array([[1.0], [2.0]]), np.array([[1.5], [2.5]]))
        >>> print(metric_named("mae").score(answers))
        MAE 0.5 (95 % interval 0.5 to 0.5; 2 samples)
        """
        value = self.value(answers)
        low, high = self.interval(answers, value)
        return Score(self.name, value, min(low, value), max(high, value), len(answers))


def _shares_interval(value: float, influence: Floats, fewest: float) -> Interval:
    """Wilson's interval for as many independent answers as give the variance that the influences of
    the samples have; for `fewest` of them where the samples show no variance at all.

    Source: of the AUC this is the variance of DeLong, DeLong, Clarke-Pearson 1988.
    """
    variance = float(np.square(influence).sum())
    count = value * (1 - value) / variance if variance > 0 else 0.0
    count = count if count > 0 else max(1, fewest)
    return wilson(value * count, count)


def _mean_interval(value: float, influence: Floats, least: float = 0.0) -> Interval:
    """Normal interval of a mean of many samples, whose influences sum to 0."""
    half = NORMAL * math.sqrt(float(np.square(influence).sum()))
    return max(least, value - half), value + half


def weights_of(answers: Answers) -> Floats:
    """The weight of each sample `(samples,)`; 1 where none are given."""
    return np.ones(len(answers)) if answers.weight is None else answers.weight


def _shares(answers: Answers) -> Floats:
    """The share of each sample in a mean `(samples,)`, by its weight; their sum is 1."""
    weights = weights_of(answers)
    shares: Floats = weights / weights.sum()
    return shares


def _count(answers: Answers, chosen: Any = slice(None)) -> float:
    """Samples of equal weight that a mean of the chosen ones is as certain as."""
    if answers.weight is None:
        return len(answers.truth[chosen])
    return effective_samples(answers.weight[chosen])


def _right(answers: AnsweredClasses, chosen: Any = slice(None)) -> tuple[float, float]:
    """(right answers, answers) among the chosen ones, of as many of equal weight as `_count`."""
    right, count = answers.right[chosen], _count(answers, chosen)
    if answers.weight is None:
        return int(right.sum()), count
    weight = answers.weight[chosen]
    return float(weight @ right / weight.sum()) * count, count


def _of_classes(answers: AnsweredClasses) -> list[tuple[float, float]]:
    """`_right` for each class that has weight among the targets."""
    present = np.unique(answers.truth[weights_of(answers) > 0])
    return [_right(answers, answers.truth == k) for k in present]


def _accuracy(answers: AnsweredClasses) -> float:
    from sklearn.metrics import accuracy_score  # heavy

    return float(accuracy_score(answers.truth, answers.answer, sample_weight=answers.weight))


def _accuracy_interval(answers: AnsweredClasses, value: float) -> Interval:
    return wilson(*_right(answers))


def _balanced_accuracy(answers: AnsweredClasses) -> float:
    from sklearn.metrics import recall_score  # heavy

    labels = np.unique(answers.truth[weights_of(answers) > 0])
    options: dict[str, Any] = {"average": "macro", "sample_weight": answers.weight}
    return float(recall_score(answers.truth, answers.answer, labels=labels, **options))


def _balanced_accuracy_interval(answers: AnsweredClasses, value: float) -> Interval:
    """From the Wilson intervals of the recalls, whose distances to them add in square.

    Source: Newcombe 1998, Interval estimation for the difference between independent proportions;
    Zou, Donner 2008, Construction of confidence limits about effect measures.
    """
    ends = [(k / n, *wilson(k, n)) for k, n in _of_classes(answers)]
    below = math.sqrt(sum((recall - low) ** 2 for recall, low, _ in ends)) / len(ends)
    above = math.sqrt(sum((high - recall) ** 2 for recall, _, high in ends)) / len(ends)
    return max(0.0, value - below), min(1.0, value + above)


def _macro_f1(answers: AnsweredClasses) -> float:
    from sklearn.metrics import f1_score  # heavy

    counted = weights_of(answers) > 0  # classes of samples without weight are no classes
    labels = np.unique(np.concatenate([answers.truth[counted], answers.answer[counted]]))
    options: dict[str, Any] = {"average": "macro", "sample_weight": answers.weight}
    return float(f1_score(answers.truth, answers.answer, labels=labels, zero_division=0, **options))


def _macro_f1_interval(answers: AnsweredClasses, value: float) -> Interval:
    weight = _shares(answers)
    counted = weight > 0
    weight, right = weight[counted], answers.right[counted]
    rows = answers.truth[counted], answers.answer[counted]
    labels = np.unique(np.concatenate(rows))
    truth, answer = (np.searchsorted(labels, row) for row in rows)
    asked, said = (np.bincount(row, weight, len(labels)) for row in (truth, answer))
    hits = np.bincount(truth[right], weight[right], len(labels))
    size = asked + said
    share = 2 * hits / size**2
    influence = (2 * right / size[truth] - share[truth] - share[answer]) / len(labels)
    fewest = min(count for _, count in _of_classes(answers))
    return _shares_interval(value, weight * influence, fewest)


def _auc(answers: AnsweredClasses) -> float:
    from sklearn.metrics import roc_auc_score  # heavy

    return float(
        np.mean(
            [
                roc_auc_score(
                    answers.truth == k, answers.ranking[:, k], sample_weight=answers.weight
                )
                for k in _ranked(answers)
            ]
        )
    )


def _ranked(answers: AnsweredClasses) -> list[int]:
    """The classes that are ranked against the rest: of two the second one, since both have the
    same AUC; else all that occur."""
    present = [int(k) for k in np.unique(answers.truth[weights_of(answers) > 0])]
    return present[1:] if answers.ranking.shape[1] == 2 else present


def _auc_interval(answers: AnsweredClasses, value: float) -> Interval:
    classes, share = _ranked(answers), _shares(answers)
    influence, fewest = np.zeros(len(answers)), float(len(answers))
    for k in classes:
        is_k = answers.truth == k
        numbers = answers.ranking[:, k]
        yes, no = share * is_k, share * ~is_k
        yes, no = yes / yes.sum(), no / no.sum()
        above = _share_below(numbers, no)  # of the rest, below each sample of the class
        below = 1 - _share_below(numbers, yes)
        influence += yes * (above - (yes * above).sum()) + no * (below - (no * below).sum())
        fewest = min(fewest, _count(answers, is_k), _count(answers, ~is_k))
    return _shares_interval(value, influence / len(classes), fewest)


def _share_below(numbers: Floats, share: Floats) -> Floats:
    """For each number the sum of the shares of smaller ones, and half of that of equal ones."""
    _, place = np.unique(numbers, return_inverse=True)
    of_place = np.bincount(place, share)
    below: Floats = (np.cumsum(of_place) - of_place / 2)[place]
    return below


def _log_loss(answers: AnsweredClasses) -> float:
    from sklearn.metrics import log_loss  # heavy

    assert answers.probability is not None
    labels = range(answers.probability.shape[1])
    return float(
        log_loss(answers.truth, answers.probability, labels=labels, sample_weight=answers.weight)
    )


def _log_loss_interval(answers: AnsweredClasses, value: float) -> Interval:
    assert answers.probability is not None
    chosen = answers.probability[np.arange(len(answers)), answers.truth]
    losses = -np.log(np.clip(chosen, np.finfo(chosen.dtype).eps, 1.0))
    share = _shares(answers)
    return _mean_interval(value, share * (losses - (share * losses).sum()))


def confidence(answers: AnsweredClasses) -> Floats:
    """The probability that the model gives its own answer `(samples,)`."""
    assert answers.probability is not None
    chosen: Floats = answers.probability[np.arange(len(answers)), answers.answer]
    return np.clip(chosen, 0.0, 1.0)


def bins_of(probability: Floats) -> np.ndarray:
    """The bin of each probability, of `BINS` with equal width, as scikit-learn's
    `calibration_curve` has them."""
    return np.searchsorted(np.linspace(0.0, 1.0, BINS + 1)[1:-1], probability)


def _ece(answers: AnsweredClasses) -> float:
    total, said, right = calibration(answers)
    return float(np.abs(right - said).sum() / total.sum())


def calibration(answers: AnsweredClasses) -> tuple[Floats, Floats, Floats]:
    """Of each of the `BINS` of the probability of the answer, sums over its samples by their
    weights `(BINS,)`: of the weights alone, of the probabilities, and of right answers."""
    weight, certainty = weights_of(answers), confidence(answers)
    bins = bins_of(certainty)
    values: tuple[Floats, ...] = (np.ones(len(bins)), certainty, answers.right.astype(float))
    total, said, right = (np.bincount(bins, weight * value, BINS).astype(float) for value in values)
    return total, said, right


def _ece_interval(answers: AnsweredClasses, value: float) -> Interval:
    """Bootstrap over the counts of right and wrong answers of each bin."""
    certainty = confidence(answers)
    cell = 2 * bins_of(certainty) + answers.right
    weight, count = _shares(answers), max(1, round(_count(answers)))
    share = np.bincount(cell, weight, 2 * BINS)
    means = np.bincount(cell, weight * certainty, 2 * BINS) / np.where(share > 0, share, 1.0)
    draws = np.random.default_rng(0).multinomial(count, share / share.sum(), RESAMPLES)
    gaps = draws * (np.arange(2 * BINS) % 2 - means)
    drawn = np.abs(gaps.reshape(RESAMPLES, BINS, 2).sum(2)).sum(1) / count
    low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
    return low, high


def _mae(answers: AnsweredNumbers) -> float:
    from sklearn.metrics import mean_absolute_error  # heavy

    return float(mean_absolute_error(answers.truth, answers.answer, sample_weight=answers.weight))


def _mae_interval(answers: AnsweredNumbers, value: float) -> Interval:
    errors = np.abs(answers.truth - answers.answer).mean(1)
    share = _shares(answers)
    return _mean_interval(value, share * (errors - (share * errors).sum()))


def _rmse(answers: AnsweredNumbers) -> float:
    from sklearn.metrics import root_mean_squared_error  # heavy

    weight = answers.weight
    return float(root_mean_squared_error(answers.truth, answers.answer, sample_weight=weight))


def _rmse_interval(answers: AnsweredNumbers, value: float) -> Interval:
    squares = np.square(answers.truth - answers.answer)
    share = _shares(answers)[:, None]
    means = (share * squares).sum(0)
    slope = np.where(means > 0, 0.5 / np.sqrt(np.where(means > 0, means, 1.0)), 0.0)
    influence = (share * (squares - means) * slope).mean(1)
    return _mean_interval(value, influence)


def _r2(answers: AnsweredNumbers) -> float:
    from sklearn.metrics import r2_score  # heavy

    if len(answers) < 2:
        return math.nan
    return float(r2_score(answers.truth, answers.answer, sample_weight=answers.weight))


def _r2_interval(answers: AnsweredNumbers, value: float) -> Interval:
    """Delta method; the final score of a run has a bootstrap interval instead."""
    share = _shares(answers)[:, None]
    errors = share * np.square(answers.truth - answers.answer)
    deviations = share * np.square(answers.truth - (share * answers.truth).sum(0))
    total = np.where(deviations.sum(0) > 0, deviations.sum(0), 1.0)
    left = errors.sum(0) / total
    influence = ((errors - left * deviations) / total).mean(1)
    low, high = _mean_interval(value, influence, least=-math.inf)
    return low, min(1.0, high)


METRICS: tuple[Metric, ...] = (
    Metric("accuracy", True, True, _accuracy, _accuracy_interval),
    Metric("balanced_accuracy", True, True, _balanced_accuracy, _balanced_accuracy_interval),
    Metric("macro_f1", True, True, _macro_f1, _macro_f1_interval),
    Metric("auc", True, True, _auc, _auc_interval),
    Metric("log_loss", True, False, _log_loss, _log_loss_interval, needs_probability=True),
    Metric("ece", True, False, _ece, _ece_interval, needs_probability=True),
    Metric("r2", False, True, _r2, _r2_interval),
    Metric("mae", False, False, _mae, _mae_interval),
    Metric("rmse", False, False, _rmse, _rmse_interval),
)
NAMES = tuple(metric.name for metric in METRICS)
CHOICES = tuple(name for name in NAMES if name != "ece")  # a constant answer can be calibrated


def metric_named(name: str) -> Metric:
    """The metric with this name.

    Raises:
        UnknownName: none has it.

    >>> metric_named("log_loss").higher_is_better
    False
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    raise UnknownName("metric", name, NAMES)


def own_value(name: str | None, goal: float) -> float:
    """The value of a metric of which `goal` is the number that is compared: losses and errors are
    compared by their negatives.

    Args:
        name: of the metric; None: one of which higher is better.
        goal: higher is better.

    >>> own_value("log_loss", -0.25), own_value("auc", 0.9), own_value(None, 0.5)
    (0.25, 0.9, 0.5)
    """
    return goal if name is None else metric_named(name).goal(goal) + 0.0  # no negative zero


def own_interval(name: str | None, low: float, high: float) -> tuple[float, float]:
    """The ends of an interval of goals as values of the metric, the lower one first."""
    ends = own_value(name, low), own_value(name, high)
    return min(ends), max(ends)


def is_uneven(counts: np.ndarray) -> bool:
    """Whether the largest class has more than 5 times the samples of the smallest one that occurs,
    so that accuracy says little.

    >>> is_uneven(np.array([60, 10])), is_uneven(np.array([50, 10, 0]))
    (True, False)
    """
    present = counts[counts > 0]
    return len(present) > 1 and float(present.max()) > UNEVEN * float(present.min())
