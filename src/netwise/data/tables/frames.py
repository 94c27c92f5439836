"""Tables in memory: data frames of any library, columns, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netwise.errors import DataError, close_matches, short_repr

if TYPE_CHECKING:
    import polars as pl


MOST_PLACES = 10_000  # columns that one of lists becomes


def is_frame(source: object) -> bool:
    """Whether it is a data frame: of polars, pandas, Arrow or another library."""
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "collect_schema"):
        return True  # of a lazy frame of polars, the names of columns would be computed first
    return hasattr(source, "columns") and (hasattr(source, "dtypes") or hasattr(source, "schema"))


def as_polars(source: Any, names: Sequence[str] = ()) -> pl.DataFrame:
    """A frame, a mapping of columns, a list of mappings or a list of rows, as a polars frame whose
    nested columns are `flattened`.

    Args:
        source: the table.
        names: of the columns, for rows without names.

    Raises:
        DataError: it is none of these, or its columns or rows have different lengths.
    """
    return flattened(_as_polars(source, names))


def _as_polars(source: Any, names: Sequence[str]) -> pl.DataFrame:
    import polars as pl  # heavy

    if isinstance(source, pl.LazyFrame):
        return source.collect()
    if isinstance(source, pl.DataFrame):
        return source
    if hasattr(source, "to_pandas") and not hasattr(source, "__arrow_c_stream__"):
        source = source.to_pandas()
    if is_pandas(source):
        return _of_pandas(source)
    if hasattr(source, "__arrow_c_stream__"):
        return pl.DataFrame(source)
    if isinstance(source, Mapping):
        return _of_columns({str(name): column for name, column in source.items()})
    return _of_columns(columns_of_rows(source, names))


def flattened(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a column for each field of a nested one (`user.age`), and for each place of a
    column of number lists that are all of one length (`spectrum.0`)."""
    import polars as pl  # heavy

    columns: list[pl.Series] = []
    for column in frame:
        if isinstance(column.dtype, pl.Struct) and column.dtype.fields:
            inner = column.struct.unnest()
            inner.columns = [f"{column.name}.{name}" for name in inner.columns]
            columns += flattened(inner).get_columns()
        elif width := _list_width(column):
            places = [column.list.get(i) for i in range(width)]
            columns += [place.alias(f"{column.name}.{i}") for i, place in enumerate(places)]
        else:
            columns.append(column)
    names = [column.name for column in columns]
    return pl.DataFrame(columns) if len(set(names)) == len(names) else frame


def _list_width(column: pl.Series) -> int:
    """The length of all lists of numbers in a column; 0 where it has others."""
    import polars as pl  # heavy

    kind = column.dtype
    if isinstance(kind, pl.Array) and kind.inner.is_numeric() and len(kind.shape) == 1:
        return kind.shape[0] if kind.shape[0] <= MOST_PLACES else 0
    if not isinstance(kind, pl.List) or not kind.inner.is_numeric() or column.null_count():
        return 0
    lengths = column.list.len().unique()
    return int(lengths[0]) if len(lengths) == 1 and 0 < lengths[0] <= MOST_PLACES else 0


def is_pandas(source: object) -> bool:
    return hasattr(source, "iloc") and hasattr(source, "columns")


def _of_pandas(frame: Any) -> pl.DataFrame:
    names = [_joined(name) for name in frame.columns]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise DataError(
            f"two columns of the frame have the name {short_repr(min(repeated))}: rename one"
        )
    return _of_columns({name: _cells(frame.iloc[:, i]) for i, name in enumerate(names)})


def _joined(name: object) -> str:
    return "_".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _cells(column: Any) -> Any:
    """A pandas column as numpy or Python values; gaps are None."""
    if str(column.dtype) == "category":  # its words are labels, though they be numbers
        return _labels(column)
    kind = getattr(column.dtype, "kind", "O")
    if kind in "biuf" and not hasattr(column.dtype, "na_value"):
        return column.to_numpy()
    if kind == "M":
        zone = getattr(column.dtype, "tz", None)
        if zone is not None:
            column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return column.to_numpy("datetime64[us]")
    if kind == "m":
        return column.to_numpy("timedelta64[us]")
    return list(column.astype(object).where(column.notna(), None))


def _labels(column: Any) -> pl.Series:
    """A pandas column of categories."""
    import polars as pl  # heavy

    cells = column.astype(object).where(column.notna(), None)
    return pl.Series([None if cell is None else str(cell) for cell in cells], dtype=pl.Categorical)


def is_labels(column: pl.Series) -> bool:
    """Whether the type of a column says that its cells are categories."""
    import polars as pl  # heavy

    return isinstance(column.dtype, pl.Categorical | pl.Enum)


def _of_columns(columns: Mapping[str, Any]) -> pl.DataFrame:
    import polars as pl  # heavy

    require_equal_lengths(columns)
    return pl.DataFrame([_series(name, column) for name, column in columns.items()])


def _series(name: str, column: Any) -> pl.Series:
    """A column; cells of several types become texts."""
    import numpy as np
    import polars as pl  # heavy

    if isinstance(column, np.ndarray) and column.dtype.kind in "biufMm":
        return pl.Series(name, column)
    if isinstance(column, pl.Series):
        return column.alias(name)
    cells = [cell.item() if isinstance(cell, np.generic) else cell for cell in column]
    cells = [None if cell is None or cell != cell else cell for cell in cells]
    types = {type(cell) for cell in cells if cell is not None}
    if types == {int, float}:
        cells, types = [None if cell is None else float(cell) for cell in cells], {float}
    if len(types) <= 1:
        try:
            series = pl.Series(name, cells)
            if series.dtype != pl.Object:
                return series
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            pass
    return pl.Series(name, [None if cell is None else str(cell) for cell in cells], pl.String)


def columns_of_rows(source: Any, names: Sequence[str] = ()) -> dict[str, list[Any]]:
    """The cells of a list of mappings, or of a list of rows, by column.

    Args:
        source: the rows.
        names: of the columns that are wanted, for rows without names of all.

    Raises:
        DataError: a row has no cell for one of them.
    """
    rows = list(source)
    if rows and isinstance(rows[0], Mapping):
        known = list(dict.fromkeys(str(name) for row in rows for name in row))
        for row in rows:
            require_columns(names or known, [str(name) for name in row])
        return {name: [row[name] for row in rows] for name in names or known}
    for i, row in enumerate(rows):
        if isinstance(row, str | bytes) or not hasattr(row, "__len__") or len(row) != len(names):
            raise DataError(
                f"row {i + 1} is {short_repr(row)}: pass {len(names)} cells, in this order: "
                f"{', '.join(names)}"
            )
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def require_equal_lengths(columns: Mapping[str, Any]) -> None:
    """Refuse columns with different numbers of cells.

    Raises:
        DataError: with the numbers.
    """
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise DataError(
            f"the columns have {', '.join(map(str, sorted(lengths)))} cells: pass one cell of "
            "each column for each row"
        )


def require_columns(names: Sequence[str], known: Sequence[str], table: str = "the table") -> None:
    """Refuse a table that lacks one of these columns.

    Args:
        names: of the columns.
        known: those that the table has.
        table: its name, for the message.

    Raises:
        DataError: with the names that it lacks, and close ones that it has.
    """
    absent = [name for name in names if name not in known]
    if absent:
        close = close_matches(absent[0], known)
        hint = f" Did you mean {close}?" if close else f" There are: {', '.join(known[:20])}."
        raise DataError(f"{table} has no column {', '.join(map(short_repr, absent))}.{hint}")
