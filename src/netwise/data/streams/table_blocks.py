"""Rows of Parquet and Arrow files in blocks, by the encoder of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netwise.data.columns.fitting import fit_columns, target_matrix
from netwise.data.columns.table_encoder import CellForm, NewRows, TableEncoder
from netwise.data.streams.block_rows import Block
from netwise.data.tables.arrays import column_arrays
from netwise.data.tables.binary_files import whole_file
from netwise.data.tables.options import ReadOptions
from netwise.data.tables.reading import decided_table
from netwise.data.tables.sources import Cells
from netwise.errors import DataError, UnknownName
from netwise.file_errors import file_errors
from netwise.regular_files import open_regular

if TYPE_CHECKING:
    import polars as pl

PARQUET, ARROW = (".parquet", ".pq"), (".arrow", ".ipc", ".feather")
ENDINGS = (*PARQUET, *ARROW)
BLOCK_ROWS = 2**15
SLICES = 16  # of a table that shows what its columns are


class TableFiles:
    """Parquet or Arrow files that follow each other.

    Args:
        paths: of the files.
        columns: that are read besides the target; none: all.
        target: name of the column to predict.
    """

    def __init__(self, paths: Sequence[str], columns: Sequence[str], target: str) -> None:
        import polars as pl  # heavy

        self.frames = []
        for path in paths:
            scan = pl.scan_parquet if path.lower().endswith(PARQUET) else pl.scan_ipc
            with file_errors(Path(path)):
                open_regular(Path(path)).close()  # polars would wait for a pipe
            with whole_file(path, "Parquet" if scan is pl.scan_parquet else "Arrow"):
                frame = scan(path)
                known = frame.collect_schema().names()
            for name in (*columns, target):
                if name and name not in known:
                    raise UnknownName(f"column of {path}:", name, known)
            inputs = [name for name in columns or known if name != target]
            if not inputs:
                raise DataError(f"{path} has no column besides the target: add some")
            self.frames.append(frame.select([*inputs, *([target] if target else [])]))
        self.names, self.target, self.paths = inputs, target, tuple(paths)
        self.lengths = [int(each.item()) for each in self._collected(pl.len())]
        self.rows = sum(self.lengths)
        if not self.rows:
            raise DataError(f"{paths[0]} has no rows: name a table that has some")

    def targets(self) -> np.ndarray:
        """The targets of all rows."""
        column = self._joined(self._collected(self.target))[self.target]
        if column.null_count():
            row = int(column.is_null().arg_max() or 0)
            raise DataError(
                f"{self.paths[0]}: {column.null_count():,} rows have no target, the first is row "
                f"{row + 1}: remove them"
            )
        if column.dtype.is_temporal():
            raise DataError(
                f"{self.paths[0]}: the target {self.target!r} has dates: name a column of numbers "
                "or words"
            )
        array: np.ndarray = column.to_numpy()
        return array.astype(str) if array.dtype.kind == "O" else array

    def slice(self, start: int, count: int) -> pl.DataFrame:
        """So many rows from `start` on."""
        found = []
        for frame, path, length in zip(self.frames, self.paths, self.lengths, strict=True):
            if start < length and count > 0:
                with whole_file(path, "table"):
                    part = frame.select(self.names).slice(start, count).collect()
                found.append(part)
                count -= part.height
            start = max(0, start - length)
        return self._joined(found)

    def _collected(self, what: Any) -> list[pl.DataFrame]:
        """Columns or expressions of each file."""
        found = []
        for frame, path in zip(self.frames, self.paths, strict=True):
            with whole_file(path, "table"):
                found.append(frame.select(what).collect())
        return found

    def _joined(self, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
        import polars as pl  # heavy

        try:
            return pl.concat(frames)
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"{', '.join(self.paths[:3])} have columns of other types ({error}): write them "
                "with the same types"
            ) from None

    def fitted_encoder(
        self, train: np.ndarray, y: np.ndarray, classes: int, most: int
    ) -> TableEncoder:
        """The encoder of the columns, fitted to some of the training rows.

        Args:
            train: their numbers, increasing.
            y: targets of all rows: numbers of classes, or (rows, 1).
            classes: how many; 0 for numbers.
            most: rows that it is fitted to.
        """
        size = max(1, most // SLICES)
        starts = np.unique(np.linspace(0, max(0, self.rows - size), SLICES).astype(int))
        if most >= self.rows:
            starts, size = np.array([0]), self.rows
        rows: list[np.ndarray] = []
        frames: list[Any] = []
        taken = 0
        for start in starts:
            first, end = np.searchsorted(train, (max(start, taken), start + size))
            own, taken = train[first:end], start + size
            frames.append(self.slice(int(start), size)[own - start])
            rows.append(own)
        frame, own = self._joined(frames), np.concatenate(rows)
        reading = decided_table(Cells(frame, self.paths[0]), ReadOptions(), None)
        if reading.frame.height != len(own):
            raise DataError(f"{self.paths[0]} has rows without a single value: remove them")
        kinds = {column.name: column.kind for column in reading.columns}
        encoder, _ = fit_columns(
            column_arrays(reading.frame), kinds, target_matrix(y[own], classes) if y.size else None
        )
        if not encoder.columns:
            left_out = "; ".join(f"{each.name}: {each.reason}" for each in encoder.left_out)
            raise DataError(
                f"{self.paths[0]} has no column to predict from ({left_out}): add columns"
            )
        forms = (reading.column(name) for name in encoder.names)
        return replace(
            encoder, reading=NewRows(tuple(CellForm(c.name, c.kind, c.form) for c in forms))
        )


class TableBlocks:
    """Blocks of encoded rows of table files, as a `BlockReader`."""

    def __init__(self, files: TableFiles, encoder: TableEncoder) -> None:
        self.files, self.encoder = files, encoder
        self.rows, self.size = files.rows, BLOCK_ROWS

    def begin(self, epoch: int) -> bool:
        return False

    def read(self, number: int) -> Block:
        frame = self.files.slice(number * self.size, self.size)
        return Block(self.encoder.encode(frame.select(self.encoder.names)))
