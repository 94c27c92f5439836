"""Tables in memory and in databases as files, so that a recipe can name them."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

from netwise.atomic import make_folder, write_atomically
from netwise.data.download import data_folder
from netwise.errors import DataError

FOLDER = "tables"


def table_file(source: Any, connection: Any = None) -> Path:
    """The file of a table: the path itself, or a Parquet file below the data folder whose name is
    the digest of its content, so that an equal table is written once.

    Args:
        source: a path; a frame of pandas, polars or Arrow, a mapping of columns or a list of
            mappings; or, with a connection, an SQL query.
        connection: to a database: of `sqlite3` or another module of Python's database interface, or
            of SQLAlchemy. Default: the source is a path or a table.

    Raises:
        DataError: the query fails, or the source is no table.
        FileAccessError: the file cannot be written.

    Example:
        >>> import sqlite3
        >>> import netwise as nw
        >>> base = sqlite3.connect(":memory:")
        >>> _ = base.execute("create table flats (size real, rent real)")
        >>> _ = base.executemany("insert into flats values (?, ?)", [(i, 9 * i) for i in range(40)])
        >>> data = nw.data.csv("select * from flats where size > 9", "rent", connection=base)
        >>> data.reading().frame.height
        30
    """
    if connection is not None:
        return _written(_queried(source, connection))
    if isinstance(source, str | Path):
        return Path(source)
    from netwise.data.tables.frames import as_polars

    return _written(as_polars(source))


def _queried(query: str, connection: Any) -> Any:
    import polars as pl  # heavy

    try:
        try:
            return pl.read_database(str(query), connection, infer_schema_length=None)
        except ModuleNotFoundError:  # a driver that gives Arrow tables, without pyarrow
            return _fetched(str(query), connection)
    except Exception as error:  # each database has errors of its own
        raise DataError(
            f"the query cannot be answered ({type(error).__name__}: {error}): correct it, and pass "
            "an open connection, such as sqlite3.connect(path)"
        ) from error


def _fetched(query: str, connection: Any) -> Any:
    """The rows of a query by Python's database interface."""
    from netwise.data.tables.frames import as_polars

    cursor = connection.cursor()
    cursor.execute(query)
    names = [column[0] for column in cursor.description]
    return as_polars(cursor.fetchall(), names)


def _written(frame: Any) -> Path:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    content = stream.getvalue()
    folder = data_folder() / FOLDER
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    if not path.is_file():
        make_folder(folder)
        write_atomically(path, content)
    return path
