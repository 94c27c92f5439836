"""Keys for the content of files, computed without reading them: for caches of what was read."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from netwise.regular_files import open_regular

FileKey = tuple[str, int, int, int]


def files_key(paths: Iterable[Path]) -> tuple[FileKey, ...]:
    """A key that changes when one of the files is written, replaced, deleted or added.

    Each file enters by its absolute path, size in bytes, time of last change in nanoseconds and
    number on its file system; these three are -1 for a file that is absent. The number tells a
    file from its replacement where both were written within one tick of the clock.

    Example:
        >>> import pathlib, tempfile
        >>> from netwise.data.content import files_key
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "table.csv"
        >>> before = files_key([path])
        >>> _ = path.write_text("a,b")
        >>> files_key([path]) == before
        False
    """
    return tuple(_file_key(path) for path in paths)


def _file_key(path: Path) -> FileKey:
    name = str(path.absolute())
    try:
        status = path.stat()
    except (OSError, ValueError):
        return name, -1, -1, -1
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        open_regular(path).close()  # refuses it by its name
    return name, status.st_size, status.st_mtime_ns, status.st_ino
