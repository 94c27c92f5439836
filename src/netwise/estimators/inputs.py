"""Inputs of the estimators: data frames with text or gaps, single columns of targets, equal
samples."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight, column_or_1d
from torch import Tensor

from netwise.data.columns.category_column import MOST_CATEGORIES
from netwise.data.columns.cells import is_missing, is_number
from netwise.data.columns.fitting import fit_columns, target_matrix
from netwise.data.columns.table_encoder import TableEncoder
from netwise.data.tables.deciding import are_mistakes
from netwise.data.tables.frames import as_polars, is_frame, is_labels, is_pandas
from netwise.memory import require_memory
from netwise.recipe.table_settings import ONE_BATCH

WORDS = 3  # of a cell on average, from which on unequal ones are free text

Floats = NDArray[np.floating[Any]]


def as_known(X: Any) -> Any:
    """X as scikit-learn's checks know it: frames of other libraries than pandas become frames of
    polars, all else stays as it is."""
    return as_polars(X) if is_frame(X) and not is_pandas(X) else X


def dense(x: Any) -> Any:
    """A sparse matrix as an array, where it fits in memory."""
    if not issparse(x):
        return x
    matrix: Any = x
    what = f"is sparse, and a network takes all {math.prod(matrix.shape):,} numbers, which need"
    instead = "its parts, by TruncatedSVD(100).fit_transform(X)"
    require_memory(8 * math.prod(matrix.shape), "fit", "X", str(matrix.shape), what, instead)
    return matrix.toarray()


def is_table(X: Any) -> bool:
    """Whether X is a data frame with a column of text or dates, or with missing values, which an
    encoder makes numbers of; other inputs are arrays of numbers."""
    if is_pandas(X):
        return not all(kind.kind in "biuf" for kind in X.dtypes) or has_missing(X)
    return is_frame(X) and (not all(map(_is_numeric, X.iter_columns())) or has_missing(X))


def has_missing(X: Any) -> bool:
    """Whether X is a data frame with missing values."""
    if is_pandas(X):
        return bool(X.isna().to_numpy().any())
    return is_frame(X) and any(
        column.null_count() or (column.dtype.is_float() and column.is_nan().any())
        for column in X.iter_columns()
    )


def _is_numeric(column: Any) -> bool:
    return column.dtype.is_numeric() or str(column.dtype) == "Boolean"


def cells_of(X: Any) -> dict[str, list[Any]]:
    """The columns of a data frame as Python values; numbers stay numbers, missing ones are None."""
    return {column.name: column.to_list() for column in as_polars(X).iter_columns()}


def labels_of(X: Any) -> set[str]:
    """The columns of a data frame whose type says that they are categories."""
    return {column.name for column in as_polars(X).iter_columns() if is_labels(column)}


def fit_encoder(
    cells: dict[str, list[Any]], y: Any, numeric: bool = False, labels: Collection[str] = ()
) -> tuple[TableEncoder, Tensor]:
    """The encoder of these columns, by what their cells are, and the inputs of these rows.

    Args:
        cells: by column.
        y: targets: numbers where `numeric`, else one class for each sample; other targets, such as
            several labels, are not looked at.
        labels: columns that are categories whatever their cells are, as `labels_of` a frame.
    """
    targets = None
    if numeric and np.asarray(y).dtype.kind in "iuf":
        targets = target_matrix(np.asarray(y), 0)
    elif not numeric and np.ndim(y) == 1:
        classes, numbers = np.unique(np.asarray(y).astype(str), return_inverse=True)
        targets = target_matrix(numbers, len(classes))
    if targets is not None and not np.isfinite(targets).all():
        targets = None  # refused where targets are checked
    kinds = {
        name: "category" if name in labels else _kind(column) for name, column in cells.items()
    }
    return fit_columns(cells, kinds, targets)


def _kind(column: Sequence[Any]) -> str:
    """ "number" where each value is one or missing, but for a few, which the encoder then names in
    its error; "date" likewise; "text" where most are different and of several words; else
    "category"."""
    known = [cell for cell in column if not is_missing(cell)]
    numbers = sum(is_number(cell) or isinstance(cell, bool | float) for cell in known)
    if are_mistakes(numbers, len(known) - numbers):
        return "number"
    if all(isinstance(cell, date) for cell in known):
        return "date"
    different = {str(cell) for cell in known}
    words = sum(len(cell.split()) for cell in different)
    texts = len(different) > MOST_CATEGORIES and len(different) > len(known) / 2
    return "text" if texts and words >= WORDS * len(different) else "category"


def as_column(y: Any) -> Any:
    """Targets (samples,) or (samples, 1) as (samples,); scikit-learn's warning for the second."""
    return column_or_1d(y, warn=True)


def checked_weights(sample_weight: Any, x: Any) -> Floats:
    """Weights (samples,) that are not negative; ones where `sample_weight` is None."""
    weights: Floats = _check_sample_weight(
        sample_weight, x, dtype=np.float64, ensure_non_negative=True
    )
    return weights


def class_factors(class_weight: Any, y: Any, weights: Floats) -> Floats:
    """The factor of each sample (samples,) by its class.

    Args:
        class_weight: "balanced", so that all classes have the same sum of weights, or a factor for
            each class.
        y: classes (samples,), or labels (samples, labels), whose factors are multiplied.
        weights: of the samples; a weight of 2 counts as the sample twice.

    Source: scikit-learn's `compute_class_weight`.
    """
    if class_weight != "balanced":
        factors: Floats = compute_sample_weight(class_weight, y)
        return factors
    of_samples = np.ones(len(y))
    for column in np.asarray(y).reshape(len(y), -1).T:
        _, place = np.unique(column, return_inverse=True)
        sums = np.bincount(place, weights=weights)
        each = weights.sum() / (np.count_nonzero(sums) * np.where(sums > 0, sums, np.inf))
        of_samples *= each[place]
    return of_samples


def merge_equal_samples(X: Any, y: Any, weights: Floats | None) -> tuple[Any, Any, Floats | None]:
    """Up to one batch of samples: merge equal ones into one with the sum of their weights, sorted.

    One step then takes all samples, and its sums are the same to the last bit whether a sample
    comes twice or has twice the weight, and in whatever order the samples come.
    """
    if len(X) > ONE_BATCH:
        return X, y, weights
    inputs = np.asarray(X, np.float64).reshape(len(X), -1)
    targets = np.asarray(y, np.float64).reshape(len(X), -1)
    _, first, place = np.unique(
        np.concatenate([inputs, targets], axis=1), axis=0, return_index=True, return_inverse=True
    )
    sums = np.bincount(place.reshape(-1), weights=weights, minlength=len(first)).astype(np.float64)
    return X[first], y[first], None if (sums == sums[0]).all() else sums
