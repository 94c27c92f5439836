"""Columns that predict the target nearly alone: often they are known only after it.

Each column is asked by itself, in two halves of a sample of the rows: what it predicts in one half
is fitted to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from netwise.data.tables.kinds import CATEGORY, CONSTANT, EMPTY, IDENTIFIER, TEXT

if TYPE_CHECKING:
    import polars as pl

ROWS = 10_000  # of the sample: enough for two digits of a score
FEWEST = 40  # rows: with fewer, a column predicts by chance
CLASSES = 20  # of the sample, the most frequent ones
LEAVES = 64  # of the tree on a column of numbers
# Above these a column is suspected. Iris has a column of balanced accuracy 0.96 (0.94 above
# chance), by nature; the lifeboats of the Titanic, known after the event, have 0.93 by their gaps.
BY_VALUES, BY_GAPS, BY_NUMBERS = 0.95, 0.85, 0.99


def column_scores(
    frame: pl.DataFrame, kinds: Mapping[str, str], target: np.ndarray, has_classes: bool
) -> dict[str, tuple[float, float]]:
    """For each column how well it predicts the target: (by its values, by its gaps alone).

    Args:
        frame: the columns, typed, with null for a gap.
        kinds: of each column that is asked, by name.
        target: class numbers, or float64 values; of all rows.
        has_classes: which of the two.

    Returns:
        Balanced accuracy above chance, or R²: 1 is perfect, 0 as good as a constant answer. Empty
        where there are too few rows.
    """
    rows = _sample(target, has_classes)
    if len(rows) < FEWEST:
        return {}
    y = target[rows]
    if has_classes:
        y = np.unique(y, return_inverse=True)[1]
    sampled = frame[rows.tolist()] if len(rows) < frame.height else frame
    scores = {}
    for name, kind in kinds.items():
        if kind in (IDENTIFIER, CONSTANT, EMPTY):
            continue
        column = sampled[name]
        gaps = column.is_null().to_numpy()
        by_gaps = _score(gaps.astype(np.int64), y, has_classes) if 0 < gaps.sum() < len(y) else 0.0
        by_values = by_gaps if kind == TEXT else _score(_values(column, kind), y, has_classes)
        scores[name] = (by_values, by_gaps)
    return scores


def _sample(target: np.ndarray, has_classes: bool) -> np.ndarray:
    """Rows at random; of classes as many of each as there are, up to an equal share."""
    generator = np.random.default_rng(0)
    order = generator.permutation(len(target))
    if not has_classes:
        return np.sort(order[:ROWS])
    names, counts = np.unique(target, return_counts=True)
    large = names[np.argsort(-counts, kind="stable")][: min(CLASSES, int((counts >= 4).sum()))]
    if len(large) < 2:
        return order[:0]
    shares = [order[target[order] == name][: ROWS // len(large)] for name in large]
    return np.sort(np.concatenate(shares))


def _values(column: pl.Series, kind: str) -> np.ndarray:
    """Numbers with NaN for a gap; of a category int64 codes, of which one is that of a gap."""
    import polars as pl  # heavy

    if kind == CATEGORY or column.dtype == pl.String:
        codes = column.rank("dense").fill_null(0).cast(pl.Int64) if column.len() else column
        return codes.to_numpy()
    if column.dtype.is_temporal():
        column = column.to_physical()
    numbers: np.ndarray = column.cast(pl.Float64).to_numpy().astype(np.float64)
    return numbers


def _score(values: np.ndarray, y: np.ndarray, has_classes: bool) -> float:
    """Of the answers to both halves, each fitted to the other."""
    first = np.random.default_rng(1).permutation(len(y)) < len(y) // 2
    answers = np.empty(len(y))
    ask = _by_code if values.dtype == np.int64 else _by_number
    for half in (first, ~first):
        answers[~half] = ask(values[half], y[half], values[~half], has_classes)
    if has_classes:
        recall = [np.mean(answers[y == name] == name) for name in np.unique(y)]
        chance = 1 / len(recall)
        return float((np.mean(recall) - chance) / (1 - chance))
    spread = np.sum((y - y.mean()) ** 2)
    return float(1 - np.sum((y - answers) ** 2) / spread) if spread > 0 else 0.0


def _by_number(
    values: np.ndarray, y: np.ndarray, asked: np.ndarray, has_classes: bool
) -> np.ndarray:
    """Answers of a small tree, which has branches for gaps."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # heavy

    tree = (
        DecisionTreeClassifier(max_leaf_nodes=LEAVES, class_weight="balanced", random_state=0)
        if has_classes
        else DecisionTreeRegressor(max_leaf_nodes=LEAVES, random_state=0)
    )
    answers: np.ndarray = tree.fit(values[:, None], y).predict(asked[:, None])
    return answers


def _by_code(values: np.ndarray, y: np.ndarray, asked: np.ndarray, has_classes: bool) -> np.ndarray:
    """The class that is most frequent, by its own size, or the mean, among rows of the same code;
    class -1, or the mean of all, for a code that is new."""
    codes = 1 + max(int(values.max(initial=0)), int(asked.max(initial=0)))
    rows = np.bincount(values, minlength=codes)
    if not has_classes:
        sums = np.bincount(values, y, minlength=codes)
        means = np.where(rows > 0, sums / np.maximum(rows, 1), y.mean())
        return np.asarray(means[asked])
    classes = 1 + int(y.max(initial=0))
    counts = np.bincount(values * classes + y, minlength=codes * classes).reshape(codes, classes)
    weighted = counts / np.maximum(np.bincount(y, minlength=classes), 1)
    return np.asarray(np.where(rows > 0, weighted.argmax(1), -1)[asked])
