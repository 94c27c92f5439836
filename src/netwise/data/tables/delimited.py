"""Cells of texts with separators: CSV and its relatives."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netwise.data.tables.dialects import (
    BLANKS,
    NO_QUOTE,
    SAMPLE_CHARACTERS,
    Dialect,
    find_dialect,
    looks_like_value,
    rows_of,
)
from netwise.data.tables.options import ReadOptions
from netwise.errors import DataError, short_repr

if TYPE_CHECKING:
    import polars as pl

MOST_FOOTER = 20  # lines below the last row
PREAMBLE = 20  # lines above the header that may be something else
# Lines of tables that are drawn in text: ------, +---+---+, (60 rows).
_RULER = re.compile(r"[-=+|: ]*[-=]{3}[-=+|: ]*|\(\d+ \w+\)")
CELL_LIMIT = 2**27  # characters of one cell, for Python's reader


@dataclass(frozen=True)
class Head:
    """The beginning of a text of cells.

    Args:
        names: of the columns.
        dialect: how cells are set apart.
        start: number of bytes before the first row below the header.
        lines: number of lines before that row.
        notes: what was found, as sentences.
    """

    names: tuple[str, ...]
    dialect: Dialect
    start: int
    lines: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Record:
    cells: list[str]
    begin: int  # number of lines before it
    end: int  # number of lines up to its last one


def find_head(utf8: bytes, path: str, options: ReadOptions, wanted: Sequence[str] = ()) -> Head:
    """The dialect and the names of the columns.

    Args:
        utf8: the text, or its beginning.
        path: of the file, for messages.
        options: with names, separator and quote where they are given.
        wanted: names of columns that a header has.
    """
    lines = _first_lines(utf8)
    declared = re.fullmatch(r"(?i)sep=(.)\s*", lines[0]) if lines and not options.sep else None
    begin = 1 if declared else 0
    lines = lines[begin:]
    sep = declared[1] if declared else options.sep
    dialect, why = find_dialect(lines, sep, options.quote)
    if declared:
        why = "its first line says so"
    records = _records(lines, dialect)
    if not records:
        raise _no_rows(path)
    width = len(options.columns) or _usual_width(records)
    notes = []
    if dialect.sep != "," and width > 1:
        notes.append(f"The cells have {dialect.sep_name} between them: {why}.")
    if dialect.quote not in ('"', NO_QUOTE):
        notes.append(f"Cells have {dialect.quote} around them.")
    above = _rows_above(records, width, bool(options.columns))
    if above:
        notes.append(f"Lines above the header that are left out: {records[above].begin}.")
    first, rest = records[above], records[above + 1 :]
    names, start = _header_names(first.cells), first.end
    if options.columns:
        names, start = list(options.columns), first.begin
    elif not set(wanted) & set(names) and _is_data(first.cells, rest):
        names, start = [f"column{i + 1}" for i in range(width)], first.begin
        notes.append(
            "The first line holds values and no names, so the columns are column1 to "
            f"column{width}: pass columns=(...) to name them."
        )
    names, more = _repaired_names(names, width, rest)
    above_them = [*_first_lines(utf8)[:begin], *lines[:start]]
    size = sum(len(line.encode()) for line in above_them)
    return Head(tuple(names), dialect, size, begin + start, (*notes, *more))


def text_frame(utf8: bytes, head: Head, path: str) -> pl.DataFrame:
    """All cells below the header as text; a row for each line that is not empty.

    Raises:
        DataError: a row has more or fewer cells than the header, with its line.
    """
    import polars as pl  # heavy

    width, end = len(head.names), len(utf8)
    while width > 1 and end > head.start and utf8[end - 1] in b"\r\n":
        end -= 1
    body = utf8[head.start : end]
    if not body:
        return pl.DataFrame(
            {name: [] for name in head.names}, schema=dict.fromkeys(head.names, pl.String)
        )
    if head.dialect.plain:
        frame = _fast(body, head)
        if frame is not None and _accounts(frame, body, head.dialect.sep):
            return frame
    return _careful(body, head, path)


def _fast(body: bytes, head: Head) -> pl.DataFrame | None:
    """The cells by polars; None where it refuses the text."""
    import polars as pl  # heavy

    quote = None if head.dialect.quote == NO_QUOTE else head.dialect.quote
    try:
        frame = pl.read_csv(
            body,
            has_header=False,
            separator=head.dialect.sep,
            quote_char=quote,
            schema={f"{i}": pl.String for i in range(len(head.names))},
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError:
        return None
    frame.columns = list(head.names)
    return frame.with_columns(pl.all().fill_null(""))


def _accounts(frame: pl.DataFrame, body: bytes, sep: str) -> bool:
    """Whether all separators of the text are between two cells of the frame, or inside of one: so
    that no row has more or fewer cells than columns."""
    import polars as pl  # heavy

    between = frame.height * (frame.width - 1)
    total = body.count(sep.encode())
    if total == between:
        return True
    inside = frame.select(pl.all().str.count_matches(re.escape(sep)).sum()).sum_horizontal()[0]
    return bool(total == between + inside)


def _careful(body: bytes, head: Head, path: str) -> pl.DataFrame:
    """The cells by Python's reader, which names the line of a wrong row."""
    import polars as pl  # heavy

    width = len(head.names)
    columns: list[list[str]] = [[] for _ in head.names]
    lines = list(_lines(body.decode("utf-8")))
    csv.field_size_limit(CELL_LIMIT)
    reader = rows_of(lines, head.dialect)
    try:
        for row in reader:
            if not row:
                row = [""] * width
            elif len(row) == width + 1 and head.dialect.sep == BLANKS and not row[-1]:
                row.pop()
            if len(row) != width and _is_remark(row):
                continue
            if len(row) != width:
                raise DataError(
                    f"{path}, line {reader.line_num + head.lines}: {len(row)} cells where the "
                    f"header has {width}. Write one cell for each column, with quotes around text "
                    "that holds a separator"
                )
            for column, cell in zip(columns, row, strict=True):
                column.append(cell)
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num + head.lines} is no line of a CSV file ({error}): "
            "repair it"
        ) from None
    return pl.DataFrame(
        dict(zip(head.names, columns, strict=True)), schema=dict.fromkeys(head.names, pl.String)
    )


def _is_remark(row: Sequence[str]) -> bool:
    """Whether a line between the rows, which has another number of cells, is no row: a comment, or
    a ruler such as ------ or +----+."""
    return row[0].lstrip().startswith("#") or bool(len(row) == 1 and _RULER.fullmatch(row[0]))


def without_footer(utf8: bytes, head: Head) -> tuple[bytes, int]:
    """The text without sentences below its last row, such as a source, and their number: lines of
    several words without a separator or quote, in a table of at least three columns."""
    if len(head.names) < 3 or head.dialect.sep in (BLANKS, " "):
        return utf8, 0
    end, count = len(utf8.rstrip()), 0
    while count < MOST_FOOTER:
        start = max(head.start, utf8.rfind(b"\n", 0, end) + 1)
        line = utf8[start:end].decode("utf-8", "replace").strip()
        signs = (head.dialect.sep, head.dialect.quote)
        if len(line.split()) < 2 or any(sign in line for sign in signs) or start <= head.start:
            break
        end, count = len(utf8[:start].rstrip()), count + 1
    return (utf8[:end] + b"\n", count) if count else (utf8, 0)


def remarks_left_out(utf8: bytes, head: Head, frame: pl.DataFrame) -> int:
    """Number of comments that `text_frame` left out; rows that begin with # are none."""
    body = utf8[head.start :]
    found = body.count(b"\n#") + body.startswith(b"#")
    if not found or not frame.height:
        return 0
    return 0 if frame[:, 0].str.starts_with("#").any() else found


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, which are those of a file: not the other characters at which
    `str.splitlines` cuts."""
    return iter(io.StringIO(text, newline=""))


def _first_lines(utf8: bytes) -> list[str]:
    sample = utf8[: 4 * SAMPLE_CHARACTERS].decode("utf-8", "ignore")[:SAMPLE_CHARACTERS]
    lines = list(_lines(sample))
    if len(lines) > 1 and len(utf8) > len(sample.encode()):
        lines.pop()  # cut off inside
    return lines


def _records(lines: Sequence[str], dialect: Dialect) -> list[_Record]:
    reader = rows_of(lines, dialect)
    records, begin = [], 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append(_Record(cells, begin, reader.line_num))
            begin = reader.line_num
    except csv.Error:
        pass  # reported with its line where the whole text is read
    return records


def _usual_width(records: Sequence[_Record]) -> int:
    counts = Counter(len(record.cells) for record in records)
    return max(counts, key=lambda width: (counts[width], width))


def _rows_above(records: Sequence[_Record], width: int, named: bool) -> int:
    """Number of records above the header: titles and remarks.

    Args:
        records: the first ones of the file.
        width: the usual number of cells of a record.
        named: the names of the columns are given, so that there is no header.
    """
    held = [sum(map(_is_held, record.cells)) for record in records]
    most = max(held)
    full = next((i for i, number in enumerate(held) if number == width), 0)
    if not named and _names_columns(records, full):
        for i in range(full):  # a header with gaps is above values, a title above a header
            if len(records[i].cells) == width and _names_columns(records, i):
                return i
        return full if full < PREAMBLE else 0
    for i, record in enumerate(records[:PREAMBLE]):
        cells, after = record.cells, records[i + 1 : i + 2]
        remark = cells[0].lstrip().startswith(("#", "%", "//", "|")) and len(cells) != width
        remark = remark or bool(_RULER.fullmatch("".join(cells)))
        title = held[i] <= min(width, most) - 2 and not (named and len(cells) == width)
        title = title and (named or not _names_columns(records, i))
        apart = held[i] == 1 < width and len(cells) == 1 and after and after[0].begin > record.end
        if not (width > 1 and after and (remark or title or apart)):
            return i
    return 0


def _names_columns(records: Sequence[_Record], place: int) -> bool:
    """Whether a record has a name above a column of values, so that it is the header."""
    rest = records[place + 1 :]
    return bool(rest) and _has_name(records[place].cells, rest)


def _has_name(first: Sequence[str], rest: Sequence[_Record]) -> bool:
    return any(_is_name(cell, _values_below(i, rest)) for i, cell in enumerate(first))


def _values_below(place: int, rest: Sequence[_Record]) -> list[bool]:
    """Which cells of a column, without the empty ones, are numbers or dates."""
    below = (record.cells[place].strip() for record in rest if place < len(record.cells))
    return [looks_like_value(text) for text in below if text]


def _is_name(cell: str, values: Sequence[bool]) -> bool:
    """Whether a cell is a word above values."""
    held = bool(values) and sum(values) > 0.9 * len(values)
    return held and bool(cell.strip()) and not looks_like_value(cell.strip())


def _is_held(cell: str) -> bool:
    return bool(cell.strip())


def _header_names(cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if names[0] in ("#", "%", "//"):
        return names[1:]
    names[0] = re.sub(r"^#\s*(?=\S)", "", names[0])
    return names


def _is_data(first: Sequence[str], rest: Sequence[_Record]) -> bool:
    """Whether the first record has values, as the others have, and no names."""
    if not rest:
        return False
    if _has_name(first, rest):
        return False
    values = 0
    for i, cell in enumerate(first):
        column = _values_below(i, rest)
        values += looks_like_value(cell.strip()) and bool(sum(column) > 0.9 * len(column) > 0)
    years = all(
        re.fullmatch(r"(1[89]|20)\d\d", cell.strip())
        for cell in first
        if looks_like_value(cell.strip())
    )
    return values > 0 and not years


def _repaired_names(
    names: list[str], width: int, rest: Sequence[_Record]
) -> tuple[list[str], list[str]]:
    """Names without repetition, one for each cell of a row."""
    notes = []
    if len(names) == width - 1 and rest and all(len(r.cells) == width for r in rest):
        if all(not record.cells[-1].strip() for record in rest):
            names = [*names, ""]
        else:
            names = ["", *names]
            notes.append(
                "The first column has no name, since the header has a cell less than the rows."
            )
    taken: set[str] = set()
    for i, name in enumerate(names):
        new = name or f"column{i + 1}"
        number = 2
        while new in taken or (new != name and new in names):
            new = f"{name or f'column{i + 1}'}_{number}"
            number += 1
        if new != name and name:
            notes.append(
                f"Two columns have the name {short_repr(name)}: the second is {short_repr(new)}."
            )
        elif new != name:
            notes.append(f"Column {i + 1} has no name: it is {short_repr(new)}.")
        taken.add(new)
        names[i] = new
    return names, notes


def _no_rows(path: str) -> DataError:
    return DataError(
        f"{path} has no rows below its header: add some, or pass columns=(...) if its first "
        "line is no header"
    )
