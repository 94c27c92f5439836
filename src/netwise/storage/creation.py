"""New folders of runs: one of several processes that want the same folder gets it, and a folder
whose creation was cut off counts as empty."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from netwise.atomic import append_to_file, delete_file, make_folder, sync_folder
from netwise.errors import RunFolderError
from netwise.file_errors import file_errors
from netwise.storage.layout import DRAFT, LOCK, is_draft
from netwise.storage.locks import HeldLock, try_lock


def claim_folder(path: Path, instead: str) -> HeldLock:
    """Make a new or empty folder this process's own, until the lock is released.

    Whoever claims it writes its files, `recipe.toml` or `program.json` last, and calls
    `end_creation`. If it is killed before, the folder can be claimed again.

    Args:
        path: of the folder.
        instead: as in `require_new_folder`.

    Raises:
        RunFolderError: it is a file, holds something, or another process has claimed it.
        FileAccessError: it cannot be made.
    """
    require_new_folder(path, instead)
    make_folder(path)
    held = try_lock(path / LOCK)
    if held is None:
        raise RunFolderError(
            f"{path} is being written by another process, and two would overwrite each other's "
            "files. Use another folder for this one."
        )
    with release_on_error(held):
        require_new_folder(path, instead)  # another process may have filled it meanwhile
        append_to_file(path / DRAFT, "")
        # The entry of the folder is synced as well. The one above it may not be readable.
        with file_errors(path, "written"), suppress(PermissionError):
            sync_folder(path.absolute().parent)
    return held


@contextmanager
def release_on_error(held: HeldLock) -> Iterator[None]:
    """Inside, an error releases the lock."""
    try:
        yield
    except BaseException:
        held.release()
        raise


def end_creation(path: Path) -> None:
    """All files of a new folder are written."""
    delete_file(path / DRAFT)


def require_new_folder(path: Path, instead: str) -> None:
    """Check that nothing would be overwritten in a folder.

    Args:
        path: of the folder, which need not exist.
        instead: end of the sentence that says what else to do, besides using another folder.

    Raises:
        RunFolderError: `path` is a file, or a folder that holds something.
        FileAccessError: it cannot be read.
    """
    with file_errors(path):
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
            names = set(os.listdir(path)) - {LOCK} if is_folder else {path.name}
        except FileNotFoundError:
            return
    if names and not is_draft(path):
        raise RunFolderError(
            f"{path} exists already and holds something, and runs are never overwritten. "
            f"Use another folder{instead}"
        )
