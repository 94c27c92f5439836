"""Which encoder each column of a table gets, fitted to the training part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.category_column import fit_categories
from netwise.data.columns.cells import Cells
from netwise.data.columns.column import ColumnEncoder
from netwise.data.columns.date_column import fit_dates
from netwise.data.columns.many_categories_column import MOST_OUTPUTS, fit_many_categories
from netwise.data.columns.number_column import fit_numbers
from netwise.data.columns.table_encoder import LeftOut, TableEncoder
from netwise.data.columns.text_column import fit_text

ColumnKind = Literal["number", "category", "date", "text", "identifier", "constant", "empty"]

LEFT_OUT: Mapping[str, str] = {
    "identifier": "it names the rows: another value in each",
    "constant": "it has the same value in all rows",
    "empty": "it has no values",
}
ALL_UNEQUAL = "no piece of its texts tells training rows apart"
ONE_VALUE = "it has the same value in all training rows"


def fit_columns(
    columns: Mapping[str, Cells],
    kinds: Mapping[str, str],
    targets: np.ndarray | None = None,
    target_names: Sequence[str] = (),
) -> tuple[TableEncoder, Tensor]:
    """The encoder of a table and the inputs of its training rows, as scikit-learn's
    `fit_transform`.

    The encoder gives other inputs for these rows where a column has many categories: these are
    encoded by what the target was like in other rows, see
    `fit_many_categories`.

    Args:
        columns: cells of the training part: float64 with NaN, datetime64 with NaT, or words with
            None for gaps; or Python values.
        kinds: of each column, a `ColumnKind`.
        targets: float64 (rows, targets): numbers, or 1 for the class of a row and 0 for all others.
            None: there is none, and columns of many categories share an input for rare ones.
        target_names: of these; default: "target 1" and so on.

    Example:
        >>> import numpy as np
        >>> from netwise.data.columns.fitting import fit_columns
        >>> columns = {"age": np.array([1.7e9, 1.7e9 + 50]), "id": ["a", "b"]}
        >>> encoder, x = fit_columns(columns, {"age": "number", "id": "identifier"})
        >>> x.tolist(), [each.name for each in encoder.left_out]
        ([[-1.0], [1.0]], ['id'])
    """
    names = tuple(target_names)
    if targets is not None and not names:
        names = tuple(f"target {i + 1}" for i in range(targets.shape[1]))
    encoders: list[ColumnEncoder] = []
    left_out: list[LeftOut] = []
    inputs: list[Tensor] = []
    for name, cells in columns.items():
        kind = kinds[name]
        if kind in LEFT_OUT:
            left_out.append(LeftOut(name, LEFT_OUT[kind]))
            continue
        encoder, x = _fitted(cells, name, kind, targets, names)
        if _is_constant(x):
            left_out.append(LeftOut(name, ALL_UNEQUAL if kind == "text" else ONE_VALUE))
        else:
            encoders.append(encoder)
            inputs.append(x)
    rows = len(next(iter(columns.values()))) if columns else 0
    x = torch.cat(inputs, dim=1) if inputs else torch.zeros(rows, 0)
    return TableEncoder(tuple(encoders), tuple(left_out)), x


def target_matrix(y: np.ndarray, classes: int) -> np.ndarray:
    """Targets as `fit_columns` takes them, float64 (rows, targets).

    Args:
        y: numbers (rows,) or (rows, targets); of classes, their numbers (rows,).
        classes: how many; 0 for other numbers. Two have one column, for the second of them.
    """
    if not classes:
        return y.reshape(len(y), -1).astype(np.float64)
    first = 1 if classes == 2 else 0
    shares: np.ndarray = (y[:, None] == np.arange(first, classes)).astype(np.float64)
    return shares


def _fitted(
    cells: Cells, name: str, kind: str, targets: np.ndarray | None, target_names: tuple[str, ...]
) -> tuple[ColumnEncoder, Tensor]:
    """The encoder of one column, and the inputs of its training rows."""
    encoder: ColumnEncoder
    if kind == "category":
        encoder = words = fit_categories(cells, name)
        if targets is not None and words.other and targets.shape[1] <= MOST_OUTPUTS:
            return fit_many_categories(cells, words, targets, target_names)
    elif kind == "date":
        encoder = fit_dates(cells, name)
    elif kind == "text":
        encoder = fit_text(cells, name, targets)
    else:
        encoder = fit_numbers(cells, name)
    return encoder, encoder.encoded(cells)


def _is_constant(x: Tensor) -> bool:
    return not x.shape[1] or not len(x) or bool((x == x[0]).all())
