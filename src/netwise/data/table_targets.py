"""The column of a table that is to be predicted, as classes or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from netwise.data.tables.kinds import CATEGORY, DATE, NUMBER, WHOLE, ColumnReading
from netwise.data.tables.labels import labels_of
from netwise.data.tables.options import ReadOptions
from netwise.data.tables.reading import typed_frame
from netwise.data.tables.sources import Cells
from netwise.errors import DataError, short_repr
from netwise.tasks import CLASSIFICATION, REGRESSION, task_named

if TYPE_CHECKING:
    import polars as pl

MAX_NUMBERED_CLASSES = 20  # a target of whole numbers with more values is a regression target


def task_of(target: ColumnReading, given: str, path: str) -> str:
    """The task of a table with this target.

    Args:
        target: what the column was read as.
        given: "auto", or the task itself.
        path: of the table.

    Raises:
        DataError: the target has dates, and no task is given.
    """
    if given != "auto":
        return given
    if target.kind == DATE:
        raise DataError(
            f"{path}: the target {short_repr(target.name)} has dates: name a column of "
            'numbers or words, or write task = "classification" to take each date for a class'
        )
    if target.kind == WHOLE:
        return CLASSIFICATION if target.distinct <= MAX_NUMBERED_CLASSES else REGRESSION
    return REGRESSION if target.kind == NUMBER else CLASSIFICATION


def targets_of(
    cells: Cells, found: ColumnReading, given_task: str, path: str, options: ReadOptions
) -> pl.Series:
    """The targets of one file: numbers, or the names of classes; null where there is none.

    Args:
        cells: of the target alone, with the path of their file.
        found: what the column of the first file was read as.
        given_task: "auto", or the task.
        path: of the first file.
        options: how files are read.

    Raises:
        DataError: some rows have none, and `options.na` is not given.
    """
    task, name = task_of(found, given_task, path), found.name
    kinds = {name: (NUMBER if task == REGRESSION else CATEGORY, found.form)}
    targets = typed_frame(cells, kinds, options, target=name)[name]
    if task != REGRESSION:
        targets = labels_of(targets, found.form[:1] or ".")
    gaps = targets.is_null().arg_true()
    if len(gaps) and not options.na:
        rows = "1 row has" if len(gaps) == 1 else f"{len(gaps):,} rows have"
        raise DataError(
            f"{cells.name}: {rows} no target {short_repr(name)}, the first is "
            f"row {gaps[0] + 1}: remove them, or leave them out of training by "
            f'na=("{cells.frame[name][int(gaps[0])] or ""}",)'
        )
    return targets


def class_names(task: str, targets: Sequence[pl.Series], path: str) -> tuple[str, ...]:
    """The names of the classes; none for regression.

    Raises:
        DataError: there is one class alone.
    """
    if not task_named(task).has_classes:
        return ()
    classes = classes_of([name for each in targets for name in each.drop_nulls().unique()])
    if len(classes) < 2:
        target = short_repr(targets[0].name)
        raise DataError(
            f"{path}: the target {target} has the single value "
            f"{''.join(classes)}, so there is nothing to classify: add rows of another class, "
            "or name another column"
        )
    return classes


def classes_of(labels: Sequence[str]) -> tuple[str, ...]:
    """The class names, numbers in the order of their size."""
    names = set(labels)
    try:
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(names))


def target_numbers(targets: pl.Series, classes: Sequence[str]) -> np.ndarray:
    """Targets as numbers: of the class, or the value itself; 0 or NaN where there is none."""
    import polars as pl  # heavy

    if not classes:
        return targets.cast(pl.Float64).to_numpy()
    codes = targets.replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64)
    return codes.fill_null(0).to_numpy()
