"""The folder of one run. Every file in it is whole or absent; nothing in it is code.

Reading the history loads neither torch nor numpy; only the recipe and the tensors do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from netwise.atomic import append_to_file, make_folder, write_atomically
from netwise.errors import FileRefused, RunFolderError
from netwise.file_errors import file_access_error
from netwise.history import INTERRUPTED, RUNNING, BesideBaseline, History, RunEnd, Series
from netwise.regular_files import require_contained
from netwise.schema import SchemaError, damaged, read_json, read_toml
from netwise.storage.about_file import About, Program, history_with_series
from netwise.storage.creation import claim_folder, end_creation, release_on_error
from netwise.storage.layout import (
    ABOUT,
    CHECKPOINTS,
    LOCK,
    PROGRAM,
    RECIPE,
    ROWS,
    is_draft,
    is_present,
    is_run,
    is_search,
    strict_json,
)
from netwise.storage.locks import HeldLock, is_locked, try_lock
from netwise.storage.row_log import RowLog, first_rows, line_of, written_rows
from netwise.storage.rows_file import read_columns, read_series
from netwise.storage.seals import (
    RECIPE_TEXT,
    ROWS_SEAL,
    SHA256,
    RowsCheck,
    RowsSeal,
    is_whole,
    recipe_changes,
    sealed,
)

if TYPE_CHECKING:
    from torch import Tensor

    from netwise.recipe.recipe import Recipe
    from netwise.storage.checkpoints import Checkpoint

T = TypeVar("T")


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    path: Path

    @staticmethod
    def create(path: Path, recipe: Recipe, about: Mapping[str, Any]) -> tuple[RunFolder, HeldLock]:
        """A new folder for a run of `recipe`; an existing run is never overwritten.

        Args:
            path: of the folder.
            recipe: what will be trained.
            about: what starting the run needs besides the recipe. A run that is killed before its
                first step is resumed from this.

        Returns:
            the folder, and its lock, which the caller holds while it writes the run.

        Raises:
            RunFolderError: `path` is a file, a folder that is not empty, or being written.
        """
        from netwise.recipe.writer import recipe_text, write_run_recipe  # heavy

        held = claim_folder(path, f", or resume the run: netwise train --resume {path}")
        store = RunFolder(path)
        with release_on_error(held):
            make_folder((path / ROWS).parent)
            make_folder(path / CHECKPOINTS)
            store.write_about({**about, RECIPE_TEXT: recipe_text(recipe)})
            write_run_recipe(recipe, path / RECIPE)  # the last file: now the folder is a run
            end_creation(path)
        return store, held

    @staticmethod
    def create_for_program(path: Path, program: Mapping[str, Any]) -> tuple[RunFolder, HeldLock]:
        """A new folder for a run of a watched program, and its lock; see `create`.

        Args:
            path: of the folder.
            program: what goes into `program.json`; see `netwise.storage.layout`.

        Raises:
            RunFolderError: `path` is a file, a folder that is not empty, or being written.
            FileAccessError: the folder cannot be written.
        """
        held = claim_folder(path, ", or delete this one")
        with release_on_error(held):
            make_folder((path / ROWS).parent)
            write_atomically(path / PROGRAM, json.dumps(strict_json(program), indent=1) + "\n")
            end_creation(path)
        return RunFolder(path), held

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
        if is_draft(path):
            raise RunFolderError(
                f"{path} has no {RECIPE}, because the process that created it was killed before it "
                "wrote one, or is still at it. After a kill, start the run in it again, "
                f'nw.fit(recipe, folder="{path}"), or in a new folder: netwise train RECIPE.toml'
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
        return is_present(self.path / PROGRAM)

    def program(self) -> dict[str, Any]:
        """The contents of `program.json`; {} where there is none.

        Raises:
            RunFolderError: the file is damaged.
        """
        return read_program(self.path)

    def recipe(self) -> Recipe:
        """The recipe, built from its file.

        Raises:
            RunFolderError: the run is one of a watched program, or the file has another recipe than
                the run was begun with.
        """
        self._require_recipe("no recipe")
        from netwise.recipe.reader import read_recipe  # heavy

        recipe = read_recipe(self.path / RECIPE)
        self._require_same_recipe(recipe)
        return recipe

    def recipe_text(self) -> str:
        """The text of the recipe's file."""
        return (self.path / RECIPE).read_text("utf-8")

    def plain_recipe(self) -> dict[str, Any]:
        """The recipe's file as plain values; {} where there is none.

        Raises:
            RunFolderError: the file is damaged.
        """
        return read_plain_recipe(self.path)

    def history(self) -> History:
        """All that was recorded so far, also while the run is being trained. A run or a program
        that was killed counts as interrupted.

        Raises:
            RunFolderError: as for `about`, or the rows are damaged.
        """
        history = self.steady(lambda about: history_with_series(about, self.series(about)))
        if history.ended.how != RUNNING or self._is_being_written():
            return history
        last = max((series.steps[-1] + 1 for series in history.series.values()), default=0)
        step = max(last, history.ended.step)
        what = "program" if self.is_program else "run"
        sentence = f"The {what} was killed or crashed; {step} steps were recorded before."
        return history.but(ended=RunEnd(INTERRUPTED, sentence, step))

    def ended(self) -> str:
        """How the run ended, as in `RunEnd.how`; one that was killed counts as interrupted.

        Raises:
            RunFolderError: as for `about`.
        """
        how = str(self.about()["ended"]["how"])
        return INTERRUPTED if how == RUNNING and not self._is_being_written() else how

    def _is_being_written(self) -> bool:
        """Whether a process holds the run's lock, or may hold it: that of another user cannot be
        tried."""
        try:
            return (self.path / LOCK).is_file() and is_locked(self.path / LOCK)
        except OSError:
            return True

    # ---- about

    def write_about(self, about: Mapping[str, Any]) -> None:
        """Replace `about.json`."""
        values = sealed(strict_json(about))
        write_atomically(self.path / ABOUT, json.dumps(values, indent=1) + "\n")

    def write_end(self, ended: RunEnd) -> None:
        """Change in `about.json` how the run ended, and nothing else."""
        self.write_about({**self.about(), "ended": asdict(ended)})

    def write_baseline(self, baseline: BesideBaseline) -> None:
        """Add to `about.json` how the run compares with a simple model, which was measured after
        its end."""
        about = self.about()
        facts = {**about["facts"], "baseline": asdict(baseline)}
        self.write_about({**about, "facts": facts})

    def has_begun(self) -> bool:
        """Whether there is an `about.json`. Earlier versions wrote it with the first step, so that
        a run that was killed before has nothing but its recipe."""
        return is_present(self.path / ABOUT) or bool(written_rows(self.path / ROWS))

    def about(self) -> dict[str, Any]:
        """Facts, end, score, preparation of inputs and checksums, as plain values.

        Raises:
            RunFolderError: the run has not started, or the file is damaged.
        """
        try:
            about = dict(read_json(self.path / ABOUT, About, self._otherwise))
        except FileNotFoundError:
            if self.has_begun():
                raise self._damaged(self.path / ABOUT, "the file is missing") from None
            again = (
                "Delete the folder and run the program again"
                if self.is_program
                else f"Start it: netwise train --resume {self.path}"
            )
            raise RunFolderError(
                f"{self.path} has no {ABOUT}, because the run ended before its first step. {again}"
            ) from None
        if not is_whole(about):
            raise self._damaged(self.path / ABOUT, "its values differ from their SHA-256 sum")
        about.pop(SHA256, None)
        return about

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

    def steady(self, read: Callable[[dict[str, Any]], T]) -> T:
        """What `read` makes of about.json and the files that this describes. It is called again
        where it fails and another process has just written about.json."""
        about = self.about()
        while True:
            try:
                return read(about)
            except RunFolderError:
                before, about = about, self.about()
                if about == before:
                    raise

    def score(self) -> dict[str, Any] | None:
        """The score of the test part as plain values; None where there is none."""
        return self.about()["score"] or None

    # ---- history

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to the history of a watched program; a row without its line end does not
        count."""
        append_to_file(self.path / ROWS, b"".join(map(line_of, rows)))

    def replace_rows(self, rows: Iterable[Mapping[str, Any]]) -> RowsSeal:
        """Write the history anew: these rows and no others."""
        return RowLog.write(self.path / ROWS, b"".join(map(line_of, rows))).seal

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

    def series(self, about: Mapping[str, Any]) -> dict[tuple[str, str], Series]:
        """The series of all signals, by (signal, layer).

        Args:
            about: values of about.json, which counts on the rows. A run that goes on may have more.

        Raises:
            RunFolderError: a complete line is no row, or rows are missing or changed.
        """
        seal = RowsSeal.read(about)
        check = None if seal is None else RowsCheck(seal)
        with self.checked(ROWS) as path:
            series = read_series(path, check)
            if check is not None:
                check.require(may_have_more=about["ended"]["how"] == RUNNING)
        return series

    def return_to(self, checkpoint: Checkpoint | None) -> RowLog:
        """Delete what resuming a run computes again: the rows after those of its checkpoint, and
        later checkpoints, which are damaged or do not fit the rows.

        Args:
            checkpoint: of `latest_checkpoint`; None: the run starts anew.

        Returns:
            the rows that are left, to add to.
        """
        from netwise.storage import checkpoints  # heavy

        count, step = (checkpoint.state["rows"], checkpoint.state["step"]) if checkpoint else (0, 0)
        kept = first_rows(written_rows(self.path / ROWS), count)
        about = self.about()
        if ROWS_SEAL in about:  # readers would miss the rows that are deleted next
            ended = RunEnd(RUNNING, "Still running.", step)
            seal = asdict(RowsSeal.of(kept))
            self.write_about({**about, "ended": asdict(ended), ROWS_SEAL: seal})
        checkpoints.delete_after(self.path, step if checkpoint else -1)
        return RowLog.write(self.path / ROWS, kept)

    # ---- tensors

    def write_checkpoint(self, step: int, checkpoint: Checkpoint) -> None:
        """See `netwise.storage.checkpoints.write_checkpoint`."""
        from netwise.storage import checkpoints  # heavy

        checkpoints.write_checkpoint(self.path, step, checkpoint)

    def latest_checkpoint(self) -> Checkpoint | None:
        """The newest whole checkpoint whose rows are in the history; None where none was written.

        Raises:
            RunFolderError: there is none, and the run needs one.
        """
        self._require_recipe("no checkpoints")
        from netwise.storage import checkpoints  # heavy

        rows = written_rows(self.path / ROWS)
        checkpoint = checkpoints.latest_checkpoint(self.path, rows)
        done = self.about()["ended"]["step"] if is_present(self.path / ABOUT) else 0
        if checkpoint is None and done:
            raise RunFolderError(
                f"{self.path / CHECKPOINTS} has no checkpoint, and the run had done {done} steps. "
                "Nothing was changed. Put the folder back, or train the recipe again: "
                f"netwise train {self.path / RECIPE}"
            )
        return checkpoint

    def write_weights(self, tensors: Mapping[str, Tensor]) -> dict[str, str]:
        """See `netwise.storage.checkpoints.write_weights`."""
        from netwise.storage import checkpoints  # heavy

        return checkpoints.write_weights(self.path, tensors)

    def weights(self) -> dict[str, Tensor]:
        """See `netwise.storage.checkpoints.read_weights`."""
        self._require_recipe("no weights")
        from netwise.storage import checkpoints  # heavy

        return self.steady(lambda about: checkpoints.read_weights(self.path, about))

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

    def _require_same_recipe(self, recipe: Recipe) -> None:
        """Refuse a recipe other than the one that the run was begun with."""
        if not is_present(self.path / ABOUT):  # an earlier version, before the first step
            return
        changes = recipe_changes(self.recipe_text(), self.about(), recipe.hash)
        if changes:
            raise RunFolderError(
                f"{self.path / RECIPE} was changed after the run began: {'; '.join(changes)}. "
                "Put the old values back, or train the changed recipe as a new run: "
                f"netwise train {self.path / RECIPE}"
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
