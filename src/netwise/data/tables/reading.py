"""Tables as values of a type for each column, with what was found and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from netwise.data.tables.column_cells import text_cells
from netwise.data.tables.deciding import decide, file_decimal
from netwise.data.tables.extra_rows import without_extra_rows
from netwise.data.tables.frames import is_labels, require_columns
from netwise.data.tables.gaps import without_numbers
from netwise.data.tables.kinds import CATEGORY, NUMBER, WHOLE, BadCell, ColumnReading
from netwise.data.tables.number_forms import COMMA, POINT, decimal_votes
from netwise.data.tables.options import AS_ERROR, ReadOptions
from netwise.data.tables.sources import Cells, cells_of
from netwise.data.tables.typing_cells import as_kind, native
from netwise.errors import DataError, UnknownName, short_repr

if TYPE_CHECKING:
    import polars as pl

SHOWN_CELLS = 5


@dataclass(frozen=True, eq=False)
class TableReading:
    """A table as it was read.

    Args:
        frame: its values. Numbers are Float64 or Int64, truth values Boolean, dates Datetime in
            microseconds, all others String; a gap is null.
        cells: the cells as they came, in the same rows.
        columns: what each column is, and why.
        notes: how the source was read, as sentences.
    """

    frame: pl.DataFrame
    cells: pl.DataFrame
    columns: tuple[ColumnReading, ...]
    notes: tuple[str, ...]

    def column(self, name: str) -> ColumnReading:
        """What the column of this name is."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UnknownName("column", name, [column.name for column in self.columns])


def read_table(
    source: Any, options: ReadOptions | None = None, *, target: str | None = None
) -> TableReading:
    """A table with the kind of each column, decided from all of its cells.

    Args:
        source: path of a file (CSV with any separator, gzip, zip, xz, Parquet, Arrow, Feather, JSON
            lines, Excel), a frame of pandas, polars or Arrow, a mapping of columns, or a list of
            mappings.
        options: what is given and not found. Default: all is found.
        target: name of the column to predict, whose words are never taken for gaps.

    Raises:
        DataError: it is no table, or cells do not fit their columns.

    Example:
        >>> import pathlib, tempfile
        >>> from netwise.data.tables import read_table
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "flats.csv"
        >>> _ = path.write_text("ort;preis\\nKöln;1.250,50\\nBonn;980,00\\n", "cp1252")
        >>> reading = read_table(path)
        >>> [(column.name, column.kind) for column in reading.columns]
        [('ort', 'category'), ('preis', 'number')]
        >>> reading.frame["preis"].to_list()
        [1250.5, 980.0]
    """
    options = options or ReadOptions()
    cells = cells_of(source, options, [target] if target else [])
    return decided_table(cells, options, target)


def decided_table(cells: Cells, options: ReadOptions, target: str | None) -> TableReading:
    """What each column of these cells is; see `read_table`."""
    import polars as pl  # heavy

    if not cells.frame.height:
        raise DataError(
            f"{cells.name} has no rows below its header: add some, or pass columns=(...) if its "
            "first line is no header"
        )
    cells = without_extra_rows(_without_empty_rows(cells))
    labels = {column.name: CATEGORY for column in cells.frame if is_labels(column)}
    options = replace(options, kinds=tuple({**labels, **dict(options.kinds)}.items()))
    columns = [without_numbers(native(column), options.na) for column in cells.frame]
    texts = {
        column.name: text_cells(column, options.na, target=column.name == target)
        for column in columns
        if column.dtype == pl.String
    }
    usual = options.decimal or file_decimal(list(texts.values()), cells.sep)
    found = [
        decide(
            column,
            options,
            told=texts.pop(column.name, None),
            usual=usual,
            target=column.name == target,
        )
        for column in columns
    ]
    bad = [cell for each in found for cell in each.bad]
    if bad and options.bad_cells == AS_ERROR:
        raise _bad_cells(cells.name, bad, sum(each.bad_count for each in found))
    return TableReading(
        pl.DataFrame([each.values for each in found]),
        cells.frame,
        tuple(each.reading for each in found),
        cells.notes,
    )


def _new_bad_cells(name: str, bad: Sequence[BadCell], count: int) -> DataError:
    """The error for rows whose columns are known."""
    kind = bad[0].expected
    return DataError(
        f"{name}: {_shown(bad, count)}, and the column had {kind}s in training: write a {kind}, or "
        "leave the cell empty"
    )


def _without_empty_rows(cells: Cells) -> Cells:
    """Without rows in which no cell has a value: empty lines of a file."""
    import polars as pl  # heavy

    rest = cells.frame
    for column in cells.frame:  # most tables have a column without gaps, and end here
        rest = rest.filter(~_has_value(column))
        if not rest.height:
            return cells
    kept = cells.frame.filter(pl.any_horizontal([_has_value(column) for column in cells.frame]))
    count = cells.frame.height - kept.height
    if not kept.height:
        return cells
    note = f"Rows without a single value that are left out: {count:,}."
    return replace(cells, frame=kept, notes=(*cells.notes, note))


def _has_value(column: pl.Series) -> pl.Expr:
    import polars as pl  # heavy

    value = pl.col(column.name)
    if column.dtype == pl.String:
        return (value.str.strip_chars() != "").fill_null(False)
    return value.is_not_null()


def _bad_cells(name: str, bad: Sequence[BadCell], count: int) -> DataError:
    return DataError(
        f"{name}: {_shown(bad, count)}. Correct them, or read them as missing values: "
        f'bad_cells="missing" (--bad-cells missing), or na=({bad[0].text!r},) for this word alone'
    )


def _shown(bad: Sequence[BadCell], count: int) -> str:
    shown = "; ".join(
        f"column {short_repr(cell.column)}, row {cell.row}: {short_repr(cell.text)} is no "
        f"{cell.expected}"
        for cell in bad[:SHOWN_CELLS]
    )
    return shown + (f"; and {count - SHOWN_CELLS} more" if count > SHOWN_CELLS else "")


def read_as(
    source: Any, kinds: Mapping[str, tuple[str, str]], options: ReadOptions | None = None
) -> pl.DataFrame:
    """New rows of a table whose columns are known: one for each row of the source.

    Args:
        source: as in `read_table`, or a list of rows with the cells in the order of `kinds`.
        kinds: kind and form of each column, by name; other columns of the source are left out.
        options: as in `read_table`.

    Raises:
        DataError: a column is absent, or a cell does not fit and `bad_cells` is "error".

    Example:
        >>> from netwise.data.tables import read_as
        >>> read_as([{"age": "7", "town": None}], {"age": ("number", ".")})["age"].to_list()
        [7.0]
    """

    options = options or ReadOptions()
    return typed_frame(cells_of(source, options, list(kinds)), kinds, options)


def typed_frame(
    cells: Cells,
    kinds: Mapping[str, tuple[str, str]],
    options: ReadOptions,
    target: str | None = None,
) -> pl.DataFrame:
    """Cells as values of kinds that are known; see `read_as`.

    Args:
        cells: of the table.
        kinds: kind and form of each column, by name.
        options: as in `read_table`.
        target: the column to predict, whose words are never taken for gaps.
    """
    import polars as pl  # heavy

    require_columns(list(kinds), cells.frame.columns, cells.name)
    texts = [text_cells(c, options.na) for c in cells.frame if c.dtype == pl.String]
    usual = options.decimal or file_decimal(texts, cells.sep)
    columns, bad = [], []
    for name, (kind, form) in kinds.items():
        column = native(cells.frame[name])
        words = name != target or kind in (NUMBER, WHOLE)
        if column.dtype == pl.String:
            column = text_cells(column, options.na, gap_words=words).cells
        if kind in (NUMBER, WHOLE) and column.dtype == pl.String:
            form = _sign(column, options.decimal, usual, form) + form[1:]
        values = as_kind(column, kind, form, options.na, words=words)
        columns.append(values)
        if options.bad_cells == AS_ERROR:
            bad += _misfits(column, values, kind)
    if bad:
        raise _new_bad_cells(cells.name, bad[:SHOWN_CELLS], len(bad))
    return pl.DataFrame(columns)


def _sign(cells: pl.Series, given: str | None, usual: str, form: str) -> str:
    """The decimal sign of a column of new rows: what is given, what its cells prove, that of the
    file, that of training."""
    known = form[:1] or POINT
    if given or not (COMMA in (usual, known) or cells.str.contains(COMMA, literal=True).any()):
        return given or known
    votes = decimal_votes(cells)
    if votes[COMMA] == votes[POINT]:
        return COMMA if usual == COMMA else known
    return COMMA if votes[COMMA] > votes[POINT] else POINT


def _misfits(cells: pl.Series, values: pl.Series, kind: str) -> list[BadCell]:
    rows = (values.is_null() & cells.is_not_null()).arg_true()
    return [BadCell(values.name, int(row) + 1, str(cells[row]), kind) for row in rows]
