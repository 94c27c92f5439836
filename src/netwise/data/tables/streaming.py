"""Tables in blocks of rows, in memory that does not grow with the table."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from netwise.data.tables.binary_files import ARROW, JSON, JSON_LINES, PARQUET, whole_file
from netwise.data.tables.column_cells import text_cells
from netwise.data.tables.deciding import file_decimal
from netwise.data.tables.delimited import Head, find_head, text_frame
from netwise.data.tables.dialects import NO_QUOTE, rows_of
from netwise.data.tables.encodings import MIXED, decode, of_mixed
from netwise.data.tables.frames import flattened
from netwise.data.tables.json_objects import table_of_object
from netwise.data.tables.options import ReadOptions
from netwise.data.tables.packed import UNPACKED_BY, content, refuse_strangers
from netwise.data.tables.sources import TEXT, cells_of, kind_of
from netwise.errors import DataError
from netwise.file_errors import file_errors
from netwise.regular_files import open_regular

if TYPE_CHECKING:
    import polars as pl

PIECE = 2**22  # bytes of a text that become one frame
HEAD = 2**20  # bytes of a text that show how it is cut; its reader looks at fewer
BLOCK_ROWS = 20_000


def blocks(
    source: Any,
    options: ReadOptions | None = None,
    rows: int = BLOCK_ROWS,
    wanted: Sequence[str] = (),
) -> Iterator[pl.DataFrame]:
    """The cells of a table as they came, in blocks of rows; all blocks together are
    `read_table(...).cells`.

    CSV (plain, gzip, bzip2 or xz), Parquet, Arrow and JSON lines are read piece by piece. Other
    sources, and those files that are packed otherwise, are read whole.

    Args:
        source: as in `read_table`.
        options: as in `read_table`.
        rows: of a block at most.
        wanted: names of columns that the table has: a first line that has one is a header.

    Raises:
        DataError: it is no table.

    Example:
        >>> from netwise.data.tables import blocks
        >>> [block.height for block in blocks({"age": list(range(5))}, rows=2)]
        [2, 2, 1]
    """
    options = options or ReadOptions()
    if isinstance(source, str | Path) and Path(source).is_file():
        path = Path(source)
        with file_errors(path):
            with open_regular(path) as file:
                start = file.read(2**16)
            refuse_strangers(start, path)
            kind = TEXT if _is_packed(start) else kind_of(start, path)
            if kind == JSON_LINES and table_of_object(content(path)) is not None:
                kind = JSON
            if kind in (PARQUET, ARROW, JSON_LINES):
                yield from _scanned(path, kind, rows)
                return
            if kind == TEXT and not start.startswith(b"PK") and _is_text(path):
                for frame in _text_frames(path, options, wanted):
                    yield from (part for part in frame.iter_slices(rows) if part.height)
                return
    yield from cells_of(source, options, wanted).frame.iter_slices(rows)


def decimal_sign(
    source: str | Path, options: ReadOptions | None = None, wanted: Sequence[str] = ()
) -> str | None:
    """The decimal sign of the numbers in a file, from its first rows; None where it is no text.

    Args:
        source: path of the file.
        options: as in `read_table`.
        wanted: as in `blocks`.
    """
    import polars as pl  # heavy

    options, path = options or ReadOptions(), Path(source)
    if options.decimal or not path.is_file() or not _is_text(path):
        return options.decimal
    start = next(_utf8_pieces(path, _encoding(path, options), HEAD), b"")
    sep = find_head(start, str(path), options, wanted).dialect.sep
    for frame in blocks(path, options, wanted=wanted):
        texts = [text_cells(each, options.na) for each in frame if each.dtype == pl.String]
        return file_decimal(texts, sep)
    return None


def _scanned(path: Path, kind: str, rows: int) -> Iterator[pl.DataFrame]:
    import polars as pl  # heavy

    with whole_file(path, kind):
        if kind == PARQUET:
            frame = pl.scan_parquet(path)
        elif kind == ARROW:
            frame = pl.scan_ipc(path)
        else:
            frame = pl.scan_ndjson(path, infer_schema_length=None)
        for batch in frame.collect_batches(chunk_size=rows, maintain_order=True):
            yield from flattened(batch).iter_slices(rows)


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, without its packing."""
    with open_regular(path) as file:
        start = file.read(8)
        file.seek(0)
        for mark, reader in UNPACKED_BY:
            if start.startswith(mark):
                try:
                    with reader(file) as unpacked:
                        yield cast(IO[bytes], unpacked)
                except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
                    raise DataError(
                        f"{path} is damaged, or was cut off ({error}): fetch it again"
                    ) from None
                return
        yield file


def _is_text(path: Path) -> bool:
    """Whether what is in a file, after unpacking, is a text."""
    with _unpacked(path) as file:
        start = file.read(2**16)
    refuse_strangers(start, path)
    return bool(start) and not _is_packed(start) and kind_of(start, path) == TEXT


def _is_packed(start: bytes) -> bool:
    return any(start.startswith(mark) for mark, _ in UNPACKED_BY)


def _text_frames(path: Path, options: ReadOptions, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
    encoding = _encoding(path, options)
    start = next(_utf8_pieces(path, encoding, HEAD), b"")
    single = b"\n" not in start and b"\r" in start  # lines that end as on an old Macintosh
    start = start.replace(b"\r", b"\n") if single else start
    head = find_head(start, str(path), options, wanted)
    pieces = _utf8_pieces(path, encoding, PIECE)
    if single:
        pieces = (piece.replace(b"\r", b"\n") for piece in pieces)
    rest = b""
    while len(rest) < head.start:
        rest += next(pieces)
    rest, head = rest[head.start :], replace(head, start=0)
    yield text_frame(b"", head, str(path))  # so that a table without rows has its columns
    ended = False
    while not ended:
        least, piece = max(1, len(rest)), b""  # twice as much where no record has ended
        while len(piece) < least and not ended:
            more = next(pieces, b"")
            ended, piece = not more, piece + more
        rest += piece
        end = len(rest) if ended else _last_record(rest, head)
        if end:
            yield text_frame(rest[:end], head, str(path))
            head = replace(head, lines=head.lines + rest.count(b"\n", 0, end))
            rest = rest[end:]


def _utf8_pieces(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    """A text as UTF-8 without a byte order mark, in pieces of so many of its bytes."""
    if encoding == MIXED:
        yield from _lines_of_mixed(path, size)
        return
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)("replace")
    with _unpacked(path) as file:
        first = True
        while piece := file.read(size):
            utf8 = piece if decoder is None else decoder.decode(piece).encode("utf-8", "replace")
            utf8 = utf8.replace(b"\0", b"") if b"\0" in utf8 else utf8
            yield utf8.removeprefix(codecs.BOM_UTF8) if first else utf8
            first = False
        if decoder is not None and (text := decoder.decode(b"", True)):
            yield text.encode("utf-8", "replace")


def _lines_of_mixed(path: Path, size: int) -> Iterator[bytes]:
    """The same where each line has an encoding of its own."""
    with _unpacked(path) as file:
        rest = b""
        while piece := file.read(size):
            lines, end, rest = (rest + piece).rpartition(b"\n")
            yield of_mixed(lines + end).encode("utf-8")
        yield of_mixed(rest).encode("utf-8")


def _encoding(path: Path, options: ReadOptions) -> str:
    """The encoding of a text: UTF-8 where all of it is valid, else what `decode` finds."""
    if options.encoding is None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            with _unpacked(path) as file:
                while piece := file.read(PIECE):
                    if b"\0" in piece:
                        break
                    decoder.decode(piece)
                else:
                    decoder.decode(b"", True)
                    return "utf-8"
        except UnicodeDecodeError:
            pass
    return decode(content(path), str(path), options.encoding).encoding


def _last_record(utf8: bytes, head: Head) -> int:
    """Number of bytes up to the end of the last record that is surely whole, and not followed by
    empty lines: these are rows only if another row follows."""
    quote = head.dialect.quote
    if quote == NO_QUOTE or quote.encode() not in utf8:
        end = utf8.rfind(b"\n") + 1
    else:
        end = _end_of_records(utf8, head)
    body = utf8[:end].rstrip(b"\r\n")
    line = utf8.find(b"\n", len(body), end)
    return line + 1 if body else 0


def _end_of_records(utf8: bytes, head: Head) -> int:
    """The same where quotes may hold line ends, which only a reader of the dialect tells."""
    whole = utf8[: utf8.rfind(b"\n") + 1].decode("utf-8")
    lines = list(io.StringIO(whole, newline=""))
    reader = rows_of(lines, head.dialect)
    before = last = 0
    for _ in reader:
        before, last = last, reader.line_num
    return len("".join(lines[:before]).encode())
