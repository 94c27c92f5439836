"""The run folder of an observed program, written while the program trains."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netwise.errors import RunFolderError
from netwise.history import RUNNING, History, RunEnd, history_as_dict, history_rows
from netwise.storage.locks import HeldLock
from netwise.storage.run_folder import RunFolder
from netwise.storage.seals import ROWS_SEAL, RowsSeal

FLUSH_SECONDS = 2.0  # a program that is killed loses at most the rows of this time
FLUSH_ROWS = 50
ABOUT_SECONDS = 10.0  # `about.json` is written as a whole and synchronised, so less often


class RunFiles:
    """Writes one observed run to a new folder. No thread is started: rows are buffered, and written
    by the call that finds them old enough.

    The run's lock is held until `close`; the operating system releases it when the program is
    killed. In a process that was forked from the program all methods do nothing. After an error
    nothing more is written.

    Args:
        folder: of the run; it is created, and an existing one has to be empty.
        program: what goes into `program.json`, such as `program_facts` returns it.

    Raises:
        RunFolderError: the folder holds something, is written by another process, or cannot be
            written.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> from netwise.watching.run_files import RunFiles
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "train"
        >>> files = RunFiles(folder, {"name": "train.py", "model": "Net"})
        >>> files.append([{"step": 0, "loss": 2.3}, {"step": 1, "loss": 2.1}])
        >>> files.close(nw.History.from_rows([{"step": 0, "loss": 2.3}, {"step": 1, "loss": 2.1}]))
        >>> nw.load_history(folder).of("loss").values
        (2.3, 2.1)
    """

    def __init__(self, folder: Path, program: Mapping[str, Any]) -> None:
        self.path = Path(folder)
        self._process = os.getpid()
        self._rows: list[Mapping[str, Any]] = []
        self._flushed = time.monotonic()
        self._described = self._flushed  # when `about.json` was written
        self._has_layers = False
        self._lock: HeldLock | None = None
        self._is_open = True
        try:
            self._store, self._lock = RunFolder.create_for_program(self.path, program)
            self._write_about(History({}, ended=RunEnd(RUNNING, "Still running.", 0)))
        except OSError as error:
            raise self._failed(error) from error

    @property
    def about_is_due(self) -> bool:
        """Whether it is time for `write_about`: layers and facts are in no file yet, or what the
        file has is `ABOUT_SECONDS` old. Asking costs less than a microsecond."""
        if not self._is_open:
            return False
        age = time.monotonic() - self._described
        return age >= (ABOUT_SECONDS if self._has_layers else FLUSH_SECONDS)

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to the history; they are in the file after at most `FLUSH_ROWS` rows, or with
        the first call after `FLUSH_SECONDS`.

        Args:
            rows: as in `History.from_rows`.

        Raises:
            RunFolderError: the file cannot be written.
        """
        if not self._may_write():
            return
        self._rows.extend(rows)
        is_old = time.monotonic() - self._flushed >= FLUSH_SECONDS
        if len(self._rows) >= FLUSH_ROWS or (self._rows and is_old):
            self.flush()

    def flush(self) -> None:
        """Write the rows that are not in the file yet.

        Raises:
            RunFolderError: the file cannot be written.
        """
        if not self._may_write():
            return
        rows, self._rows = self._rows, []
        try:
            self._store.append(rows)
        except OSError as error:
            raise self._failed(error) from error
        self._flushed = time.monotonic()

    def write_about(self, history: History) -> None:
        """Write all of a history but its rows: layers, facts, wiring and end.

        Raises:
            RunFolderError: the file cannot be written.
        """
        if not self._may_write():
            return
        try:
            self._write_about(history)
        except OSError as error:
            raise self._failed(error) from error

    def close(self, history: History) -> None:
        """Write the complete history, so that the folder holds the rows of `history` and no others,
        and release the lock. A second call does nothing.

        Raises:
            RunFolderError: the files cannot be written.
        """
        if not self._may_write():
            return
        self._rows = []
        try:
            self._write_about(history, self._store.replace_rows(history_rows(history)))
        except OSError as error:
            raise self._failed(error) from error
        self._end()

    def _write_about(self, history: History, rows: RowsSeal | None = None) -> None:
        """Write about.json; with the checksum of the rows once they do not change any more."""
        seals = {} if rows is None else {ROWS_SEAL: asdict(rows)}
        self._store.write_about({**history_as_dict(history), "score": None, **seals})
        self._described = time.monotonic()
        self._has_layers = bool(history.layers)

    def _may_write(self) -> bool:
        return self._is_open and os.getpid() == self._process

    def _end(self) -> None:
        self._is_open = False
        if self._lock is not None:
            self._lock.release()

    def _failed(self, error: OSError) -> RunFolderError:
        """The error for the observer, after which nothing more is written."""
        self._end()
        reason = error.strerror or str(error)
        return RunFolderError(
            f"{self.path} cannot be written: {reason}. The program goes on and its run is no "
            "longer saved. Free space or rights there, or use another folder the next time: "
            "netwise watch --runs FOLDER, or nw.watch(folder=FOLDER)"
        )
