"""Files of tables that are no text: Parquet, Arrow, JSON and workbooks, as libraries read them.

Damaged files, and those of a stranger, end in an error that names them, whatever a library does:
it may raise an error of its own, panic, or end its process where memory lacks.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netwise.data.tables.frames import as_polars
from netwise.data.tables.json_objects import table_of_object
from netwise.data.tables.options import ReadOptions
from netwise.errors import DataError, MissingPackage, NetwiseError, text_of
from netwise.memory import available_memory, format_size

if TYPE_CHECKING:
    import polars as pl

PARQUET, ARROW, ARROW_STREAM, WORKBOOK, JSON_LINES, JSON = (
    "Parquet",
    "Arrow",
    "Arrow stream",
    "workbook",
    "JSON lines",
    "JSON",
)
MOST_DEPTH = 64  # of values in values in JSON: the time of polars grows with its third power
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
# A workbook may name a cell in the last row and column, and calamine, which fastexcel reads with,
# allocates all cells before it, or ends the process. So it is read in a process of its own.
_READER = """
import sys
limit, sheet, sys.path[:] = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
from fastexcel import read_excel
import polars
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
except (ImportError, ValueError):
    pass
try:
    book = read_excel(sys.stdin.buffer.read())
    frame = book.load_sheet(sheet[1:] if sheet.startswith("=") else 0).to_polars()
except BaseException as error:
    sys.exit("reason: " + " ".join(str(error).split())[:300])
frame.write_ipc(sys.stdout.buffer)
"""
_LIBRARIES = 2**32  # addresses that they reserve and mostly do not use


@contextmanager
def whole_file(path: Path | str, kind: str) -> Iterator[None]:
    """Inside, what a library raises about a file becomes a `DataError` that names it."""
    try:
        yield
    except NetwiseError:
        raise
    except BaseException as error:
        # A panic of a library in Rust is no `Exception`.
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
            raise
        reason = " ".join(text_of(error)[:1000].split())[:300]
        raise DataError(f"{path} is no whole {kind} file ({reason}): write it again") from None


def read_binary(raw: bytes, path: Path, kind: str, options: ReadOptions) -> pl.DataFrame:
    """The table in the bytes of a file.

    Args:
        raw: all of them, not packed.
        path: of the file, for messages.
        kind: as named above.
        options: of a workbook its sheet.

    Raises:
        DataError: it is damaged, nested too deeply, or needs more memory than is free.
        MissingPackage: workbooks need fastexcel.
    """
    import polars as pl  # heavy

    stream = io.BytesIO(raw)
    with whole_file(path, kind):
        if kind == PARQUET:
            return pl.read_parquet(stream)
        if kind == ARROW:
            return pl.read_ipc(stream)
        if kind == ARROW_STREAM:
            return pl.read_ipc_stream(stream)
        if kind == WORKBOOK:
            return _workbook(raw, path, options)
        if depth_of(raw) > MOST_DEPTH:
            raise DataError(
                f"{path} has values in values, more than {MOST_DEPTH} deep, and a table needs a "
                "column for each: write a file with what is to be learned from"
            )
        if kind == JSON_LINES and (table := table_of_object(raw)) is not None:
            return as_polars(table)
        read = pl.read_json if kind == JSON else pl.read_ndjson
        return read(stream, infer_schema_length=None)


def depth_of(raw: bytes) -> int:
    """How many lists and objects of a JSON text are in each other, at most: brackets in its texts
    count too, unless there are more than `MOST_DEPTH` with them.

    >>> depth_of(b'{"a": [1], "b": [[2]]}'), depth_of(b'["' + 100 * b"[" + b'"]')
    (3, 1)
    """
    brackets = raw.translate(None, _NO_BRACKETS)
    if _deepest(brackets) > MOST_DEPTH:  # or there are brackets in texts
        brackets = _TEXT.sub(b"", raw).translate(None, _NO_BRACKETS)
    return _deepest(brackets)


def _deepest(brackets: bytes) -> int:
    codes = np.frombuffer(brackets, np.uint8)
    opens = (codes == ord("[")) | (codes == ord("{"))
    levels = np.cumsum(np.where(opens, 1, -1), dtype=np.int64)
    return int(levels.max(initial=0) - min(0, levels.min(initial=0)))


def _workbook(raw: bytes, path: Path, options: ReadOptions) -> pl.DataFrame:
    import polars as pl  # heavy

    if find_spec("fastexcel") is None:
        raise MissingPackage("reading a workbook", "fastexcel", "excel")
    free = available_memory() or 2**62
    sheet = f"={options.sheet}" if options.sheet else "0"
    command = [sys.executable, "-I", "-c", _READER, str(free + _LIBRARIES), sheet, *sys.path]
    done = subprocess.run(command, input=raw, capture_output=True, check=False)
    if done.returncode == 0:
        return pl.read_ipc(io.BytesIO(done.stdout))
    words = done.stderr.decode("utf-8", "replace").strip().splitlines()
    last = words[-1] if words else ""
    if not last.startswith("reason: "):
        raise DataError(
            f"{path} cannot be read as a workbook: it is damaged, or its sheet needs more than the "
            f"{format_size(free)} of memory that are free, as with a cell far below and right of "
            "all others. Save the sheet as CSV"
        )
    raise DataError(
        f"{path} is no whole workbook file ({last.removeprefix('reason: ')}): write it again"
    )
