"""Whether whole numbers that are targets are amounts, or names of classes: of amounts the nearest
neighbour of a row has the same number or one beside it."""

from __future__ import annotations

import numpy as np

from netwise.observe.data_sample import DataSample, products

FEWEST_WRONG = 8  # rows whose nearest neighbour has another number
FEWEST, MOST = 5, 20  # different numbers: of three a neighbour is as good as any other
LEAST_SKILL = 0.4  # of the nearest neighbour: of data that it cannot tell apart nothing follows


def class_order(sample: DataSample) -> float | None:
    """Mean difference between the number of a row and that of its nearest neighbour, where they
    differ, over the mean difference of two different numbers at random: near 1 for names of
    classes, far below for amounts. None where it is not known.

    Args:
        sample: whose targets are one number for each row.
    """
    target = sample.target
    if sample.is_class or target.shape[1] != 1 or not (target == np.round(target)).all():
        return None
    numbers = target[:, 0]
    kinds, counts = np.unique(numbers, return_counts=True)
    if not FEWEST <= len(kinds) <= MOST or kinds[0] not in (0, 1) or (np.diff(kinds) != 1).any():
        return None
    near = products(sample)
    lengths = np.diag(near)
    distances = lengths[:, None] + lengths[None, :] - 2 * near
    np.fill_diagonal(distances, np.inf)
    apart = np.abs(numbers - numbers[distances.argmin(1)])
    wrong = apart[apart > 0]
    shares = counts / counts.sum()
    skill = 1 - (len(wrong) / len(apart)) / max(1 - float((shares**2).sum()), 1e-12)
    if len(wrong) < FEWEST_WRONG or skill < LEAST_SKILL:
        return None
    pairs = np.outer(shares, shares) * (kinds[:, None] != kinds[None, :])
    usual = float((pairs * np.abs(kinds[:, None] - kinds[None, :])).sum() / pairs.sum())
    return float(wrong.mean()) / usual
