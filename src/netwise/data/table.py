"""Tables in CSV files: numeric and categorical columns, missing values, classification or
regression."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.cells import is_missing, is_number
from netwise.data.columns.fitting import fit_columns
from netwise.data.columns.table_encoder import TableEncoder
from netwise.data.csv_file import read_table
from netwise.data.dataset import Pairs, Samples, Split, split_rows, standardised_targets
from netwise.errors import DataError, UnknownName, short_repr
from netwise.part import flag, text, texts
from netwise.tasks import CLASSIFICATION, REGRESSION, task_named

MAX_NUMBERED_CLASSES = 20  # a target of whole numbers with more values is a regression target


@dataclass(frozen=True)
class Table(Split):
    """A CSV file of which one column is to be predicted. Made by `data.csv`.

    Numeric columns: missing cells become the median, then mean 0 and spread 1. Columns of words:
    one input for each word. All of it is fitted on the training part only and saved with the
    network.

    Args:
        path: the file: comma, semicolon, tab or bar between cells; UTF-8.
        target: name of the column to predict.
        task: "classification", "regression", or "auto": words, and whole numbers of at most 20
            values, are classes; everything else is a number. Default "auto".
        columns: names of all columns, for a file without a header line. Default: the first line has
            them.
        test_file: a second file of the same columns that is the test part. Default: split one off.
        scale_target: for regression, learn (y - mean) / spread and undo it in predictions. Default
            true.
        valid, test, split_seed: as in all split data.
    """

    kind: ClassVar[str] = "csv"
    path: str = text(because="it names a file", write='"data.csv"')
    target: str = text(because="it names the column to predict", write='"price"')
    task: str = text(
        "auto",
        among=("auto", CLASSIFICATION, REGRESSION),
        why="the values of the column usually show it",
    )
    columns: tuple[str, ...] = texts((), why="most files have a header line")
    test_file: str | None = text(
        None, optional=True, because="it names a file", why="most tables come as one file"
    )
    scale_target: bool = flag(
        True, why="outputs of a new network have about mean 0 and spread 1; raw targets may not"
    )

    def files(self) -> Sequence[Path]:
        return [Path(path) for path in (self.path, self.test_file) if path]

    def read(self) -> Samples:
        cells = self._cells(self.path)
        test_cells = self._cells(self.test_file) if self.test_file else None
        targets = cells.pop(self.target)
        test_targets = test_cells.pop(self.target) if test_cells else []
        if not cells:
            raise DataError(
                f"{self.path} has no column besides the target {short_repr(self.target)}: add "
                "columns to predict it from"
            )
        task, classes = self._task_and_classes([*targets, *test_targets])
        labels = np.array([classes.index(_label(cell)) for cell in targets]) if classes else None
        train, valid, test = split_rows(labels, len(targets), self, own_test=test_cells is not None)
        encoder = _fitted_encoder(cells, train)
        parts = tuple(
            _pairs(encoder, cells, targets, rows, classes) for rows in (train, valid, test)
        )
        if test_cells is not None:
            parts = (
                *parts[:2],
                _pairs(encoder, test_cells, test_targets, np.arange(len(test_targets)), classes),
            )
        mean, scale = torch.zeros(1), torch.ones(1)
        if task_named(task).has_values and self.scale_target:
            parts, mean, scale = standardised_targets(parts)
        content_hash = hashlib.sha256(
            Path(self.path).read_bytes()
            + (Path(self.test_file).read_bytes() if self.test_file else b"")
        )
        return Samples(
            parts[0],
            parts[1],
            parts[2],
            task,
            classes,
            encoder,
            content_hash.hexdigest()[:16],
            mean,
            scale,
        )

    def _task_and_classes(self, targets: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """The task, and the names of the classes; none for regression."""
        task = self.task if self.task != "auto" else task_of(targets)
        column = f"{self.path}: the target {short_repr(self.target)}"
        if task_named(task).has_classes:
            classes = classes_of(targets)
            if len(classes) < 2:
                raise DataError(
                    f"{column} has the single value {classes[0]}, so there is nothing to classify: "
                    "add rows of another class, or name another column"
                )
            return task, classes
        for i, cell in enumerate(targets):
            if not is_number(cell):
                raise DataError(
                    f"{column} of row {i + 1} is {short_repr(cell)}, which is no number: correct "
                    'it, or write task = "classification"'
                )
        return task, ()

    def raw_rows(self, count: int) -> dict[str, list[str]]:
        """At most `count` rows of the file, by column, without the target."""
        cells = self.cells(self.path)
        rows = np.linspace(0, len(cells[self.target]) - 1, count).astype(int)
        chosen = np.unique(rows).tolist()
        return {
            name: [column[i] for i in chosen]
            for name, column in cells.items()
            if name != self.target
        }

    def cells(self, path: str) -> dict[str, list[str]]:
        """All cells of one of the files, by column."""
        return read_table(Path(path), self.columns)

    def _cells(self, path: str) -> dict[str, list[str]]:
        cells = self.cells(path)
        if self.target not in cells:
            raise UnknownName(f"column of {path}:", self.target, cells)
        gaps = [i + 1 for i, cell in enumerate(cells[self.target]) if is_missing(cell)]
        if gaps:
            raise DataError(
                f"{path}: {len(gaps)} rows have no target {short_repr(self.target)}, the first is "
                f"row {gaps[0]}: remove them"
            )
        return cells


def csv(
    path: str | Path,
    target: str,
    *,
    task: str = "auto",
    columns: Sequence[str] = (),
    test_file: str | Path | None = None,
    scale_target: bool = True,
    valid: float = 0.2,
    test: float = 0.2,
    split_seed: int = 0,
) -> Table:
    """A CSV file of which one column is to be predicted; see `Table` for what each argument means.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pets.csv"
        >>> rows = "4,red,cat\\n30,,dog\\n5,red,cat\\n?,black,dog\\n" * 5
        >>> _ = path.write_text("weight,colour,pet\\n" + rows)
        >>> samples = nw.data.csv(path, "pet").load()
        >>> samples.classes, samples.encoder.features
        (('cat', 'dog'), ('weight', 'colour=(missing)', 'colour=black', 'colour=red'))
    """
    return Table(
        str(path),
        target,
        task=task,
        columns=tuple(columns),
        test_file=None if test_file is None else str(test_file),
        scale_target=scale_target,
        valid=valid,
        test=test,
        split_seed=split_seed,
    )


def task_of(targets: Sequence[str]) -> str:
    """The task of a column of targets: classification for words, and for whole numbers of at most
    `MAX_NUMBERED_CLASSES` values; regression for all others."""
    if not all(is_number(cell) for cell in targets):
        return CLASSIFICATION
    values = {float(cell) for cell in targets}
    return (
        CLASSIFICATION
        if len(values) <= MAX_NUMBERED_CLASSES and all(v.is_integer() for v in values)
        else REGRESSION
    )


def _label(cell: str) -> str:
    return cell.strip()


def classes_of(targets: Sequence[str]) -> tuple[str, ...]:
    """The class names, numbers in the order of their size."""
    names = {_label(cell) for cell in targets}
    return tuple(
        sorted(names, key=float) if all(is_number(name) for name in names) else sorted(names)
    )


def _fitted_encoder(cells: Mapping[str, Sequence[str]], train: np.ndarray) -> TableEncoder:
    """Whether a column is numeric is read from the whole file; medians, means and words are fitted
    on the training rows alone."""
    numeric = {
        name: all(is_number(cell) or is_missing(cell) for cell in column)
        for name, column in cells.items()
    }
    kinds = {name: "number" if each else "category" for name, each in numeric.items()}
    training = {
        name: [None if is_missing(column[i]) else column[i] for i in train]
        for name, column in cells.items()
    }
    return fit_columns(training, kinds)[0]


def _pairs(
    encoder: TableEncoder,
    cells: dict[str, list[str]],
    targets: list[str],
    rows: np.ndarray,
    classes: tuple[str, ...],
) -> Pairs:
    x: Tensor = encoder.encode({name: [column[i] for i in rows] for name, column in cells.items()})
    if classes:
        return Pairs(
            x, torch.tensor([classes.index(_label(targets[i])) for i in rows], dtype=torch.int64)
        )
    return Pairs(
        x, torch.tensor([[float(targets[i])] for i in rows], dtype=torch.float32).reshape(-1, 1)
    )
