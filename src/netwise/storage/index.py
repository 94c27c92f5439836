"""The list of runs, without torch: folders are read as plain TOML and JSON.

An SQLite file beside the runs saves reading unchanged folders again; it is rebuilt from the
folders whenever it is missing or damaged.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from netwise.atomic import delete_file
from netwise.errors import RunFolderError
from netwise.history import RUNNING
from netwise.storage.layout import ABOUT, OUTCOME, PROGRAM, RECIPE, is_search
from netwise.storage.run_folder import RunFolder, program_title, read_plain_recipe, read_program

INDEX = "index.sqlite"
SEARCHED, SEARCHING = "searched", "searching"  # how a search ended

_COLUMNS = (
    "name", "modified", "data", "network", "ended", "score", "started", "metric", "test_score"
)  # fmt: skip
_TABLE = f"CREATE TABLE IF NOT EXISTS entries ({', '.join(_COLUMNS)}, PRIMARY KEY (name))"
_INSERT = f"INSERT OR REPLACE INTO entries VALUES ({', '.join('?' * len(_COLUMNS))})"


@dataclass(frozen=True)
class RunEntry:
    """One run, or one search, in the list of runs.

    Args:
        folder: its path.
        data, network: kinds, from its recipe; of a watched program its name, such as
            "program train.py", and the class of the trained module.
        ended: how it ended; of a search "searched" or "searching".
        score: of the test part as text, "" where there is none.
        started: when, as ISO 8601 in UTC.
        metric, test_score: what the score measures, such as "accuracy", and its value, the
            higher the better; "" and None where there is none.
    """

    folder: str
    data: str
    network: str
    ended: str
    score: str
    started: str
    metric: str = ""
    test_score: float | None = None

    @property
    def is_search(self) -> bool:
        """It is a search, whose folder holds a run per trial."""
        return self.ended in (SEARCHED, SEARCHING)


def list_runs(home: str | Path) -> list[RunEntry]:
    """All runs and searches in the folder `home`, the newest last.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> home = pathlib.Path(tempfile.mkdtemp())
        >>> _ = nw.fit(nw.suggest(nw.data.iris(), epochs=2), folder=home / "flowers")
        >>> [(entry.data, entry.ended) for entry in nw.list_runs(home)]
        [('iris', 'finished')]
    """
    home = Path(home)
    if not home.is_dir():
        return []
    try:
        return _list_with_index(home)
    except sqlite3.DatabaseError:
        for stale in home.glob(f"{INDEX}*"):
            delete_file(stale)
        return _list_with_index(home)


def _list_with_index(home: Path) -> list[RunEntry]:
    """Bring the index up to date with the folders, and read it."""
    with closing(sqlite3.connect(home / INDEX, timeout=30)) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(_TABLE)
        indexed = dict(database.execute("SELECT name, modified FROM entries"))
        existing: set[str] = set()
        for file in sorted([*home.glob(f"*/{RECIPE}"), *home.glob(f"*/{PROGRAM}")]):
            folder = file.parent
            existing.add(folder.name)
            modified = _modified(folder)
            if indexed.get(folder.name) != modified:
                entry = _read_entry(folder)
                fields = (getattr(entry, column) for column in _COLUMNS[2:])
                database.execute(_INSERT, (folder.name, modified, *fields))
        for deleted in set(indexed) - existing:
            database.execute("DELETE FROM entries WHERE name = ?", (deleted,))
        rows = database.execute(
            f"SELECT name, {', '.join(_COLUMNS[2:])} FROM entries ORDER BY started, name"
        ).fetchall()
    entries = [RunEntry(str(home / row[0]), *row[1:]) for row in rows]
    return [_with_current_end(entry) for entry in entries]


def _with_current_end(entry: RunEntry) -> RunEntry:
    """The entry of a program that was killed says so; its file still says that it is running."""
    if entry.ended != RUNNING:
        return entry
    return replace(entry, ended=_read_run(Path(entry.folder))[0])


def _modified(folder: Path) -> str:
    """When the result in a folder was written; the entry is read again when it changes."""
    result = folder / (OUTCOME if is_search(folder) else ABOUT)
    return f"{result.stat().st_mtime_ns}" if result.is_file() else "none"


def _read_entry(folder: Path) -> RunEntry:
    is_program = (folder / PROGRAM).is_file()
    started = datetime.fromtimestamp(
        (folder / (PROGRAM if is_program else RECIPE)).stat().st_mtime, UTC
    )
    ended, score = _read_search(folder) if is_search(folder) else _read_run(folder)
    if is_program:
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
        started.isoformat(timespec="seconds"),
        str(score.get("name", "")),
        float(score["value"]) if "value" in score else None,
    )


def _kind(part: Any) -> str:
    """The kind of a part in a recipe file: a table with its kind, or the kind alone."""
    kind = part.get("kind", "?") if isinstance(part, dict) else part
    return kind if isinstance(kind, str) else "?"


def _read_run(folder: Path) -> tuple[str, dict[str, Any]]:
    """(how a run ended, its score as plain values)."""
    store = RunFolder(folder)
    try:
        return store.ended(), store.score() or {}
    except RunFolderError:
        return RUNNING, {}


def _read_search(folder: Path) -> tuple[str, dict[str, Any]]:
    """(whether a search has ended, the winner's score as plain values)."""
    try:
        return SEARCHED, json.loads((folder / OUTCOME).read_text("utf-8")).get("test") or {}
    except (OSError, ValueError):
        return SEARCHING, {}
