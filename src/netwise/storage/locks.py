"""File locks between processes. The operating system releases a lock when its process ends,
however it ends, so a crash never leaves a stale lock.

The `filelock` library uses `flock` on Unix and `LockFileEx` on Windows. It neither truncates an
existing lock file nor follows a symbolic link. Lock files stay in place after release: deleting
one would let two processes hold locks of the same name.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from netwise.file_errors import file_errors
from netwise.regular_files import open_regular

READER_SECONDS = 0.2
POLL_SECONDS = 0.005  # between two attempts; the journal of a search is locked for about 1 ms


class HeldLock:
    """A lock that this process holds until `release` or the end of a `with` block.

    Another thread than the one that acquired it may release it.
    """

    def __init__(self, lock: FileLock) -> None:
        self._lock = lock

    def release(self) -> None:
        """Release the lock; a second call has no effect."""
        self._lock.release()

    def __enter__(self) -> HeldLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def acquire_lock(path: Path) -> HeldLock:
    """Wait until no other holder has the lock file at `path`, and hold it.

    Raises:
        FileAccessError: the file cannot be opened, is a symbolic link, or its file system has no
            locks.
    """
    lock = _file_lock(path)
    with file_errors(path, "locked"):
        lock.acquire(poll_interval=POLL_SECONDS)
    return HeldLock(lock)


def try_lock(path: Path, seconds: float = READER_SECONDS) -> HeldLock | None:
    """Hold the lock file at `path`, or return None where it is still held after some seconds, by
    another process or by this one. The default is more than `is_locked` holds it.

    Raises:
        FileAccessError: as for `acquire_lock`.
    """
    lock = _file_lock(path)
    with file_errors(path, "locked"):
        try:
            lock.acquire(timeout=seconds, poll_interval=POLL_SECONDS)
        except Timeout:
            return None
    return HeldLock(lock)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock file at `path`. Nothing is written: reading a run needs no
    permission to write.

    Raises:
        FileAccessError: the file cannot be opened.
        FileRefused: it is no regular file, or a symbolic link.
    """
    if os.name == "nt":
        held = try_lock(path, 0) if path.exists() else None
        if held is not None:
            held.release()
        return path.exists() and held is None
    import fcntl  # on Unix alone

    with file_errors(path, "read"):
        try:
            file = open_regular(path, inside=path.parent)
        except FileNotFoundError:
            return False
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False


def _file_lock(path: Path) -> FileLock:
    # No fallback to a lock that only exists as a file: nothing would release it after a crash.
    return FileLock(path, thread_local=False, fallback_to_soft=False)
