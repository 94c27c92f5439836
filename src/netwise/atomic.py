"""All writes of files. A reader sees the old content or the new one, never a part of it, also
after a write that failed or a process that was killed.

No other module of the package writes, renames, creates or deletes files; `tests/edges` checks it,
and lets each of the calls below fail in turn.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from netwise.file_errors import file_errors


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """Write `content` to a temporary file in the same folder, flush it, and rename it to `path`.

    Strings are encoded as UTF-8; what is no character, such as a byte of a file name that is no
    UTF-8, becomes an escape.

    Raises:
        FileAccessError: it cannot be written. What was at `path` is unchanged.
    """
    path = Path(path)
    with file_errors(path, "written"):
        _require_replaceable(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_temporary_prefix(path))
        try:
            _write_and_close(handle, _as_bytes(content))
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            _discard(name)
            raise
        sync_folder(path.parent)


def write_new_file(path: str | Path, content: str | bytes) -> None:
    """Write a file that must not exist yet.

    Raises:
        FileAccessError: it exists, or it cannot be written; no part of it is left then.
    """
    path = Path(path)
    with file_errors(path, "written"):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o644)
        try:
            _write_and_close(handle, _as_bytes(content))
        except BaseException:
            _discard(path)
            raise


@contextmanager
def new_file_in_pieces(path: str | Path) -> Iterator[BinaryIO]:
    """A file that must not exist yet, to be written piece by piece. It is at `path` once all of it
    is written; after an error nothing is.

    Raises:
        FileAccessError: it exists, or it cannot be written.
    """
    path = Path(path)
    with file_errors(path, "written"):
        if path.exists() or path.is_symlink():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_temporary_prefix(path))
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            try:
                os.link(name, path)  # unlike a rename, it replaces nothing
            except FileExistsError:
                raise
            except OSError:  # a file system without links
                Path(name).rename(path)
            else:
                Path(name).unlink()
        except BaseException:
            _discard(name)
            raise
        sync_folder(path.parent)


def append_to_file(path: Path, content: str | bytes, *, sync: bool = False) -> None:
    """Add `content` to the end of a file, which is created where there is none.

    Args:
        path: of the file.
        content: complete lines. Where they cannot be written whole, the part is removed again,
            so that the next line does not continue it.
        sync: flush to disk, so that the content survives a power failure.

    Raises:
        FileAccessError: it cannot be written.
    """
    with file_errors(path, "written"):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY, 0o644)
        try:
            size = os.fstat(handle).st_size
            try:
                _write_all(handle, _as_bytes(content))
                if sync:
                    os.fsync(handle)
            except BaseException:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)


def write_folder_atomically(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder with these files: all of them, or none.

    They are written to a hidden folder beside `path`, which is flushed and then renamed. The next
    call deletes a hidden folder that a killed process left: see `delete_drafts`.

    Raises:
        FileAccessError: it cannot be written, or `path` exists.
    """
    with file_errors(path, "written"):
        draft = Path(tempfile.mkdtemp(dir=path.parent, prefix=DRAFT_PREFIX))
        try:
            for name, content in files.items():
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
                _write_and_close(os.open(draft / name, flags, 0o644), content)
            sync_folder(draft)
            os.replace(draft, path)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        sync_folder(path.parent)


def make_sized_file(path: Path, size: int) -> None:
    """Make a new file of `size` bytes, all 0, whose place on the disk is reserved, for a caller
    that maps it into memory.

    Raises:
        FileAccessError: it exists, or the disk has no room for it; no part of it is left then.
    """
    with file_errors(path, "written"):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, size)
            else:
                os.ftruncate(handle, size)
        except BaseException:
            _discard(path)
            raise
        finally:
            os.close(handle)


def replace_file(draft: Path, path: Path) -> None:
    """Give a file that is complete its name; what was at `path` is replaced.

    Raises:
        FileAccessError: it cannot be renamed.
    """
    with file_errors(path, "written"):
        os.replace(draft, path)


def write_scratch(path: Path, text: str) -> None:
    """Write a file for other processes of one command, such as how far this one is: it is not
    flushed, and an error is ignored, because no result depends on it."""
    with suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_all(handle, _as_bytes(text))
        finally:
            os.close(handle)


def link_file(known: Path, path: Path) -> bool:
    """Give a file a second name, a hard link; false where that is not possible, such as on another
    file system or where `path` exists."""
    try:
        os.link(known, path)
    except OSError:
        return False
    return True


def make_folder(path: Path) -> None:
    """Create a folder with the folders above it; an existing one stays as it is.

    Raises:
        FileAccessError: it cannot be created.
    """
    with file_errors(path, "created"):
        path.mkdir(parents=True, exist_ok=True)


def make_new_folder(path: Path) -> bool:
    """Create a folder in an existing one; false where `path` exists.

    Raises:
        FileAccessError: it cannot be created.
    """
    with file_errors(path, "created"):
        try:
            path.mkdir()
        except FileExistsError:
            return False
    return True


def delete_file(path: Path) -> None:
    """Delete a file; nothing happens where there is none.

    Raises:
        FileAccessError: it cannot be deleted.
    """
    with file_errors(path, "deleted"):
        path.unlink(missing_ok=True)


def delete_folder(path: Path) -> None:
    """Delete a folder that is not needed any more with all in it, as far as that is possible. A
    link is not followed."""
    shutil.rmtree(path, ignore_errors=True)


def delete_empty_folder(path: Path) -> None:
    """Delete a folder if there is nothing in it."""
    with suppress(OSError):
        path.rmdir()


def delete_drafts(home: Path) -> None:
    """Delete what killed calls of `write_folder_atomically` left in the folder `home`."""
    for draft in home.glob(f"{DRAFT_PREFIX}*"):
        delete_folder(draft)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename survives a power failure.

    Does nothing on Windows, which cannot open folders.
    """
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


DRAFT_PREFIX = ".draft-"
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would replace line ends


def _require_replaceable(path: Path) -> None:
    """Refuse to put a file in the place of a device or pipe, as a user with all rights could."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.ENXIO, "it is a device or a pipe")


def _temporary_prefix(path: Path) -> str:
    """Of the temporary file: short, so that each name that the system has can be written."""
    return f".{path.name[:40]}."


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content


def _write_all(handle: int, content: bytes) -> None:
    """Write all bytes; the system may take fewer at once."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _write_and_close(handle: int, content: bytes) -> None:
    """Write all bytes, flush them to disk, and close the file in any case."""
    try:
        _write_all(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)


def _discard(path: str | Path) -> None:
    """Delete a file while another error is handled, if the disk is not read-only."""
    with suppress(OSError):
        Path(path).unlink(missing_ok=True)
