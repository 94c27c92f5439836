"""The Optuna storage of a study: a journal in its folder, or a database."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

from netwise.errors import NetwiseError
from netwise.regular_files import open_regular
from netwise.schema import Count, SchemaError, damaged, parse_json, typed
from netwise.storage.locks import HeldLock, acquire_lock

JOURNAL = "journal.log"
OTHERWISE = "start another search; the runs of its trials can be read: netwise runs --runs trials"
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
    with reading_journal(journal):
        deque(_records(journal), maxlen=0)  # reads and checks all
        return optuna.storages.JournalStorage(
            JournalFileBackend(str(journal), lock_obj=JournalLock(journal))  # type: ignore[arg-type]
        )


def read_storage(folder: Path, url: str | None) -> Any:
    """The same for reading alone: the journal is copied into memory, and its file, which may be on
    a disk without permission to write, stays as it is."""
    if url is not None:
        return open_storage(folder, url)
    from optuna.storages import JournalStorage
    from optuna.storages.journal import BaseJournalBackend

    class JournalCopy(BaseJournalBackend):
        """Records in memory; those that Optuna adds stay there."""

        def __init__(self, records: list[dict[str, Any]]) -> None:
            self.records = records

        def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
            return self.records[log_number_from:]

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            self.records += logs

    journal = folder / JOURNAL
    with reading_journal(journal):
        return JournalStorage(JournalCopy(list(_records(journal))))


# What code raises that gets values of other types than it was written for.
_UNEXPECTED = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class _Record(TypedDict):
    """A line of Optuna's journal."""

    op_code: Count
    worker_id: str


def _records(journal: Path) -> Iterator[dict[str, Any]]:
    """The complete lines of the journal, each checked to be a record, since Optuna checks
    nothing."""
    if not journal.exists():
        return
    with open_regular(journal) as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                try:
                    record = parse_json(line)
                    typed(_Record, record)
                except SchemaError as error:
                    place = f"line {number}: {error.field}" if error.field else f"line {number}"
                    raise SchemaError(place, error.reason, error.given) from None
                yield record


@contextmanager
def reading_journal(journal: Path) -> Iterator[None]:
    """Inside, what Optuna raises at values that it does not expect is the error of a damaged file.

    Raises:
        RunFolderError: the journal is damaged.
    """
    try:
        yield
    except SchemaError as error:
        raise damaged(journal, error, OTHERWISE) from None
    except (OSError, NetwiseError):
        raise
    except _UNEXPECTED as error:
        reason = f"Optuna cannot read it ({type(error).__name__}: {str(error)[:200]})"
        raise damaged(journal, reason, OTHERWISE) from None
