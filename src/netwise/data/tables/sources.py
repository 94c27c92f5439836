"""Where cells come from: files of all kinds, and tables in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netwise.data.tables.binary_files import (
    ARROW,
    ARROW_STREAM,
    JSON,
    JSON_LINES,
    PARQUET,
    WORKBOOK,
    read_binary,
    whole_file,
)
from netwise.data.tables.delimited import find_head, remarks_left_out, text_frame, without_footer
from netwise.data.tables.encodings import decode
from netwise.data.tables.frames import as_polars, flattened
from netwise.data.tables.options import ReadOptions
from netwise.data.tables.packed import content
from netwise.file_errors import file_errors

if TYPE_CHECKING:
    import polars as pl

TEXT = "text"


@dataclass(frozen=True)
class Cells:
    """The cells of a table as they came.

    Args:
        frame: all columns; String where the source is text.
        name: of the source, for messages.
        notes: how it was read, as sentences.
        sep: the separator of a file of text; "" for other sources.
    """

    frame: pl.DataFrame
    name: str
    notes: tuple[str, ...] = ()
    sep: str = ""


def cells_of(source: Any, options: ReadOptions, wanted: Sequence[str] = ()) -> Cells:
    """The cells of a file, or of a table in memory.

    Args:
        source: a path, or a table as `frames.as_polars` takes it.
        options: for files of text.
        wanted: names of columns that it has: a first line that has one is a header.

    Raises:
        DataError: it is no table.
    """
    if not isinstance(source, str | Path):
        return Cells(as_polars(source, options.columns or wanted), "the table")
    path = Path(source)
    with file_errors(path):
        raw = content(path)
    kind = kind_of(raw, path)
    if kind == TEXT:
        return _of_text(raw, str(path), options, wanted)
    frame = read_binary(raw, path, kind, options)
    with whole_file(path, kind):
        frame = flattened(frame)
    return Cells(frame, str(path), (f"It is {'an' if kind[0] in 'AEIOU' else 'a'} {kind} file.",))


def kind_of(raw: bytes, path: Path) -> str:
    """The kind of a file that begins with these bytes, which are not packed."""
    if raw.startswith(b"PAR1"):
        return PARQUET
    if raw.startswith(b"ARROW1"):
        return ARROW
    if raw.startswith(b"\xff\xff\xff\xff") and len(raw) > 8:
        return ARROW_STREAM
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return WORKBOOK
    start = raw[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{") and b'"' in start[:80] and _ending(path) not in (".csv", ".tsv"):
        return JSON_LINES
    if start.startswith(b"[") and start[1:].lstrip().startswith(b"{"):
        return JSON
    return TEXT


def _ending(path: Path) -> str:
    endings = [
        ending.lower()
        for ending in path.suffixes
        if ending.lower() not in (".gz", ".xz", ".bz2", ".zip")
    ]
    return endings[-1] if endings else ""


def _of_text(raw: bytes, path: str, options: ReadOptions, wanted: Sequence[str]) -> Cells:
    text = decode(raw, path, options.encoding)
    utf8 = text.utf8
    if b"\n" not in utf8 and b"\r" in utf8:
        utf8 = utf8.replace(b"\r", b"\n")
    notes = (
        ()
        if text.encoding == "utf-8" and "valid" in text.reason
        else (f"The encoding is {text.encoding}: {text.reason}.",)
    )
    zeros = utf8.count(b"\0")
    if zeros:
        notes = (*notes, f"Null characters that are left out: {zeros:,}.")
        utf8 = utf8.replace(b"\0", b"")
    head = find_head(utf8, path, options, wanted)
    utf8, footer = without_footer(utf8, head)
    if footer:
        notes = (*notes, f"Lines below the last row that are left out: {footer}.")
    frame = text_frame(utf8, head, path)
    remarks = remarks_left_out(utf8, head, frame)
    if remarks:
        notes = (*notes, f"Lines between the rows that begin with # and are left out: {remarks}.")
    return Cells(frame, path, (*notes, *head.notes), head.dialect.sep)
