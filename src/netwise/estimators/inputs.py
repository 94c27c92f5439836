"""Inputs of the estimators: data frames with text or gaps, single columns of targets, equal
samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from netwise.data.columns.cells import is_missing, is_number
from netwise.data.columns.fitting import fit_columns
from netwise.data.columns.table_encoder import TableEncoder
from netwise.estimators.defaults import BATCH_SIZE

Floats = NDArray[np.floating[Any]]


def is_table(X: Any) -> bool:
    """Whether X is a data frame with a column of text or with missing values, which `data.csv`
    encodes; other inputs are arrays of numbers."""
    if not hasattr(X, "columns") or not hasattr(X, "dtypes"):
        return has_missing(X)
    return not all(kind.kind in "biuf" for kind in X.dtypes) or has_missing(X)


def has_missing(X: Any) -> bool:
    """Whether X is a data frame with missing values."""
    return hasattr(X, "columns") and hasattr(X, "isna") and bool(X.isna().to_numpy().any())


def cells_of(X: Any) -> dict[str, list[Any]]:
    """The columns of a data frame as Python values; numbers stay numbers, missing ones are None."""
    return {str(name): _cells(X[name]) for name in X.columns}


def _cells(column: Any) -> list[Any]:
    return [
        cell.item() if isinstance(cell, np.generic) else cell
        for cell in column.to_numpy(dtype=object, na_value=None)
    ]


def fit_encoder(cells: dict[str, list[Any]]) -> TableEncoder:
    """The encoder of these columns: a column is numeric where each value is a number or missing."""
    kinds = {
        name: "number"
        if all(is_number(cell) or is_missing(cell) for cell in column)
        else "category"
        for name, column in cells.items()
    }
    return fit_columns(cells, kinds)[0]


def as_column(y: Any) -> Any:
    """Targets (samples,) or (samples, 1) as (samples,); scikit-learn's warning for the second."""
    return column_or_1d(y, warn=True)


def checked_weights(sample_weight: Any, x: Any) -> Floats:
    """Weights (samples,) that are not negative; ones where `sample_weight` is None."""
    weights: Floats = _check_sample_weight(
        sample_weight, x, dtype=np.float64, ensure_non_negative=True
    )
    return weights


def merge_equal_samples(X: Any, y: Any, weights: Floats | None) -> tuple[Any, Any, Floats | None]:
    """Up to one batch of samples: merge equal ones into one with the sum of their weights, sorted.

    One step then takes all samples, and its sums are the same to the last bit whether a sample
    comes twice or has twice the weight, and in whatever order the samples come.
    """
    if len(X) > BATCH_SIZE:
        return X, y, weights
    inputs = np.asarray(X, np.float64).reshape(len(X), -1)
    targets = np.asarray(y, np.float64).reshape(len(X), -1)
    _, first, place = np.unique(
        np.concatenate([inputs, targets], axis=1), axis=0, return_index=True, return_inverse=True
    )
    sums = np.bincount(place.reshape(-1), weights=weights, minlength=len(first)).astype(np.float64)
    return X[first], y[first], None if (sums == sums[0]).all() else sums
