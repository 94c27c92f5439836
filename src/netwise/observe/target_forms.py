"""Targets that simple models predict better in another form: groups of columns in an order that is
drawn anew for each row, and numbers whose ends meet, such as angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netwise.observe.data_sample import DataSample, products
from netwise.observe.simple_models import Rows, cross_validated

MOST_COLUMNS = 12
MUCH_THE_SAME = 0.1  # R²
LIKE_MEAN, LIKE_SPREAD = 0.3, 1.4  # of columns that may stand for each other, in their spread
ENDS = 0.025  # of the rows, at either end
FEWEST_AT_ENDS = 8  # rows at either end
FEWEST_VALUES = 20  # different ones


@dataclass(frozen=True)
class TargetForm:
    """Scores (R²) of simple models for another form of the targets.

    Args:
        score: of the best one for that form.
        detail: columns of a group, or the length of the range whose ends meet.
        share: of the nearest neighbours of the rows at the ends of the range that are in the other
            half of it; 0 for groups.
    """

    score: float
    detail: float
    share: float = 0.0


def in_order(sample: DataSample) -> TargetForm | None:
    """How well targets are predicted once the groups of columns of each row are sorted, such as two
    points by their first coordinate; None where no columns may stand for each other.

    >>> draw = np.random.default_rng(0)
    >>> x = draw.uniform(size=(200, 2))
    >>> swapped = np.where(draw.uniform(size=(200, 1)) < 0.5, x, x[:, ::-1])
    >>> found = in_order(DataSample(x, None, swapped, False, tuple(range(200))))
    >>> found.detail, found.score > 0.6
    (1.0, True)
    """
    columns = sample.target.shape[1]
    if sample.is_class or not 2 <= columns <= MOST_COLUMNS:
        return None
    forms: list[TargetForm] = []
    between: Rows | None = None  # computed for columns that may stand for each other
    for size in range(1, columns // 2 + 1):
        if columns % size:
            continue
        groups = sample.target.reshape(len(sample), -1, size)
        if not _exchangeable(groups):
            continue
        between = products(sample) if between is None else between
        order = np.argsort(groups[:, :, 0], axis=1, kind="stable")
        sorted_groups = np.take_along_axis(groups, order[:, :, None], 1)
        score = _score(between, sorted_groups.reshape(len(sample), -1))
        forms.append(TargetForm(score, float(size)))
    best = max((form.score for form in forms), default=0.0)
    # Coordinates that are sorted one by one no longer belong to each other.
    return next((form for form in reversed(forms) if form.score >= best - MUCH_THE_SAME), None)


def _exchangeable(groups: Rows) -> bool:
    """Whether groups have much the same means and spreads in each of their columns."""
    mean, spread = groups.mean(0), groups.std(0)
    if not (spread > 0).all() or (groups == groups[:, :1]).all():
        return False
    apart = np.abs(mean - mean.mean(0)) / spread.mean(0)
    return bool(apart.max() <= LIKE_MEAN and (spread.max(0) <= LIKE_SPREAD * spread.min(0)).all())


def round_a_circle(sample: DataSample) -> TargetForm | None:
    """How well the place on a circle is predicted whose length is the range of the targets; None
    where they are no single number, or have few different values.

    >>> draw = np.random.default_rng(0)
    >>> angle = draw.uniform(0, 360, size=(300, 1))
    >>> x = np.concatenate([np.cos(np.radians(angle)), np.sin(np.radians(angle))], 1)
    >>> found = round_a_circle(DataSample(x, None, angle, False, tuple(range(300))))
    >>> round(found.detail, -1), found.score > 0.9, found.share > 0.15
    (360.0, True, True)
    """
    values = sample.target[:, 0]
    if sample.is_class or sample.target.shape[1] != 1:
        return None
    if len(np.unique(values)) < FEWEST_VALUES:
        return None
    low, high = values.min(), values.max()
    place = (values - low) / (high - low)
    turn = 2 * np.pi * place[:, None]
    both = np.concatenate([np.cos(turn), np.sin(turn)], 1)
    between = products(sample)
    return TargetForm(_score(between, both), float(high - low), _meeting(between, place))


def _meeting(between: Rows, place: Rows) -> float:
    """The share of the nearest neighbours of the rows at both ends that are in the other half.

    Args:
        between: scalar products of all rows.
        place: of each in the range, from 0 to 1.
    """
    count = max(FEWEST_AT_ENDS, round(ENDS * len(place)))
    order = place.argsort(kind="stable")
    own = np.diag(between)
    far = own[:, None] + own[None] - 2 * between
    np.fill_diagonal(far, np.inf)
    ends = np.concatenate([order[:count], order[-count:]])
    nearest = far[ends].argpartition(2 * count, axis=1)[:, : 2 * count]
    return float(np.mean(np.abs(place[nearest] - place[ends, None]) > 0.5))


def _score(between: Rows, target: Rows) -> float:
    return cross_validated(between, target, False).best
