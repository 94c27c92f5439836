"""Errors of the operating system, as errors that say which path, why, and what to do.

Code that reads or writes files does so inside `file_errors(path)`; the writes of the package are
in `netwise.atomic`, which does it for them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netwise.errors import FileAccessError, NetwiseError

_INSTRUCTIONS = {
    errno.ENOENT: "Check the path.",
    errno.ENOTDIR: "A part of this path is a file and no folder: use another path.",
    errno.EISDIR: "This is a folder: use the path of a file.",
    errno.EEXIST: "Use another name, or delete what is there.",
    errno.ENOTEMPTY: "Use another name, or delete what is there.",
    errno.ENAMETOOLONG: "Use a shorter name.",
    errno.ELOOP: "Links lead to each other here: use the path of the file itself.",
    errno.EACCES: "Change its permissions (chmod), or use another path.",
    errno.EPERM: "Change its permissions (chmod), or use another path.",
    errno.EROFS: "Use a folder on a disk that can be written.",
    errno.ENOSPC: "Free space on this disk, or use a folder on another one.",
    errno.EDQUOT: "Free space within your quota, or use a folder on another disk.",
    errno.EFBIG: "Raise the limit of file sizes (ulimit -f), or use another disk.",
    errno.EMFILE: "Raise the limit of open files: ulimit -n 4096",
    errno.ENFILE: "Close other programs: the system has too many open files.",
    errno.EIO: "Check the disk, and use a folder on another one.",
    errno.ENXIO: "This is a device or a pipe: use the path of a file.",
    errno.ENODEV: "This is a device: use the path of a file.",
}
_OTHERWISE = "Use another path."
# Errors of the machine: the path may be right, and another one on the same disk fails as well.
_MACHINE = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EMFILE", "ENFILE", "EIO", "ENOMEM", "ESTALE")
    if hasattr(errno, name)
}
WINDOWS_DISK_FULL = {39, 112}  # `OSError.winerror`


@contextmanager
def file_errors(path: str | Path, deed: str = "read") -> Iterator[None]:
    """Inside, errors of the operating system become a `FileAccessError` that names `path`.

    Args:
        path: what is read or written.
        deed: what cannot be done, as a participle: "read", "written", "deleted", "locked".

    Raises:
        FileAccessError: for an `OSError`, and for a path that no system has: one with a null
            character, or with characters that cannot be encoded.
    """
    try:
        yield
    except NetwiseError:
        raise
    except OSError as error:
        raise file_access_error(error, path, deed) from error
    except ValueError as error:
        reason = _why_no_path(path)
        if reason is None:
            raise
        raise FileAccessError(
            f"{shown_path(path)} cannot be {deed}: {reason}. {_OTHERWISE}", errno.EINVAL, path
        ) from error


def file_access_error(error: OSError, path: str | Path = "", deed: str = "read") -> FileAccessError:
    """The error with path, reason and instruction.

    Args:
        error: of the operating system.
        path: of the file. Default: the one that `error` names.
        deed: as in `file_errors`.
    """
    if isinstance(error, FileAccessError):
        return error
    named = path or (error.filename if isinstance(error.filename, str | bytes) else "")
    name = os.fsdecode(named)
    reason = error.strerror or str(error) or type(error).__name__
    instruction = _INSTRUCTIONS.get(error.errno or 0, _OTHERWISE)
    if error.errno == errno.ENOENT and deed == "written":
        instruction = "Create its folder first, or use another path."
    if getattr(error, "winerror", None) in WINDOWS_DISK_FULL:
        instruction = _INSTRUCTIONS[errno.ENOSPC]
    return FileAccessError(
        f"{shown_path(name) or 'a file'} cannot be {deed}: {reason}. {instruction}",
        error.errno,
        name,
        during_work=error.errno in _MACHINE,
    )


@contextmanager
def work_can_continue(instruction: str) -> Iterator[None]:
    """Inside, an error of a file ends work that was begun: the message says how to continue it,
    and the command line exits with another code than for a wrong path. Where such work is part of
    a larger one, the message says how to continue the larger one.

    Args:
        instruction: the end of the message, such as "then continue: netwise train --resume RUN".
    """
    try:
        yield
    except OSError as error:
        known = file_access_error(error, deed="written")
        raise FileAccessError(
            known.message, known.errno, known.filename, during_work=True, then=instruction
        ) from error


def shown_path(path: str | Path) -> str:
    """The path as messages show it: bytes that are no UTF-8, and control characters, as escapes."""
    text = os.fsdecode(path)
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _why_no_path(path: str | Path) -> str | None:
    """Why the operating system can have no such path; None where it can."""
    text = os.fspath(path)
    if "\0" in text:
        return "a path cannot have a null character"
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return "it has characters that no path of this system has"
    return None
