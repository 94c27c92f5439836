"""The list of runs, without torch: folders are read as plain TOML and JSON.

An SQLite file beside the runs saves reading unchanged folders again; it is rebuilt from the
folders whenever it is missing or damaged.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from netwise.atomic import delete_file
from netwise.errors import NetwiseError
from netwise.file_errors import file_access_error, file_errors
from netwise.history import RUNNING
from netwise.schema import read_json, typed
from netwise.storage.about_file import Outcome
from netwise.storage.layout import ABOUT, OUTCOME, PROGRAM, RECIPE, is_run, is_search
from netwise.storage.run_folder import RunFolder, program_title, read_plain_recipe, read_program

INDEX = "index.sqlite"
SEARCHED, SEARCHING = "searched", "searching"  # how a search ended

DAMAGED = "damaged"  # how a run or search ended whose files cannot be read


@dataclass(frozen=True)
class RunEntry:
    """One run, or one search, in the list of runs.

    Args:
        folder: its path.
        data, network: kinds, from its recipe; of a watched program its name, such as
            "program train.py", and the class of the trained module.
        ended: how it ended; of a search "searched" or "searching"; "damaged" where a file of it
            cannot be read.
        score: of the test part as text, "" where there is none.
        started: when, as ISO 8601 in UTC.
        metric, test_score: what the score measures, such as "accuracy", and its value, the
            higher the better; "" and None where there is none.
        reason: why it is damaged, and what to do; "" for all others.
    """

    folder: str
    data: str
    network: str
    ended: str
    score: str
    started: str
    metric: str = ""
    test_score: float | None = None
    reason: str = ""

    @property
    def is_search(self) -> bool:
        """It is a search, whose folder holds a run per trial."""
        if self.ended == DAMAGED:
            return is_search(Path(self.folder))
        return self.ended in (SEARCHED, SEARCHING)


_COLUMNS = tuple(field.name for field in fields(RunEntry))
_TABLE = f"CREATE TABLE IF NOT EXISTS entries (state, {', '.join(_COLUMNS)}, PRIMARY KEY (folder))"
_INSERT = f"INSERT OR REPLACE INTO entries VALUES (?, {', '.join('?' * len(_COLUMNS))})"


def list_runs(home: str | Path) -> list[RunEntry]:
    """All runs and searches in the folder `home`, the newest last. One whose files are damaged is
    listed with the reason.

    Raises:
        FileAccessError: `home` cannot be listed.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> home = pathlib.Path(tempfile.mkdtemp())
        >>> _ = nw.fit(nw.suggest(nw.data.iris(), epochs=2), folder=home / "flowers")
        >>> [(entry.data, entry.ended) for entry in nw.list_runs(home)]
        [('iris', 'finished')]
    """
    home = Path(home)
    with file_errors(home):
        if not home.is_dir():
            return []
    known = _read_index(home)
    states = {folder.name: _state(folder) for folder in _run_folders(home)}
    entries = {}
    for name, state in states.items():
        before, entry = known.get(name, ("", None))
        entries[name] = entry if entry and state == before else _read_entry(home / name)
    _write_index(home, known, {name: (states[name], entry) for name, entry in entries.items()})
    ordered = sorted(entries.items(), key=lambda item: (item[1].started, item[0]))
    return [replace(entry, folder=str(home / name)) for name, entry in ordered]


def _run_folders(home: Path) -> list[Path]:
    """The folders of runs and searches, and those that cannot be looked into."""
    try:
        with os.scandir(home) as found:
            folders = sorted(Path(entry.path) for entry in found if entry.is_dir())
    except OSError as error:
        raise file_access_error(error, home, "listed") from None
    return [folder for folder in folders if _may_be_run(folder)]


def _may_be_run(folder: Path) -> bool:
    try:
        return is_run(folder)
    except OSError:
        return True  # a folder without permission is listed as damaged


def _state(folder: Path) -> str:
    """When the files were written that an entry is read from; it is read again when one changes."""
    names = (PROGRAM, RECIPE, OUTCOME, ABOUT)
    try:
        states = {name: (folder / name).stat() for name in names if (folder / name).exists()}
    except OSError:
        return ""
    # The number of the file tells it from a replacement that was written at the same tick.
    return " ".join(f"{name} {at.st_mtime_ns} {at.st_ino}" for name, at in states.items())


# ---- the index


_Known = Mapping[str, tuple[str, RunEntry]]  # (state of the files, entry) by name of the folder


def _read_index(home: Path) -> _Known:
    """What the index holds; nothing where it is absent, damaged, or of another version."""
    if not _is_plain_file(home / INDEX):
        return {}
    url = f"{(home / INDEX).absolute().as_uri()}?mode=ro"
    names = ("state", *_COLUMNS)
    try:
        with closing(sqlite3.connect(url, uri=True)) as database:
            rows = database.execute(f"SELECT {', '.join(names)} FROM entries").fetchall()
        states = {row[1]: typed(str, row[0], "state") for row in rows}
        entries = [typed(RunEntry, dict(zip(_COLUMNS, row[1:], strict=True))) for row in rows]
    except (sqlite3.Error, ValueError):
        return {}
    return {entry.folder: (states[entry.folder], entry) for entry in entries}


def _is_plain_file(path: Path) -> bool:
    """The index of a stranger's folder may be a link to any file, or a pipe: it is not opened."""
    return path.is_file() and not path.is_symlink()


def _write_index(home: Path, before: _Known, now: _Known) -> None:
    """Bring the index up to date. Damaged and running runs are read again each time, since
    permissions and locks change without a trace; all are where the index cannot be written."""
    kept = {
        name: (state, entry)
        for name, (state, entry) in now.items()
        if entry.ended not in (DAMAGED, RUNNING) and name.isprintable()
    }
    path = home / INDEX
    if kept == before or (os.path.lexists(path) and not _is_plain_file(path)):
        return
    rows = [(state, name, *astuple(entry)[1:]) for name, (state, entry) in kept.items()]
    try:
        _write_rows(path, rows)
    except (sqlite3.DatabaseError, OSError):
        with suppress(sqlite3.Error, OSError):
            for stale in home.glob(f"{INDEX}*"):
                delete_file(stale)
            _write_rows(path, rows)


def _write_rows(path: Path, rows: Sequence[tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(_TABLE)
        database.execute("DELETE FROM entries")
        database.executemany(_INSERT, rows)


# ---- entries


def _read_entry(folder: Path) -> RunEntry:
    """The entry of a folder, from its files."""
    try:
        return _read_whole_entry(folder)
    except (NetwiseError, OSError) as error:
        known = error if isinstance(error, NetwiseError) else file_access_error(error, folder)
        return RunEntry(str(folder), "?", "?", DAMAGED, "", _started(folder), reason=str(known))


def _read_whole_entry(folder: Path) -> RunEntry:
    ended, score = _read_search(folder) if is_search(folder) else _read_run(folder)
    if (folder / PROGRAM).is_file():
        program = read_program(folder)
        data, network = program_title(program), str(program.get("model") or "?")
    else:
        recipe = read_plain_recipe(folder)
        data, network = _kind(recipe.get("data")), _kind(recipe.get("network"))
    return RunEntry(
        str(folder),
        data,
        network,
        ended,
        str(score.get("sentence", "")),
        _started(folder),
        str(score.get("name", "")),
        float(score["value"]) if score else None,
    )


def _started(folder: Path) -> str:
    """When the first file of a run was written, as ISO 8601; "" where that cannot be read."""
    for name in (PROGRAM, RECIPE):
        with suppress(OSError, ValueError, OverflowError):
            written = datetime.fromtimestamp((folder / name).stat().st_mtime, UTC)
            return written.isoformat(timespec="seconds")
    return ""


def _kind(part: Any) -> str:
    """The kind of a part in a recipe file: a table with its kind, or the kind alone."""
    kind = part.get("kind", "?") if isinstance(part, dict) else part
    return kind if isinstance(kind, str) else "?"


def _read_run(folder: Path) -> tuple[str, dict[str, Any]]:
    """(how a run ended, its score as plain values)."""
    store = RunFolder(folder)
    if not store.has_begun():
        return RUNNING, {}
    return store.ended(), store.score() or {}


def _read_search(folder: Path) -> tuple[str, dict[str, Any]]:
    """(whether a search has ended, the winner's score as plain values)."""
    otherwise = f"write it again from the trials: netwise search --resume {folder}"
    try:
        return SEARCHED, read_json(folder / OUTCOME, Outcome, otherwise).get("test") or {}
    except FileNotFoundError:
        return SEARCHING, {}
