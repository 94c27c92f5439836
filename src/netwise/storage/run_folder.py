"""The run folder on disk. Every file is whole or absent; nothing in it is code.

recipe.toml            what was run
about.json             facts, how it ended, score, how inputs are prepared
history/rows.jsonl     append-only, a row a line; a last line without its end is not read
checkpoints/step-N/    model and optimizer as safetensors, the rest as text, a manifest of SHA-256 sums
weights.safetensors    the weights that the run ended with, and what preprocessing learned
report.html            written when asked for
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from netwise.atomic import sync_folder, write_atomically
from netwise.errors import RunFolderError
from netwise.recipe.file import read_recipe, write_recipe
from netwise.recipe.recipe import Recipe

RECIPE, ABOUT, WEIGHTS, REPORT = "recipe.toml", "about.json", "weights.safetensors", "report.html"
ROWS = "history/rows.jsonl"
SEARCH, OUTCOME = "search.toml", "outcome.json"  # in the folder of a search, whose trials are runs
KEPT_CHECKPOINTS = 2  # should the newest be damaged, the one before it is whole


@dataclass(frozen=True)
class Checkpoint:
    """Everything a run needs to go on: tensors by group, and plain values."""

    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    path: Path

    @staticmethod
    def create(path: Path, recipe: Recipe) -> RunFolder:
        """A new folder for a run of `recipe`; an existing one is never written over."""
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if any(path.iterdir()) if path.is_dir() else True:
                raise RunFolderError(
                    f"{path} is there already and holds something: choose another folder, or continue it with resume"
                ) from None
        (path / "history").mkdir(exist_ok=True)
        (path / "checkpoints").mkdir(exist_ok=True)
        write_recipe(recipe, path / RECIPE)
        return RunFolder(path)

    @staticmethod
    def open(path: str | Path) -> RunFolder:
        """The folder of an existing run."""
        path = Path(path)
        if (path / SEARCH).is_file():
            raise RunFolderError(
                f"{path} is a search, whose trials are runs: name one, such as {path}/trials/0000/run. All of it: netwise show {path}"
            )
        if not (path / RECIPE).is_file():
            raise RunFolderError(f"{path} is not a run folder: it has no {RECIPE}.")
        return RunFolder(path)

    def recipe(self) -> Recipe:
        return read_recipe(self.path / RECIPE)

    # ---- about

    def write_about(self, about: Mapping[str, Any]) -> None:
        write_atomically(self.path / ABOUT, json.dumps(strict(about), indent=1) + "\n")

    def about(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.path / ABOUT).read_text("utf-8")))
        except FileNotFoundError:
            raise RunFolderError(
                f"{self.path} has no {ABOUT}: the run ended before its first step"
            ) from None
        except ValueError as error:
            raise RunFolderError(f"{self.path / ABOUT} is damaged: {error}") from None

    # ---- history

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows; each reaches the file with its line end or does not count."""
        text = "".join(json.dumps(strict(row)) + "\n" for row in rows)
        if text:
            with open(self.path / ROWS, "a", encoding="utf-8") as file:
                file.write(text)

    def rows(self) -> list[dict[str, Any]]:
        """All complete rows."""
        try:
            raw = (self.path / ROWS).read_bytes()
        except FileNotFoundError:
            return []
        lines = raw.split(b"\n")[:-1]  # what follows the last line end is no whole row
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise RunFolderError(f"{self.path / ROWS} is damaged: {error}") from None

    def keep_rows(self, count: int) -> None:
        """Drop all rows after the first `count`: those of steps that are about to be taken
        again."""
        rows = self.rows()
        if len(rows) < count:
            raise RunFolderError(
                f"{self.path / ROWS} has {len(rows)} rows, and its checkpoint knows of {count}: the folder is damaged"
            )
        write_atomically(self.path / ROWS, "".join(json.dumps(row) + "\n" for row in rows[:count]))

    # ---- checkpoints

    def write_checkpoint(self, step: int, checkpoint: Checkpoint) -> None:
        """Write beside, flush, sum up, rename; then drop the oldest."""
        from safetensors.torch import save

        home = self.path / "checkpoints"
        target = home / f"step-{step:09d}"
        if target.exists():
            return
        draft = Path(tempfile.mkdtemp(dir=home, prefix=".draft-"))
        files = {
            f"{group}.safetensors": save(
                {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
            )
            for group, tensors in checkpoint.tensors.items()
        }
        files["state.json"] = json.dumps(checkpoint.state).encode()
        sums = {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}
        for name, raw in {**files, "manifest.json": json.dumps(sums, indent=1).encode()}.items():
            with open(draft / name, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
        sync_folder(draft)
        os.replace(draft, target)
        sync_folder(home)
        for old in sorted(home.glob("step-*"))[:-KEPT_CHECKPOINTS]:
            shutil.rmtree(old, ignore_errors=True)

    def latest_checkpoint(self) -> Checkpoint | None:
        """The newest whole checkpoint, or None before the first."""
        home = self.path / "checkpoints"
        for draft in home.glob(".draft-*"):
            shutil.rmtree(draft, ignore_errors=True)
        found = sorted(home.glob("step-*"), reverse=True)
        for folder in found:
            checkpoint = _read_checkpoint(folder)
            if checkpoint is not None:
                return checkpoint
        if found:
            raise RunFolderError(
                f"{home}: no checkpoint is whole; their sums differ from their manifests"
            )
        return None

    # ---- weights

    def write_weights(self, tensors: Mapping[str, Tensor]) -> None:
        from safetensors.torch import save

        write_atomically(
            self.path / WEIGHTS,
            save({k: v.detach().cpu().contiguous() for k, v in tensors.items()}),
        )

    def weights(self) -> dict[str, Tensor]:
        from safetensors import SafetensorError
        from safetensors.torch import load

        try:
            return dict(load((self.path / WEIGHTS).read_bytes()))
        except FileNotFoundError:
            raise RunFolderError(
                f"{self.path} has no {WEIGHTS}: the run has not ended; continue it with resume"
            ) from None
        except SafetensorError as error:
            raise RunFolderError(f"{self.path / WEIGHTS} is damaged: {error}") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run while it is written; the system lets go when the process ends, however it
        ends."""
        with open(self.path / ".lock", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunFolderError(f"{self.path} is being trained by another process") from None
            yield


def _read_checkpoint(folder: Path) -> Checkpoint | None:
    from safetensors.torch import load

    try:
        sums = json.loads((folder / "manifest.json").read_text("utf-8"))
        raw = {name: (folder / name).read_bytes() for name in sums}
    except (OSError, ValueError):
        return None
    if any(hashlib.sha256(content).hexdigest() != sums[name] for name, content in raw.items()):
        return None
    tensors = {
        name.removesuffix(".safetensors"): dict(load(content))
        for name, content in raw.items()
        if name.endswith(".safetensors")
    }
    return Checkpoint(tensors, json.loads(raw["state.json"]))


def strict(value: Any) -> Any:
    """Values as strict JSON has them: numbers that are not finite become the words "nan", "inf",
    "-inf"."""
    if isinstance(value, Mapping):
        return {str(key): strict(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [strict(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def new_folder(home: Path, name: str) -> Path:
    """A path below `home` that nobody has: `name`, then `name-2`, `name-3` ..."""
    home.mkdir(parents=True, exist_ok=True)
    count = 1
    while True:
        path = home / (name if count == 1 else f"{name}-{count}")
        try:
            path.mkdir()
        except FileExistsError:
            count += 1
            continue
        return path


@dataclass(frozen=True)
class Entry:
    """One run, or one search, in the list of runs.

    Args:
        folder: its path.
        data, network: kinds, from its recipe.
        ended: how it ended; of a search "searched" or "searching".
        score: of the test part as text, "" where there is none.
        started: when, as ISO 8601 in UTC.
    """

    folder: str
    data: str
    network: str
    ended: str
    score: str
    started: str


_TABLE = "CREATE TABLE IF NOT EXISTS runs (folder TEXT PRIMARY KEY, mark TEXT, data TEXT, network TEXT, ended TEXT, score TEXT, started TEXT)"


def list_runs(home: str | Path) -> list[Entry]:
    """All runs below `home`, the newest last. The index beside them only saves reading: it is
    rebuilt from the folders.

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
    index = home / "index.sqlite"
    try:
        return _list(home, index)
    except sqlite3.DatabaseError:
        for stale in home.glob("index.sqlite*"):
            stale.unlink(missing_ok=True)
        return _list(home, index)


def _list(home: Path, index: Path) -> list[Entry]:
    with closing(sqlite3.connect(index, timeout=30)) as base, base:
        base.execute("PRAGMA journal_mode=WAL")
        base.execute(_TABLE)
        known = dict(base.execute("SELECT folder, mark FROM runs"))
        there: set[str] = set()
        for recipe in sorted(home.glob(f"*/{RECIPE}")):
            folder = recipe.parent
            about = folder / (OUTCOME if (folder / SEARCH).is_file() else ABOUT)
            mark = f"{about.stat().st_mtime_ns}" if about.is_file() else "none"
            there.add(folder.name)
            if known.get(folder.name) != mark:
                entry = _entry(folder)
                base.execute(
                    "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        folder.name,
                        mark,
                        entry.data,
                        entry.network,
                        entry.ended,
                        entry.score,
                        entry.started,
                    ),
                )
        for gone in set(known) - there:
            base.execute("DELETE FROM runs WHERE folder = ?", (gone,))
        rows = base.execute(
            "SELECT folder, data, network, ended, score, started FROM runs ORDER BY started, folder"
        ).fetchall()
    return [Entry(str(home / row[0]), *row[1:]) for row in rows]


def _entry(folder: Path) -> Entry:
    import tomllib

    try:
        plain = tomllib.loads((folder / RECIPE).read_text("utf-8"))
        data, network = str(plain["data"]["kind"]), str(plain["network"]["kind"])
    except (OSError, ValueError, KeyError, TypeError):
        data, network = "?", "?"
    started = datetime.fromtimestamp((folder / RECIPE).stat().st_mtime, UTC).isoformat(
        timespec="seconds"
    )
    if (folder / SEARCH).is_file():
        return Entry(str(folder), data, network, *_searched(folder / OUTCOME), started)
    try:
        about = RunFolder(folder).about()
    except RunFolderError:
        return Entry(str(folder), data, network, "running", "", started)
    score = about.get("score")
    return Entry(
        str(folder),
        data,
        network,
        str(about.get("ended", {}).get("how", "?")),
        str(score["sentence"]) if score else "",
        started,
    )


def _searched(outcome: Path) -> tuple[str, str]:
    """(whether a search has ended, the winner's score on the test part as text)."""
    try:
        test = json.loads(outcome.read_text("utf-8")).get("test")
    except (OSError, ValueError):
        return "searching", ""
    return "searched", str(test["sentence"]) if test else ""
