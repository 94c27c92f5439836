"""The rows of a table as inputs and targets, by an encoder that is fitted to its training part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.fitting import fit_columns, target_matrix
from netwise.data.columns.table_encoder import CellForm, NewRows, TableEncoder
from netwise.data.dataset import Pairs, Samples, standardised_targets
from netwise.data.precision import keeping_differences
from netwise.data.table_content import TableContent
from netwise.data.tables.arrays import column_arrays
from netwise.errors import DataError, short_repr
from netwise.tasks import task_named


@dataclass(frozen=True)
class TableForm:
    """What a table's samples depend on besides its rows: fields of `Table`."""

    path: str
    target: str
    group: str | None
    scale_target: bool
    na: tuple[str, ...]
    bad_cells: str


def table_samples(
    content: TableContent, parts: Sequence[np.ndarray], form: TableForm, fingerprint: str
) -> Samples:
    """The samples of a table.

    Args:
        content: all of its rows.
        parts: row numbers of the training, validation and test part.
        form: how they are used.
        fingerprint: of the files.

    Raises:
        DataError: there is no column to predict the target from.
    """
    names = [name for name in content.frame.columns if name != form.group]
    if not names:
        raise DataError(
            f"{form.path} has no column besides the target {short_repr(form.target)}: add "
            "columns to predict it from"
        )
    y = content.y
    exact = form.scale_target and keeping_differences(y[: content.own]).dtype == torch.float64
    columns = column_arrays(content.frame.select(names))
    train = parts[0]
    encoder, x = _fitted_encoder(content, _rows(columns, train), y[train], form)
    others = (encoder.encode_columns(_rows(columns, rows)) for rows in parts[1:])
    key = None if content.key is None else torch.from_numpy(content.key.of_row)
    pairs = tuple(
        Pairs(inputs, _as_targets(y[rows], exact), None, None if key is None else key[rows])
        for inputs, rows in zip((x, *others), parts, strict=True)
    )
    mean, scale = torch.zeros(1), torch.ones(1)
    if task_named(content.task).has_values and form.scale_target:
        pairs, mean, scale = standardised_targets(pairs)
    return Samples(
        pairs[0],
        pairs[1],
        pairs[2],
        content.task,
        content.classes,
        encoder,
        fingerprint,
        mean,
        scale,
        split_by="" if content.key is None else content.key.by,
    )


def _fitted_encoder(
    content: TableContent, columns: Mapping[str, np.ndarray], y: np.ndarray, form: TableForm
) -> tuple[TableEncoder, Tensor]:
    """The encoder of the training part, and the inputs of its rows."""
    kinds = {column.name: column.kind for column in content.reading.columns}
    classes = content.classes
    targets = target_matrix(y, len(classes))
    # Of two classes one share says all; it is that of the second.
    names = [f"{form.target}={name}" for name in classes[-targets.shape[1] :]] or [form.target]
    encoder, x = fit_columns(columns, kinds, targets, names)
    if not encoder.columns:
        left_out = "; ".join(f"{short_repr(c.name)}: {c.reason}" for c in encoder.left_out)
        raise DataError(
            f"{form.path} has no column to predict {short_repr(form.target)} from "
            f"({left_out}): add columns, or say what one is, such as "
            'kinds={"zip": "category"}'
        )
    forms = [content.reading.column(name) for name in encoder.names]
    new_rows = NewRows(
        tuple(CellForm(each.name, each.kind, each.form) for each in forms), form.na, form.bad_cells
    )
    return replace(encoder, reading=new_rows), x


def _rows(columns: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: column[rows] for name, column in columns.items()}


def _as_targets(y: np.ndarray, exact: bool) -> Tensor:
    """Numbers of classes (rows,), or values (rows, 1); these in float64 where `exact`."""
    if y.dtype == np.int64:
        return torch.from_numpy(y)
    return torch.from_numpy(y.astype(np.float64 if exact else np.float32))[:, None]
