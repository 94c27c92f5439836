"""The folder of one run. Every file in it is whole or absent; nothing in it is code.

Reading the history loads neither torch nor numpy; only the recipe and the tensors do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netwise.atomic import append_to_file, make_folder, write_atomically
from netwise.errors import FileRefused, RunFolderError
from netwise.file_errors import file_access_error
from netwise.history import INTERRUPTED, RUNNING, History, RunEnd, Series
from netwise.regular_files import require_contained
from netwise.schema import SchemaError, damaged, read_json, read_toml
from netwise.storage.about_file import About, Program, history_with_series
from netwise.storage.layout import (
    ABOUT,
    CHECKPOINTS,
    LOCK,
    PROGRAM,
    RECIPE,
    ROWS,
    is_run,
    is_search,
    strict_json,
)
from netwise.storage.locks import is_locked, try_lock
from netwise.storage.rows_file import read_columns, read_series

if TYPE_CHECKING:
    from torch import Tensor

    from netwise.recipe.recipe import Recipe
    from netwise.storage.checkpoints import Checkpoint


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    path: Path

    @staticmethod
    def create(path: Path, recipe: Recipe) -> RunFolder:
        """A new folder for a run of `recipe`; an existing run is never overwritten.

        Raises:
            RunFolderError: `path` is a file, or a folder that is not empty.
        """
        from netwise.recipe.writer import write_recipe  # heavy

        _make_folder(path, f", or resume the run: netwise train --resume {path}")
        make_folder((path / ROWS).parent)
        make_folder(path / CHECKPOINTS)
        write_recipe(recipe, path / RECIPE)
        return RunFolder(path)

    @staticmethod
    def create_for_program(path: Path, program: Mapping[str, Any]) -> RunFolder:
        """A new folder for a run of a watched program.

        Args:
            path: of the folder.
            program: what goes into `program.json`; see `netwise.storage.layout`.

        Raises:
            RunFolderError: `path` is a file, or a folder that is not empty.
            FileAccessError: the folder cannot be written.
        """
        _make_folder(path, ", or delete this one")
        make_folder((path / ROWS).parent)
        write_atomically(path / PROGRAM, json.dumps(strict_json(program), indent=1) + "\n")
        return RunFolder(path)

    @staticmethod
    def open(path: str | Path) -> RunFolder:
        """The folder of an existing run.

        Raises:
            RunFolderError: there is no run at `path`.
            FileRefused: something in it is a device or pipe, or a link that leaves it.
        """
        path = Path(path)
        if is_search(path):
            raise RunFolderError(
                f"{path} is a search, whose trials are runs. Use the run of one trial, such as "
                f"{path}/trials/0000/run, or print the whole search: netwise show {path}"
            )
        if not is_run(path):
            raise RunFolderError(
                f"{path} is not a run folder: it has no {RECIPE} and no {PROGRAM}. "
                "List the runs: netwise runs, or netwise runs --runs FOLDER"
            )
        require_contained(path)
        return RunFolder(path)

    @property
    def is_program(self) -> bool:
        """Whether the run is one of a watched program, which has no recipe."""
        return (self.path / PROGRAM).is_file()

    def program(self) -> dict[str, Any]:
        """The contents of `program.json`; {} where there is none.

        Raises:
            RunFolderError: the file is damaged.
        """
        return read_program(self.path)

    def recipe(self) -> Recipe:
        """The recipe, built from its file.

        Raises:
            RunFolderError: the run is one of a watched program.
        """
        self._require_recipe("no recipe")
        from netwise.recipe.reader import read_recipe  # heavy

        return read_recipe(self.path / RECIPE)

    def plain_recipe(self) -> dict[str, Any]:
        """The recipe's file as plain values; {} where there is none.

        Raises:
            RunFolderError: the file is damaged.
        """
        return read_plain_recipe(self.path)

    def history(self) -> History:
        """All that was recorded so far, also while the run is being trained. A watched program that
        was killed counts as interrupted.

        Raises:
            RunFolderError: as for `about`, or the rows are damaged.
        """
        history = history_with_series(self.about(), self.series())
        if history.ended.how != RUNNING or not self.is_program or self._is_being_written():
            return history
        last = max((series.steps[-1] + 1 for series in history.series.values()), default=0)
        step = max(last, history.ended.step)
        sentence = f"The program was killed or crashed; {step} steps were recorded before."
        return history.but(ended=RunEnd(INTERRUPTED, sentence, step))

    def ended(self) -> str:
        """How the run ended, as in `RunEnd.how`.

        Raises:
            RunFolderError: as for `about`.
        """
        how = str(self.about()["ended"]["how"])
        is_killed = how == RUNNING and self.is_program and not self._is_being_written()
        return INTERRUPTED if is_killed else how

    def _is_being_written(self) -> bool:
        return (self.path / LOCK).is_file() and is_locked(self.path / LOCK)

    # ---- about

    def write_about(self, about: Mapping[str, Any]) -> None:
        """Replace `about.json`."""
        write_atomically(self.path / ABOUT, json.dumps(strict_json(about), indent=1) + "\n")

    def write_end(self, ended: RunEnd) -> None:
        """Change in `about.json` how the run ended, and nothing else."""
        self.write_about({**self.about(), "ended": asdict(ended)})

    def about(self) -> dict[str, Any]:
        """Facts, end, score and preparation of inputs, as plain values.

        Raises:
            RunFolderError: the run has not started, or the file is damaged.
        """
        try:
            return dict(read_json(self.path / ABOUT, About, self._otherwise))
        except FileNotFoundError:
            again = (
                "run the program again"
                if self.is_program
                else f"train again: netwise train {self.path / RECIPE}"
            )
            raise RunFolderError(
                f"{self.path} has no {ABOUT}, because the run ended before its first step. "
                f"Delete the folder and {again}"
            ) from None

    @contextmanager
    def checked(self, name: str) -> Iterator[Path]:
        """Inside, values of a file of the folder are checked: a `SchemaError`, or an error of
        reading, becomes the error that names the file.

        Gives the file's path.

        Raises:
            RunFolderError: the file is damaged.
            FileAccessError: it cannot be read.
        """
        path = self.path / name
        try:
            yield path
        except SchemaError as error:
            raise self._damaged(path, str(error)) from None
        except FileRefused:
            raise
        except OSError as error:
            raise file_access_error(error, path) from None

    def score(self) -> dict[str, Any] | None:
        """The score of the test part as plain values; None where there is none."""
        return self.about()["score"] or None

    # ---- history

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to the history; a row without its line end does not count."""
        text = "".join(json.dumps(strict_json(row)) + "\n" for row in rows)
        if text:
            append_to_file(self.path / ROWS, text)

    def replace_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the history anew: these rows and no others."""
        text = "".join(json.dumps(strict_json(row)) + "\n" for row in rows)
        write_atomically(self.path / ROWS, text)

    def rows(self) -> list[dict[str, Any]]:
        """All complete rows of the history.

        Raises:
            RunFolderError: a complete line is no row.
        """
        with self.checked(ROWS) as path:
            return [
                dict(zip(names, values, strict=True))
                for names, columns in read_columns(path)
                for values in zip(*columns, strict=True)
            ]

    def series(self) -> dict[tuple[str, str], Series]:
        """The series of all signals, by (signal, layer); see `rows`."""
        with self.checked(ROWS) as path:
            return read_series(path)

    def keep_rows(self, count: int) -> None:
        """Delete all rows after the first `count`: those of steps after a checkpoint, which
        resuming computes again.

        Raises:
            RunFolderError: there are fewer rows.
        """
        rows = self.rows()
        if len(rows) < count:
            raise self._damaged(
                self.path / ROWS,
                f"it has {len(rows)} rows and its checkpoint was written at {count}",
            )
        self.replace_rows(rows[:count])

    # ---- tensors

    def write_checkpoint(self, step: int, checkpoint: Checkpoint) -> None:
        """See `netwise.storage.checkpoints.write_checkpoint`."""
        from netwise.storage import checkpoints  # heavy

        checkpoints.write_checkpoint(self.path, step, checkpoint)

    def latest_checkpoint(self) -> Checkpoint | None:
        """See `netwise.storage.checkpoints.latest_checkpoint`."""
        self._require_recipe("no checkpoints")
        from netwise.storage import checkpoints  # heavy

        return checkpoints.latest_checkpoint(self.path)

    def write_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """See `netwise.storage.checkpoints.write_weights`."""
        from netwise.storage import checkpoints  # heavy

        checkpoints.write_weights(self.path, tensors)

    def weights(self) -> dict[str, Tensor]:
        """See `netwise.storage.checkpoints.read_weights`."""
        self._require_recipe("no weights")
        from netwise.storage import checkpoints  # heavy

        return checkpoints.read_weights(self.path)

    def _damaged(self, file: Path, reason: str) -> RunFolderError:
        return damaged(file, reason, self._otherwise)

    @property
    def _otherwise(self) -> str:
        """What to do where a file is damaged."""
        again = "run the program again" if self.is_program else "train its recipe again"
        return f"delete the run folder and {again}."

    def _require_recipe(self, missing: str) -> None:
        """Refuse a run of a watched program, which has none of what `fit` writes."""
        if self.is_program:
            raise RunFolderError(
                f"{self.path} is a run of the {program_title(self.program())}, which has "
                f"{missing}: netwise observed the program and did not train itself. Use a run of "
                f"netwise train here; print the diagnosis of this one: netwise show {self.path}"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run's lock while it is written.

        Raises:
            RunFolderError: another process holds it.
        """
        held = try_lock(self.path / LOCK)
        if held is None:
            raise RunFolderError(
                f"{self.path} is being trained by another process, and two would overwrite each "
                "other's files. Stop that process first, or use another folder."
            )
        with held:
            yield


def load_history(folder: str | Path) -> History:
    """The history of a run, also while it is being trained or after it was interrupted.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "run"
        >>> _ = nw.fit(nw.suggest(nw.data.iris(), epochs=2), folder=folder)
        >>> len(nw.load_history(folder).of("valid.loss"))
        2
    """
    return RunFolder.open(folder).history()


def read_plain_recipe(folder: Path) -> dict[str, Any]:
    """The recipe file in a folder as plain values; {} where there is none.

    Raises:
        RunFolderError: the file is damaged.
    """
    otherwise = "delete the run folder."
    try:
        return read_toml(folder / RECIPE, otherwise)
    except FileNotFoundError:
        return {}


def read_program(folder: Path) -> dict[str, Any]:
    """The program file in a folder; {} where there is none.

    Raises:
        RunFolderError: the file is damaged.
    """
    otherwise = f"write {{}} into it; the history can be read: netwise diagnose {folder}"
    try:
        return dict(read_json(folder / PROGRAM, Program, otherwise))
    except FileNotFoundError:
        return {}


def program_title(program: Mapping[str, Any]) -> str:
    """A watched program in lists and headings, such as "program train.py"."""
    return f"program {program.get('name') or '?'}"


def require_new_folder(path: Path, instead: str) -> None:
    """Check that nothing would be overwritten in a folder.

    Args:
        path: of the folder, which need not exist.
        instead: end of the sentence that says what else to do, besides using another folder.

    Raises:
        RunFolderError: `path` is a file, or a folder that is not empty.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunFolderError(
            f"{path} exists already and holds something, and runs are never overwritten. "
            f"Use another folder{instead}"
        )


def _make_folder(path: Path, instead: str) -> None:
    """Create a folder; see `require_new_folder`."""
    require_new_folder(path, instead)
    make_folder(path)
