"""Files that netwise reads are regular files of bounded size, and those of a folder lie in it.

A folder may come from a stranger. A link in it could lead to any file of the reader, a named pipe
blocks whoever opens it, and a device such as /dev/zero has no end. All of them are refused here,
with their path and the reason, before anything is read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from netwise.errors import FileRefused

# What `stat` says about files that are neither regular files nor folders.
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
# A pipe that appears between the check and the opening does not block.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path, *, inside: Path | None = None, at_most: int | None = None) -> BinaryIO:
    """A regular file, opened for reading.

    Args:
        path: of the file.
        inside: folder that the file has to lie in, after all links are followed. Default: links
            may lead anywhere, as for a file that the user named.
        at_most: largest size in bytes. Default: no limit.

    Raises:
        FileRefused: a device, pipe or socket, a link that leaves `inside`, or a larger file.
        OSError: the file is absent, a folder, or cannot be opened.

    Example:
        >>> from netwise.regular_files import open_regular
        >>> open_regular(Path(os.devnull))
        Traceback (most recent call last):
        ...
        netwise.errors.FileRefused: /dev/null is a device, and netwise reads regular files only. ...
    """
    _require_regular(path, path.stat())
    if inside is not None:
        require_inside(path, inside)
    file = os.fdopen(os.open(path, _FLAGS), "rb")
    try:
        found = os.fstat(file.fileno())
        _require_regular(path, found)
        if at_most is not None and found.st_size > at_most:
            raise _too_large(path, found.st_size, at_most)
    except BaseException:
        file.close()
        raise
    return file


def read_regular(path: Path, at_most: int, *, inside: Path | None = None) -> bytes:
    """The bytes of a regular file; see `open_regular`.

    Raises:
        FileRefused: as for `open_regular`, also where the file grows beyond `at_most` meanwhile.
        OSError: as for `open_regular`.
    """
    with open_regular(path, inside=inside, at_most=at_most) as file:
        raw = file.read(at_most + 1)
    if len(raw) > at_most:
        raise _too_large(path, len(raw), at_most)
    return raw


def require_contained(folder: Path) -> None:
    """Refuse a folder in which anything is a device, pipe or socket, or a link that leaves it.

    Whoever then reads, writes or deletes below the folder does so in this folder alone. The folder
    itself may be a link.

    Raises:
        FileRefused: with the path of the first such entry, or of a folder that cannot be listed.
    """
    for entry in _entries(folder):
        path = Path(entry.path)
        if entry.is_symlink():
            require_inside(path, folder)
        if not entry.is_dir():
            with suppress(FileNotFoundError):  # a link to nothing; deleted by its writer meanwhile
                _require_regular(path, entry.stat())


def require_inside(path: Path, folder: Path) -> None:
    """Refuse a path that links lead out of the folder, whether or not a file is there.

    Raises:
        FileRefused: with the path and where it leads.
    """
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # links in a circle; RuntimeError before Python 3.13
        raise _refused(path, "is a link to itself", "Delete the link") from None
    if not target.is_relative_to(folder.resolve()):
        raise _refused(
            path,
            f"leads out of its folder {folder}, to {target}",
            "A folder of someone else could reach your files in this way: if the folder is yours, "
            "put the file itself in the place of the link",
        )


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """All entries below a folder; links are entries, and are not followed."""
    folders = [os.fspath(folder)]
    while folders:
        parent = folders.pop()
        try:
            with os.scandir(parent) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except FileNotFoundError:  # its writer deleted it meanwhile, such as an old checkpoint
            continue
        except OSError as error:
            reason = f"cannot be listed: {error.strerror}"
            raise _refused(Path(parent), reason, f"Allow it: chmod u+rx '{parent}'") from None
        yield from entries
        folders += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]


def _require_regular(path: Path, found: os.stat_result) -> None:
    """Refuse what `stat` found, unless it is a regular file."""
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    for is_kind, name in _KINDS:
        if is_kind(found.st_mode):
            raise _refused(
                path,
                f"is {name}, and netwise reads regular files only",
                "Write what it gives into a file, and use that file",
            )


def _too_large(path: Path, size: int, at_most: int) -> FileRefused:
    return _refused(
        path,
        f"has {size:,} bytes, and such a file has at most {at_most:,}",
        "Check that it is the right file",
    )


def _refused(path: Path, reason: str, instead: str) -> FileRefused:
    error = FileRefused(f"{path} {reason}. {instead}.")
    error.strerror = reason  # what handlers of an OSError show
    return error
