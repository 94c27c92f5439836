"""Tables in files: classification or regression on their columns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.fitting import fit_columns, target_matrix
from netwise.data.columns.table_encoder import CellForm, NewRows, TableEncoder
from netwise.data.content import FileKey, files_key
from netwise.data.dataset import Pairs, Samples, Split, split_rows, standardised_targets
from netwise.data.precision import keeping_differences
from netwise.data.table_file import table_file
from netwise.data.tables.arrays import column_arrays
from netwise.data.tables.kinds import CATEGORY, DATE, KINDS, NUMBER, WHOLE, ColumnReading
from netwise.data.tables.labels import labels_of
from netwise.data.tables.options import AS_ERROR, AS_MISSING, ReadOptions
from netwise.data.tables.reading import TableReading, decided_table, typed_frame
from netwise.data.tables.sources import Cells, cells_of
from netwise.errors import DataError, Problem, UnknownName, short_repr
from netwise.part import flag, text, texts
from netwise.tasks import CLASSIFICATION, REGRESSION, task_named

if TYPE_CHECKING:
    import polars as pl

MAX_NUMBERED_CLASSES = 20  # a target of whole numbers with more values is a regression target


FOUND = "it is found in the file"
READING_FIELDS: Mapping[str, object] = {
    "encoding": None,
    "sep": None,
    "decimal": None,
    "quote": None,
    "na": (),
    "bad_cells": AS_ERROR,
    "kinds": (),
    "sheet": None,
}


@dataclass(frozen=True)
class Table(Split):
    """A file with a table of which one column is to be predicted. Made by `data.csv`.

    CSV with any separator, gzip, zip or xz, Parquet, Arrow, JSON lines or Excel. What each column
    is, is decided from all of its cells (`Table.reading` says it with the reasons); medians, means
    and words are fitted on the training part only, and saved with the network.

    Args:
        path: the file.
        target: name of the column to predict.
        task: "classification", "regression", or "auto": words, and whole numbers of at most 20
            values, are classes; everything else is a number. Default "auto".
        columns: names of all columns, for a file without a header line. Default: the first line has
            them.
        test_file: a second file of the same columns that is the test part. Default: split one off.
        scale_target: for regression, learn (y - mean) / spread and undo it in predictions. Default
            true.
        encoding: of a file of text, such as "cp1252". Default: found.
        sep: what is between two cells. Default: found.
        decimal: the decimal sign, "." or ",". Default: found, column by column.
        quote: what is around cells that hold a separator; "none": nothing. Default: found.
        na: words that mark a missing value, besides the usual ones. Rows without a target are an
            error, and left out where `na` is given.
        bad_cells: what a cell that does not fit its column is, such as 12O among numbers: "error",
            or "missing" for a missing value. Default "error".
        kinds: columns whose kind is given and not decided, such as "zip=category". Kinds are
            number, whole number, truth value, category, date, text, identifier, constant, empty.
        sheet: of a workbook, its name. Default: the first.
        valid, test, split_seed, stratify: as in all split data.
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
    encoding: str | None = text(
        None, optional=True, because="it names an encoding", write='"cp1252"', why=FOUND
    )
    sep: str | None = text(
        None, optional=True, because="it is between two cells", write='";"', why=FOUND
    )
    decimal: str | None = text(
        None,
        optional=True,
        among=(".", ","),
        because="it is a decimal sign",
        write='","',
        why=FOUND,
    )
    quote: str | None = text(
        None, optional=True, because="it is around cells", write='"none"', why=FOUND
    )
    na: tuple[str, ...] = texts((), why="the usual words are known, such as NA, null and ?")
    bad_cells: str = text(
        AS_ERROR, among=(AS_ERROR, AS_MISSING), why="a cell that is misread is not noticed"
    )
    kinds: tuple[str, ...] = texts((), why=FOUND)
    sheet: str | None = text(
        None, optional=True, because="it names a sheet", write='"Sheet1"', why="most have one"
    )

    def written_fields(self) -> dict[str, Any]:
        """Without the fields on reading where they have their defaults, as in older files."""
        fields = super().written_fields()
        return {
            name: value
            for name, value in fields.items()
            if name not in READING_FIELDS or value != READING_FIELDS[name]
        }

    def conflicts(self) -> list[Problem]:
        problems = super().conflicts()
        for given in self.kinds:
            name, _, kind = given.rpartition("=")
            if not name or (kind not in KINDS and not kind.startswith("date %")):
                reason = f"must be NAME=KIND with one of the kinds {', '.join(KINDS)}"
                problems.append(Problem("kinds", short_repr(given), reason, '["zip=category"]'))
        return problems

    @property
    def options(self) -> ReadOptions:
        """How the file is to be read, where that is given."""
        pairs = [given.rpartition("=") for given in self.kinds]
        kinds = {name: kind for name, _, kind in pairs}
        if self.task == CLASSIFICATION:  # its labels may be numbers beside words
            kinds.setdefault(self.target, CATEGORY)
        return ReadOptions(
            self.encoding,
            self.sep,
            self.decimal,
            self.quote,
            self.na,
            self.bad_cells,
            self.columns,
            tuple(kinds.items()),
            self.sheet,
        )

    def files(self) -> Sequence[Path]:
        return [Path(path) for path in (self.path, self.test_file) if path]

    def reading(self) -> TableReading:
        """What each column of the file is, and why.

        Example:
            >>> import netwise as nw, pathlib, tempfile
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "flats.csv"
            >>> _ = path.write_text("rent;size\\n850,50;60\\n1.020,00;75\\n")
            >>> print(nw.data.csv(path, "rent").reading().column("rent").reason)
            all 2 cells with a value are numbers, with a decimal comma (its cells show it)
        """
        return _reading_once(self, files_key(self.files()))

    def source_cells(self, path: str) -> Cells:
        """The cells of one of the files, as they came."""
        return cells_of(path, self.options, [self.target])

    def read(self) -> Samples:
        reading = self.reading()
        names = [name for name in reading.frame.columns if name != self.target]
        if not names:
            raise DataError(
                f"{self.path} has no column besides the target {short_repr(self.target)}: add "
                "columns to predict it from"
            )
        frames, targets = [reading.frame], [self._targets(reading.cells, reading, self.path)]
        if self.test_file:
            cells = self.source_cells(self.test_file)
            forms = {c.name: (c.kind, c.form) for c in reading.columns if c.name != self.target}
            frames.append(typed_frame(cells, forms, self.options))
            self._require_target(cells.frame, self.test_file)
            targets.append(self._targets(cells.frame, reading, self.test_file))
        task = self._task(reading.column(self.target))
        classes = self._classes(task, targets)
        kept = [np.flatnonzero(_present(target)) for target in targets]
        ys = [_codes(target, classes) for target in targets]
        exact = self.scale_target and keeping_differences(ys[0][kept[0]]).dtype == torch.float64
        labels = ys[0][kept[0]] if classes else None
        parts = split_rows(labels, len(kept[0]), self, own_test=len(frames) > 1)
        rows = [kept[0][part] for part in parts]
        columns = column_arrays(reading.frame.select(names))
        encoder, x = self._fitted_encoder(reading, _rows(columns, rows[0]), ys[0][rows[0]], classes)
        inputs = [x, *(encoder.encode_columns(_rows(columns, each)) for each in rows[1:])]
        outputs = [_as_targets(ys[0][each], exact) for each in rows]
        if len(frames) > 1:
            columns = _rows(column_arrays(frames[1].select(names)), kept[1])
            inputs[2], outputs[2] = (
                encoder.encode_columns(columns),
                _as_targets(ys[1][kept[1]], exact),
            )
        pairs = tuple(map(Pairs, inputs, outputs))
        mean, scale = torch.zeros(1), torch.ones(1)
        if task_named(task).has_values and self.scale_target:
            pairs, mean, scale = standardised_targets(pairs)
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in self.files()))
        return Samples(
            pairs[0],
            pairs[1],
            pairs[2],
            task,
            classes,
            encoder,
            digest.hexdigest()[:16],
            mean,
            scale,
        )

    def _fitted_encoder(
        self,
        reading: TableReading,
        columns: Mapping[str, np.ndarray],
        y: np.ndarray,
        classes: Sequence[str],
    ) -> tuple[TableEncoder, Tensor]:
        """The encoder of the training part, and the inputs of its rows."""
        kinds = {column.name: column.kind for column in reading.columns}
        targets = target_matrix(y, len(classes))
        # Of two classes one share says all; it is that of the second.
        names = [f"{self.target}={name}" for name in classes[-targets.shape[1] :]] or [self.target]
        encoder, x = fit_columns(columns, kinds, targets, names)
        if not encoder.columns:
            left_out = "; ".join(f"{short_repr(c.name)}: {c.reason}" for c in encoder.left_out)
            raise DataError(
                f"{self.path} has no column to predict {short_repr(self.target)} from "
                f"({left_out}): add columns, or say what one is, such as "
                'kinds={"zip": "category"}'
            )
        forms = [reading.column(name) for name in encoder.names]
        new_rows = NewRows(
            tuple(CellForm(each.name, each.kind, each.form) for each in forms),
            self.na,
            self.bad_cells,
        )
        return replace(encoder, reading=new_rows), x

    def raw_rows(self, count: int) -> dict[str, list[Any]]:
        """At most `count` rows of the file, by column, without the target."""
        cells = self.reading().cells.drop(self.target)
        chosen = np.unique(np.linspace(0, cells.height - 1, count).astype(int))
        return cells[chosen].to_dict(as_series=False)

    def _require_target(self, frame: pl.DataFrame, path: str) -> None:
        if self.target not in frame.columns:
            raise UnknownName(f"column of {path}:", self.target, frame.columns)

    def _task(self, target: ColumnReading) -> str:
        if self.task != "auto":
            return self.task
        if target.kind == DATE:
            raise DataError(
                f"{self.path}: the target {short_repr(self.target)} has dates: name a column of "
                'numbers or words, or write task = "classification" to take each date for a class'
            )
        if target.kind == WHOLE:
            return CLASSIFICATION if target.distinct <= MAX_NUMBERED_CLASSES else REGRESSION
        return REGRESSION if target.kind == NUMBER else CLASSIFICATION

    def _targets(self, cells: pl.DataFrame, reading: TableReading, path: str) -> pl.Series:
        """The targets of one file: numbers, or the names of classes; null where there is none.

        Raises:
            DataError: some rows have none, and `na` is not given.
        """
        found = reading.column(self.target)
        task = self._task(found)
        kinds = {self.target: (NUMBER if task == REGRESSION else CATEGORY, found.form)}
        words = typed_frame(Cells(cells, path), kinds, self.options, target=self.target)
        targets = words[self.target]
        if task != REGRESSION:
            targets = labels_of(targets, found.form[:1] or ".")
        gaps = targets.is_null().arg_true()
        if len(gaps) and not self.na:
            raise DataError(
                f"{path}: {len(gaps)} rows have no target {short_repr(self.target)}, the first is "
                f"row {gaps[0] + 1}: remove them, or leave them out of training by "
                f'na=("{cells[self.target][int(gaps[0])] or ""}",)'
            )
        return targets

    def _classes(self, task: str, targets: Sequence[pl.Series]) -> tuple[str, ...]:
        """The names of the classes; none for regression."""
        if not task_named(task).has_classes:
            return ()
        classes = classes_of([name for each in targets for name in each.drop_nulls().unique()])
        if len(classes) < 2:
            raise DataError(
                f"{self.path}: the target {short_repr(self.target)} has the single value "
                f"{''.join(classes)}, so there is nothing to classify: add rows of another class, "
                "or name another column"
            )
        return classes


@lru_cache(maxsize=4)
def _reading_once(table: Table, content: tuple[FileKey, ...]) -> TableReading:
    cells = table.source_cells(table.path)
    table._require_target(cells.frame, table.path)
    return decided_table(cells, table.options, table.target)


def csv(
    path: Any,
    target: str,
    *,
    connection: Any = None,
    task: str = "auto",
    columns: Sequence[str] = (),
    test_file: Any = None,
    scale_target: bool = True,
    encoding: str | None = None,
    sep: str | None = None,
    decimal: str | None = None,
    quote: str | None = None,
    na: Sequence[str] = (),
    bad_cells: str = AS_ERROR,
    kinds: Mapping[str, str] | Sequence[str] = (),
    sheet: str | None = None,
    valid: float = 0.2,
    test: float = 0.2,
    split_seed: int = 0,
) -> Table:
    """A table of which one column is to be predicted; see `Table` for what each argument means.

    Args:
        path: may be a frame of pandas, polars or Arrow, or a mapping of columns too, or an SQL
            query: they are kept as a Parquet file in the data folder.
        connection: to the database of the query, such as `sqlite3.connect(path)`.
        kinds: may be a mapping too: {"zip": "category"}.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pets.csv"
        >>> rows = "4,red,cat\\n30,,dog\\n5,red,cat\\n?,black,dog\\n" * 5
        >>> _ = path.write_text("weight,colour,pet\\n" + rows)
        >>> samples = nw.data.csv(path, "pet").load()
        >>> samples.classes, samples.encoder.names
        (('cat', 'dog'), ('weight', 'colour'))
    """
    return Table(
        str(table_file(path, connection)),
        target,
        task=task,
        columns=tuple(columns),
        test_file=None if test_file is None else str(table_file(test_file)),
        scale_target=scale_target,
        encoding=encoding,
        sep=sep,
        decimal=decimal,
        quote=quote,
        na=(na,) if isinstance(na, str) else tuple(na),
        bad_cells=bad_cells,
        kinds=tuple(f"{name}={kind}" for name, kind in kinds.items())
        if isinstance(kinds, Mapping)
        else tuple(kinds),
        sheet=sheet,
        valid=valid,
        test=test,
        split_seed=split_seed,
    )


def classes_of(labels: Sequence[str]) -> tuple[str, ...]:
    """The class names, numbers in the order of their size."""
    names = set(labels)
    try:
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(names))


def _present(targets: pl.Series) -> np.ndarray:
    return targets.is_not_null().to_numpy()


def _codes(targets: pl.Series, classes: Sequence[str]) -> np.ndarray:
    """Targets as numbers: of the class, or the value itself; 0 or NaN where there is none."""
    import polars as pl  # heavy

    if not classes:
        return targets.cast(pl.Float64).to_numpy()
    codes = targets.replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64)
    return codes.fill_null(0).to_numpy()


def _rows(columns: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: column[rows] for name, column in columns.items()}


def _as_targets(y: np.ndarray, exact: bool) -> Tensor:
    """Numbers of classes (rows,), or values (rows, 1); these in float64 where `exact`."""
    if y.dtype == np.int64:
        return torch.from_numpy(y)
    return torch.from_numpy(y.astype(np.float64 if exact else np.float32))[:, None]
