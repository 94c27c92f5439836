"""The Optuna storage of a study: a journal in its folder, or a database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from netwise.storage.locks import HeldLock, acquire_lock

JOURNAL = "journal.log"
TAIL_BYTES = 1 << 20  # of a journal, more than its longest line


class JournalLock:
    """The lock around each access to Optuna's journal.

    The operating system releases it when the process ends. A line that a killed process left
    without its end is removed, so that the next line does not continue it.
    """

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self._held: HeldLock | None = None

    def acquire(self) -> bool:
        held = acquire_lock(Path(f"{self.journal}.lock"))
        self._held = held
        remove_partial_line(self.journal)
        return True

    def release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.release()


def remove_partial_line(path: Path) -> None:
    """Truncate the file behind its last line end."""
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return
        start = max(0, size - TAIL_BYTES)
        file.seek(start)
        file.truncate(start + file.read().rfind(b"\n") + 1)


def open_storage(folder: Path, url: str | None) -> Any:
    """Optuna's storage: the database at `url`, or with None the journal in the study's folder."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url is not None:
        from sqlalchemy.pool import NullPool

        # Without a pool a worker that ends leaves no connection open.
        return optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": NullPool})
    journal = folder / JOURNAL
    return optuna.storages.JournalStorage(
        JournalFileBackend(str(journal), lock_obj=JournalLock(journal))  # type: ignore[arg-type]
    )
