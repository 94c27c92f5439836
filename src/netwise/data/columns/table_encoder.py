"""The columns of a table as the inputs of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.category_column import CategoryColumn
from netwise.data.columns.cells import Cells, as_words
from netwise.data.columns.column import ColumnEncoder
from netwise.data.columns.date_column import DateColumn
from netwise.data.columns.many_categories_column import ManyCategoriesColumn
from netwise.data.columns.number_column import NumberColumn
from netwise.data.columns.text_column import TextColumn
from netwise.data.raw_inputs import RawInput
from netwise.data.tables import read_as
from netwise.data.tables.arrays import column_arrays
from netwise.data.tables.frames import columns_of_rows, require_columns, require_equal_lengths
from netwise.data.tables.options import AS_ERROR, ReadOptions
from netwise.errors import DataError, interface_error, short_repr
from netwise.memory import require_memory
from netwise.schema import typed_by_kind

COLUMNS = {
    each.kind: each
    for each in (NumberColumn, CategoryColumn, DateColumn, TextColumn, ManyCategoriesColumn)
}


FORMS = {"number": ("number", "."), "date": ("date", ""), "text": ("text", "")}


@dataclass(frozen=True)
class LeftOut:
    """A column that a network does not get.

    Args:
        name: of the column.
        reason: a sentence without its subject and full stop.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class CellForm:
    """What the cells of a column were read as in training, and how they were written.

    Args:
        name: of the column.
        kind, form: as in `ColumnReading`.
    """

    name: str
    kind: str
    form: str = ""


@dataclass(frozen=True)
class NewRows:
    """How new rows are read: as those of training were, whatever these rows alone would look like.

    Args:
        forms: of the columns that are inputs.
        na: words that mark a missing value, besides the usual ones.
        bad_cells: "error", or "missing" for a missing value.
        decimal: "." or ",", where it is known for the new rows. Default: found in them.
    """

    forms: tuple[CellForm, ...]
    na: tuple[str, ...] = ()
    bad_cells: str = AS_ERROR
    decimal: str | None = None

    def columns_of(self, raw: Any) -> dict[str, np.ndarray]:
        """Cells by column: numbers, dates or words."""
        kinds = {each.name: (each.kind, each.form) for each in self.forms}
        options = ReadOptions(na=self.na, bad_cells=self.bad_cells, decimal=self.decimal)
        return column_arrays(read_as(raw, kinds, options))


@dataclass(frozen=True)
class TableEncoder:
    """The columns of a table.

    Args:
        columns: those that are inputs, in their order.
        left_out: columns that are no inputs. New rows need not have them.
        reading: how new rows are read. None, as in earlier versions: numbers have a decimal point,
            all else is words.
    """

    columns: tuple[ColumnEncoder, ...]
    left_out: tuple[LeftOut, ...] = ()
    reading: NewRows | None = None

    def for_file(
        self, decimal: str | None, na: Sequence[str] = (), bad_cells: str | None = None
    ) -> TableEncoder:
        """The same encoder for the rows of one file, which may come in several pieces.

        Args:
            decimal: sign of its numbers; None: found in each piece.
            na: words that mark a missing value in it, besides those of training.
            bad_cells: as in `NewRows`; None: as in training.
        """
        if self.reading is None:
            return self
        reading = replace(
            self.reading,
            decimal=decimal,
            na=(*self.reading.na, *na),
            bad_cells=bad_cells or self.reading.bad_cells,
        )
        return replace(self, reading=reading)

    def encode(self, raw: Any) -> Tensor:
        return self.encode_columns(self._cells(raw))

    def _cells(self, raw: Any) -> Mapping[str, Cells]:
        if self.reading is None and not isinstance(raw, str | Path):
            return cells_of(raw, self.names)
        return (self.reading or self._usual_reading()).columns_of(raw)

    def _usual_reading(self) -> NewRows:
        """How files are read where that was not saved."""
        forms = (FORMS.get(each.kind, ("category", "")) for each in self.columns)
        return NewRows(tuple(map(CellForm, self.names, *zip(*forms, strict=True))))

    def encode_columns(self, cells: Mapping[str, Cells]) -> Tensor:
        """The inputs of columns whose cells were read before."""
        rows, width = len(next(iter(cells.values()), ())), len(self.features)
        needed = 2 * 4 * rows * width  # for each column by itself, and joined
        what = f"of {width} inputs each need"
        require_memory(needed, "data", "rows", rows, what, "fewer of them at a time")
        x = self.computed([column.numbers(cells[column.name]) for column in self.columns])
        if not x.isfinite().all():
            row, feature = torch.argwhere(~x.isfinite())[0].tolist()
            name = [each.name for each in self.columns for _ in each.feature_names][feature]
            cell = cells[name][row]
            shown = short_repr(cell.item() if isinstance(cell, np.generic) else cell)
            raise DataError(
                f"column {short_repr(name)}, row {row + 1}: {shown} is too "
                "large for the 32-bit numbers of a network: write a smaller number, or leave the "
                "cell empty"
            )
        return x

    def raw_inputs(self) -> tuple[RawInput, ...]:
        return tuple(column.raw_input() for column in self.columns)

    def numbers(self, raw: Any) -> tuple[Tensor, ...]:
        cells = self._cells(raw)
        return tuple(column.numbers(cells[column.name]) for column in self.columns)

    def computed(self, numbers: Sequence[Tensor]) -> Tensor:
        pairs = zip(self.columns, numbers, strict=True)
        return torch.cat([column.computed(each) for column, each in pairs], dim=1)

    def words(self, raw: Any) -> dict[str, np.ndarray]:
        cells = self._cells(raw)
        names = [each.name for each in self.raw_inputs() if each.codes is not None]
        return {
            name: np.array([word or "" for word in as_words(cells[name])], dtype=object)
            for name in names
        }

    def raw(self, x: Tensor) -> Any:
        """Rows of a table have more than their encoding: `Data.raw_rows` reads them."""
        raise interface_error(self, "data.csv(...).raw_rows(10)")

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that a table of new rows needs."""
        return tuple(column.name for column in self.columns)

    @property
    def features(self) -> tuple[str, ...]:
        """A name for each input."""
        return tuple(name for column in self.columns for name in column.feature_names)

    def plain(self) -> dict[str, Any]:
        return {
            "kind": "table",
            "columns": [column.plain() for column in self.columns],
            "left_out": [asdict(each) for each in self.left_out],
            "reading": asdict(self.reading) if self.reading else None,
        }


@dataclass(frozen=True)
class PlainTable:
    """What `TableEncoder.plain` gives, before its columns are read."""

    columns: tuple[Any, ...]
    left_out: tuple[LeftOut, ...] = ()
    reading: NewRows | None = None

    def encoder(self) -> TableEncoder:
        """The encoder.

        Raises:
            SchemaError: a value has another type than its field, or numbers are too few or many.
        """
        columns = tuple(
            typed_by_kind(COLUMNS, column, f"encoder.columns[{i}]")
            for i, column in enumerate(self.columns)
        )
        return TableEncoder(columns, self.left_out, self.reading)


def cells_of(raw: Any, names: Sequence[str]) -> Mapping[str, Cells]:
    """The named columns of a table that comes as a data frame, a dict of columns, a list of dicts,
    or a list of rows."""
    if isinstance(raw, Mapping) or hasattr(raw, "columns"):
        known = [str(name) for name in (raw.columns if hasattr(raw, "columns") else raw)]
        require_columns(names, known)
        cells = {name: _column(raw[name]) for name in names}
        require_equal_lengths(cells)
        return cells
    return columns_of_rows(raw, names)


def _column(cells: Any) -> Cells:
    return cells if isinstance(cells, np.ndarray | list) else list(cells)
