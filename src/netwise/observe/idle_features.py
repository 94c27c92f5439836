"""Features of a table that add nothing: those with one value, and those that another one repeats.

In pictures, counts of words and one-hot columns both are usual: margins are one color, and rare
words are absent. There the one value is also that of many other features. Of a table of measured
numbers it is not.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch

FEWEST_ROWS = 60
MOST_FEATURES = 256  # of a table; pictures and texts have more
MEASURED = 0.5  # least share of different numbers among those of a measured feature
BIAS = 1.0  # a column of ones is a bias


def idle_features(batches: Sequence[KeptBatch]) -> tuple[int, ...]:
    """Numbers of the features with one value, which no other has; () of what is no table."""
    table = _table(batches)
    if table is None:
        return ()
    constant = (table == table[0]).all(0)
    others = table[:, ~constant]
    found = [
        number
        for number in constant.nonzero().flatten().tolist()
        if float(table[0, number]) not in (0.0, BIAS)
        and not bool((others == table[0, number]).any())
    ]
    return tuple(found) if len(others[0]) else ()


def equal_features(batches: Sequence[KeptBatch]) -> tuple[tuple[int, int], ...]:
    """Pairs of features that are equal in all rows, each with the first one; () of no table."""
    table = _table(batches)
    if table is None:
        return ()
    first: dict[tuple[float, ...], int] = {}
    pairs = []
    for number, column in enumerate(table.t().tolist()):
        if len(set(column)) < MEASURED * len(column):
            continue
        earlier = first.setdefault(tuple(column), number)
        if earlier != number:
            pairs.append((earlier, number))
    return tuple(pairs)


def _table(batches: Sequence[KeptBatch]) -> Tensor | None:
    """Rows of measured numbers (rows, features), where the module gets one matrix of such."""
    inputs = [batch.inputs for batch in batches]
    if not inputs or any(len(each) != 1 or each[0].dim() != 2 for each in inputs):
        return None
    if len({each[0].shape[1] for each in inputs}) != 1 or not inputs[0][0].is_floating_point():
        return None
    table = torch.cat([each[0] for each in inputs]).double()
    if not 2 <= table.shape[1] <= MOST_FEATURES or len(table) < FEWEST_ROWS:
        return None
    table = torch.unique(table, dim=0)
    different = [len(column.unique()) / len(table) for column in table.t()]
    measured = sum(share > MEASURED for share in different)
    return table if len(table) >= FEWEST_ROWS and 2 * measured >= table.shape[1] else None
