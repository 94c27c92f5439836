"""Cells of a CSV file, as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from netwise.errors import DataError, short_repr
from netwise.file_errors import file_errors
from netwise.regular_files import open_regular

SEPARATORS = ",;\t|"
SAMPLE_CHARACTERS = 65_536  # read to find out which separator the file has


def read_table(
    path: Path, columns: Sequence[str] = (), comment: str = "", *, keep_empty: bool = False
) -> dict[str, list[str]]:
    """All cells of a CSV file by column, as text without blanks around it.

    Args:
        path: the file, UTF-8; cells are separated by comma, semicolon, tab or bar.
        columns: names of all columns, for a file without a header line. Default: the first line has
            them.
        comment: lines that begin with this text are left out. Default: none.
        keep_empty: a row of empty cells is a row, as predictions need it: each row gets an answer.
            An empty line inside the table is one too, and at its end where there is one column.
            Default: both are left out.

    Raises:
        DataError: the file is absent, no UTF-8, has rows of unequal length, or no rows; with the
            line's number.

    Example:
        >>> import pathlib, tempfile
        >>> from netwise.data.csv_file import read_table
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pets.csv"
        >>> _ = path.write_text("weight;pet\\n4;cat\\n30;dog\\n")
        >>> read_table(path)
        {'weight': ['4', '30'], 'pet': ['cat', 'dog']}
    """
    content = _text_of(path)
    if comment:
        lines = content.splitlines(keepends=True)
        content = "".join(line for line in lines if not line.startswith(comment))
    try:
        dialect: type[csv.Dialect] | str = csv.Sniffer().sniff(
            content[:SAMPLE_CHARACTERS], SEPARATORS
        )
    except csv.Error:
        dialect = "excel"  # one column has no separator to find
    reader = csv.reader(io.StringIO(content, newline=""), dialect, skipinitialspace=True)
    names, rows = [name.strip() for name in columns], []
    last = 0  # number of rows up to the last line that is not empty
    try:
        for row in reader:
            if not any(cell.strip() for cell in row) and not (keep_empty and names):
                continue
            if not names:
                names = [cell.strip() for cell in row]
                continue
            if not row:
                rows.append([""] * len(names))
                continue
            if len(row) != len(names):
                raise DataError(
                    f"{path}, line {reader.line_num}: {len(row)} cells where the header has "
                    f"{len(names)}. Write one cell for each column, with quotes around text that "
                    "holds a separator"
                )
            rows.append([cell.strip() for cell in row])
            last = len(rows)
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num} is no line of a CSV file ({error}): repair it"
        ) from None
    if len(names) > 1:
        del rows[last:]  # empty lines at the end
    _check_names(path, names)
    if not rows:
        raise DataError(
            f"{path} has no rows below its header: add some, or pass columns=(...) if its first "
            "line is no header"
        )
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _text_of(path: Path) -> str:
    with file_errors(path):
        try:
            with open_regular(path) as file:
                return file.read().decode("utf-8-sig")
        except FileNotFoundError:
            raise DataError(
                f"{path} is not there (looked in {Path.cwd()}): check the path, or write it in full"
            ) from None
        except IsADirectoryError:
            raise DataError(f"{path} is a folder, not a CSV file: name a file in it") from None
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path} is no UTF-8 text (byte {error.start}): save it as UTF-8"
            ) from None


def _check_names(path: Path, names: Sequence[str]) -> None:
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise DataError(
            f"{path}: two columns have the name {short_repr(min(repeated))}: rename one"
        )
