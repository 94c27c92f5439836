"""Which rows go into which part: at random and by class, whole groups at a time, or by time.

The functions take row numbers and give row numbers; they know nothing of files or tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netwise.errors import DataError

GROUP, TIME = "group", "time"
DRAWS = 100  # of whole groups, of which the one nearest to the wanted shares is taken
MOST_DRAWN = 2_000_000  # groups in all draws: many groups are balanced after few draws
MOST_COUNTS = 5_000_000  # rows by group and class; above, shares of rows are balanced alone


@dataclass(frozen=True, eq=False)
class SplitKey:
    """What a split goes by, besides the class of each row.

    Args:
        by: "group": rows of one group are never in two parts. "time": the training part is earlier
            than the validation part, which is earlier than the test part.
        of_row: int64 (rows,): the number of each row's group, or its place in time, equal for rows
            of the same time.
    """

    by: str
    of_row: np.ndarray


def cut_by_class(
    rows: np.ndarray, size: int, labels: np.ndarray | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(the rest, `size` of the rows at random), with each class in both by its share, where
    every class has enough rows."""
    generator = np.random.RandomState(seed)
    if labels is not None:
        classes, of_row, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
        if counts.min() >= 2 and min(size, len(rows) - size) >= len(classes):
            drawn = _drawn_by_class(of_row.ravel(), counts, size, generator)
            return np.sort(rows[~drawn]), np.sort(rows[drawn])
    order = generator.permutation(len(rows))
    return np.sort(rows[order[size:]]), np.sort(rows[order[:size]])


def _drawn_by_class(
    of_row: np.ndarray, counts: np.ndarray, size: int, generator: np.random.RandomState
) -> np.ndarray:
    """Which rows are drawn. The draws are those of scikit-learn's `train_test_split`, whose import
    takes as long as that of torch: recorded runs keep their parts."""
    rest = _by_share(counts, len(of_row) - size, generator)
    _by_share(counts - rest, size, generator)  # all that are left; it may draw
    drawn = np.zeros(len(of_row), bool)
    members = np.split(np.argsort(of_row, kind="stable"), np.cumsum(counts)[:-1])
    for each, kept in zip(members, rest, strict=True):
        drawn[each[generator.permutation(len(each))[kept:]]] = True
    return drawn


def _by_share(counts: np.ndarray, total: int, generator: np.random.RandomState) -> np.ndarray:
    """`total` rows spread over classes by their counts: whole rows first, what is left in the order
    of the remainders, and among equal ones at random."""
    exact = counts / counts.sum() * total
    whole: np.ndarray = np.floor(exact)
    left = int(total - whole.sum())
    for remainder in sorted({*(exact - whole)}, reverse=True) if left > 0 else ():
        equal = np.flatnonzero(exact - np.floor(exact) == remainder)
        chosen = generator.choice(equal, size=min(len(equal), left), replace=False)
        whole[chosen] += 1
        left -= len(chosen)
        if not left:
            break
    numbers: np.ndarray = whole.astype(int)
    return numbers


def cut_by_time(
    rows: np.ndarray, size: int, time: np.ndarray, parts: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """(the earlier rows, about `size` of the latest). Rows of one time stay together, so that the
    size is the nearest that is possible.

    Args:
        rows: to be split.
        size: of the later part.
        time: of each row that there is.
        parts: that will be made of the earlier rows, each of which needs a time of its own.

    Raises:
        DataError: there are fewer points in time than parts.

    Example:
        >>> import numpy as np
        >>> from netwise.data.splitting import cut_by_time
        >>> earlier, later = cut_by_time(np.arange(5), 2, np.array([30, 10, 20, 30, 10]))
        >>> earlier.tolist(), later.tolist()
        ([1, 2, 4], [0, 3])
    """
    order = rows[np.argsort(time[rows], kind="stable")]
    starts = 1 + np.flatnonzero(np.diff(time[order]))  # of each later time
    if len(starts) < parts:
        raise DataError(
            f"time: the {len(rows)} rows that are to be split have {len(starts) + 1} different "
            f"times, and {parts + 1} parts need one each: name another column, set one of valid "
            "and test to 0, or split at random (leave `time` out)"
        )
    possible = starts[parts - 1 :]
    start = possible[np.argmin(np.abs(possible - (len(rows) - size)))]
    return np.sort(order[:start]), np.sort(order[start:])


def cut_by_group(
    rows: np.ndarray,
    size: int,
    group: np.ndarray,
    labels: np.ndarray | None,
    seed: int,
    parts: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """(the rest, about `size` rows of whole groups): of many random draws the one in which the
    number of rows of each class is nearest to its share.

    Args:
        rows: to be split.
        size: of the second part.
        group: of each row that there is.
        labels: class of each row that there is; None: regardless of class.
        seed: of the draws.
        parts: that will be made of the rest, each of which needs a group of its own.

    Raises:
        DataError: there are fewer groups than parts.

    Example:
        >>> import numpy as np
        >>> from netwise.data.splitting import cut_by_group
        >>> group = np.array([0, 0, 1, 1, 2, 2])
        >>> rest, part = cut_by_group(np.arange(6), 2, group, None, seed=0)
        >>> len(part), set(group[rest]) & set(group[part])
        (2, set())
    """
    names, of_row = np.unique(group[rows], return_inverse=True)
    if len(names) <= parts:
        raise DataError(
            f"group: the {len(rows)} rows that are to be split are of {len(names)} groups, and "
            f"{parts + 1} parts need one each: name another column, set one of valid and test to "
            "0, or split at random (leave `group` out)"
        )
    counts = _rows_by_class(of_row, len(names), None if labels is None else labels[rows])
    sizes, wanted = counts.sum(1), counts.sum(0) * (size / len(rows))
    generator = np.random.default_rng(seed)
    best, best_distance = np.arange(1), np.inf
    for _ in range(max(1, min(DRAWS, MOST_DRAWN // len(names)))):
        order = generator.permutation(len(names))
        taken = np.cumsum(sizes[order])[:-parts]
        chosen = order[: 1 + int(np.argmin(np.abs(taken - size)))]
        distance = float(np.abs(counts[chosen].sum(0) - wanted).sum())
        if distance < best_distance:
            best, best_distance = chosen, distance
    part = np.isin(of_row, best)
    return rows[~part], rows[part]


def _rows_by_class(group: np.ndarray, groups: int, labels: np.ndarray | None) -> np.ndarray:
    """Rows of each group by class; by group alone without classes, or with too many."""
    if labels is not None:
        classes, numbers = np.unique(labels, return_inverse=True)
        if groups * len(classes) <= MOST_COUNTS:
            flat = np.bincount(group * len(classes) + numbers, minlength=groups * len(classes))
            return flat.reshape(groups, len(classes))
    return np.bincount(group, minlength=groups)[:, None]


def fold_rows(
    key: SplitKey, labels: np.ndarray | None, folds: int, number: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(training rows, validation rows) of one fold of a cross-validation by group or by time.

    Folds by time are those of scikit-learn's `TimeSeriesSplit`: the rows are cut into `folds` + 1
    blocks in the order of their time; a fold validates on one block and trains on all before it.

    Args:
        key: of the rows.
        labels: class of each row, of which the folds get equal shares as far as groups allow it;
            None: regardless of class.
        folds: how many.
        number: which, from 0.
        seed: of the draws of groups.

    Raises:
        DataError: there are fewer groups than folds, or too few points in time.
    """
    values = len(np.unique(key.of_row))
    needed = folds + (key.by == TIME)
    if values < needed:
        what = "groups" if key.by == GROUP else "points in time (one block more than folds)"
        raise DataError(
            f"folds = {folds} need {needed} {what}, and there are {values}: write folds = "
            f"{max(2, values - (key.by == TIME))}, or split the data another way"
        )
    rest, blocks = np.arange(len(key.of_row)), []
    for left in range(needed, 1, -1):
        size = max(1, round(len(rest) / left))
        if key.by == TIME:
            rest, block = cut_by_time(rest, size, key.of_row, left - 1)
        else:
            rest, block = cut_by_group(rest, size, key.of_row, labels, seed, left - 1)
        blocks.append(block)
    blocks = [*blocks, rest][::-1]
    if key.by == TIME:
        return np.sort(np.concatenate(blocks[: number + 1])), blocks[number + 1]
    others = [block for i, block in enumerate(blocks) if i != number]
    return np.sort(np.concatenate(others)), blocks[number]
