"""Tables written block by block, in memory that does not grow with them."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from netwise.atomic import new_file_in_pieces
from netwise.errors import DataError

if TYPE_CHECKING:
    import polars as pl

SEPARATORS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".arrow", ".feather", *JSON_LINES)


def ending_of(path: Path) -> str:
    """The ending of a file that a table is written to.

    Raises:
        DataError: it is none of `ENDINGS`.

    >>> ending_of(Path("answers.2024.csv.gz"))
    '.csv.gz'
    """
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if path.name.lower().endswith(ending):
            return ending
    raise DataError(
        f"{path}: its name has to end in {', '.join(ENDINGS)}. Write {path.with_suffix('.csv')}."
    )


def write_blocks(blocks: Iterator[pl.DataFrame], path: Path) -> int:
    """Write blocks of rows as one new file, in the format that its ending names: CSV, tab-separated
    text, Parquet, Arrow or JSON lines. The file appears when it is whole.

    Args:
        blocks: of equal columns, one at least.
        path: of the file.

    Returns:
        The number of rows.

    Raises:
        DataError: there is no such ending.
        FileAccessError: the file exists, or cannot be written.
    """
    ending = ending_of(path)
    with new_file_in_pieces(path) as file:
        if ending in (".parquet", ".arrow", ".feather"):
            return _sink(blocks, file, ending)
        if not ending.endswith(".gz"):
            return write_text_blocks(blocks, file.write, ending)
        with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
            return write_text_blocks(blocks, packed.write, ending.removesuffix(".gz"))


def write_text_blocks(
    blocks: Iterator[pl.DataFrame], write: Callable[[bytes], Any], ending: str = ".csv"
) -> int:
    """Give blocks of rows as text to `write`, one after the other; see `write_blocks`."""
    rows = 0
    for number, block in enumerate(blocks):
        text = io.BytesIO()
        if ending in JSON_LINES:
            block.write_ndjson(text)
        else:
            block.write_csv(text, include_header=not number, separator=SEPARATORS[ending])
        write(text.getvalue())
        rows += block.height
    return rows


def _sink(blocks: Iterator[pl.DataFrame], file: IO[bytes], ending: str) -> int:
    from polars.io.plugins import register_io_source  # heavy

    first = next(blocks)
    rows, failed = 0, []

    def source(*_: Any) -> Iterator[pl.DataFrame]:
        nonlocal rows
        try:
            for block in chain([first], blocks):
                rows += block.height
                yield block
        except BaseException as error:  # polars would replace it by one of its own
            failed.append(error)
            raise

    frame = register_io_source(source, schema=first.schema)
    sink: Callable[[IO[bytes]], Any] = (
        frame.sink_parquet if ending == ".parquet" else frame.sink_ipc
    )
    try:
        sink(file)
    except BaseException:
        if failed:
            raise failed[0] from None
        raise
    return rows
