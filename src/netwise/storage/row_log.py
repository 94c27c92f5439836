"""The file of rows of a run, to which rows are only added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from netwise.atomic import append_to_file, write_atomically
from netwise.file_errors import file_errors
from netwise.storage.layout import strict_json
from netwise.storage.seals import RowsSeal


class RowLog:
    """Adds rows to the history of a run, and knows the checksum of all rows in it.

    Args:
        path: of the file.
        raw: all that it has, complete lines.
    """

    def __init__(self, path: Path, raw: bytes = b"") -> None:
        self.path, self.count, self._size = path, 0, 0
        self._digest = hashlib.sha256()
        self._add(raw)

    @staticmethod
    def write(path: Path, raw: bytes) -> RowLog:
        """Replace the file by one of these complete lines."""
        write_atomically(path, raw)
        return RowLog(path, raw)

    @property
    def seal(self) -> RowsSeal:
        """Of all rows so far."""
        return RowsSeal(self.count, self._size, self._digest.hexdigest())

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows. They are on disk when this returns, before anything that counts on them.

        Raises:
            FileAccessError: they cannot be written.
        """
        raw = b"".join(map(line_of, rows))
        if raw:
            append_to_file(self.path, raw, sync=True)
            self._add(raw)

    def _add(self, raw: bytes) -> None:
        self.count += raw.count(b"\n")
        self._size += len(raw)
        self._digest.update(raw)


def line_of(row: Mapping[str, Any]) -> bytes:
    """A row as a line of the file."""
    return json.dumps(strict_json(row)).encode() + b"\n"


def written_rows(path: Path) -> bytes:
    """The complete lines of a file of rows; what follows the last line end is a row that was not
    written to its end. An absent file has none.

    Raises:
        FileAccessError: it cannot be read.
    """
    with file_errors(path):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return b""
    return raw[: raw.rfind(b"\n") + 1]


def first_rows(raw: bytes, count: int) -> bytes:
    """The first lines of a file of rows, or all where there are fewer."""
    end = 0
    for _ in range(count):
        end = raw.find(b"\n", end) + 1
        if not end:
            return raw
    return raw[:end]
