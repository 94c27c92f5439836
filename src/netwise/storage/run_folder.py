"""The folder of one run. Every file in it is whole or absent; nothing in it is code.

Reading the history loads neither torch nor numpy; only the recipe and the tensors do.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netwise.atomic import write_atomically
from netwise.errors import RunFolderError
from netwise.history import History, history_from_dict
from netwise.storage.layout import ABOUT, CHECKPOINTS, LOCK, RECIPE, ROWS, is_search, strict_json
from netwise.storage.locks import try_lock

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

        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if any(path.iterdir()) if path.is_dir() else True:
                raise RunFolderError(
                    f"{path} exists already and holds something, and runs are never overwritten. "
                    f"Use another folder, or resume the run: netwise train --resume {path}"
                ) from None
        (path / ROWS).parent.mkdir(exist_ok=True)
        (path / CHECKPOINTS).mkdir(exist_ok=True)
        write_recipe(recipe, path / RECIPE)
        return RunFolder(path)

    @staticmethod
    def open(path: str | Path) -> RunFolder:
        """The folder of an existing run.

        Raises:
            RunFolderError: there is no run at `path`.
        """
        path = Path(path)
        if is_search(path):
            raise RunFolderError(
                f"{path} is a search, whose trials are runs. Use the run of one trial, such as "
                f"{path}/trials/0000/run, or print the whole search: netwise show {path}"
            )
        if not (path / RECIPE).is_file():
            raise RunFolderError(
                f"{path} is not a run folder: it has no {RECIPE}. "
                "List the runs: netwise runs, or netwise runs --runs FOLDER"
            )
        return RunFolder(path)

    def recipe(self) -> Recipe:
        """The recipe, built from its file."""
        from netwise.recipe.reader import read_recipe  # heavy

        return read_recipe(self.path / RECIPE)

    def plain_recipe(self) -> dict[str, Any]:
        """The recipe's file as plain values; {} where it cannot be read."""
        return read_plain_recipe(self.path)

    def history(self) -> History:
        """All that was recorded so far, also while the run is being trained."""
        return history_from_dict(self.about(), self.rows())

    # ---- about

    def write_about(self, about: Mapping[str, Any]) -> None:
        """Replace `about.json`."""
        write_atomically(self.path / ABOUT, json.dumps(strict_json(about), indent=1) + "\n")

    def about(self) -> dict[str, Any]:
        """Facts, end, score and preparation of inputs, as plain values.

        Raises:
            RunFolderError: the run has not started, or the file is damaged.
        """
        try:
            return dict(json.loads((self.path / ABOUT).read_text("utf-8")))
        except FileNotFoundError:
            raise RunFolderError(
                f"{self.path} has no {ABOUT}, because the run ended before its first step. "
                f"Delete the folder and train again: netwise train {self.path / RECIPE}"
            ) from None
        except ValueError as error:
            raise _damaged(self.path / ABOUT, f"its JSON cannot be read: {error}") from None

    def score(self) -> dict[str, Any] | None:
        """The score of the test part as plain values; None where there is none."""
        return self.about().get("score") or None

    # ---- history

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to the history; a row without its line end does not count."""
        text = "".join(json.dumps(strict_json(row)) + "\n" for row in rows)
        if text:
            with open(self.path / ROWS, "a", encoding="utf-8") as file:
                file.write(text)

    def rows(self) -> list[dict[str, Any]]:
        """All complete rows of the history.

        Raises:
            RunFolderError: a complete line is no JSON.
        """
        try:
            raw = (self.path / ROWS).read_bytes()
        except FileNotFoundError:
            return []
        lines = raw.split(b"\n")[:-1]  # what follows the last line end is an incomplete row
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise _damaged(self.path / ROWS, f"a line is no JSON: {error}") from None

    def keep_rows(self, count: int) -> None:
        """Delete all rows after the first `count`: those of steps after a checkpoint, which
        resuming computes again.

        Raises:
            RunFolderError: there are fewer rows.
        """
        rows = self.rows()
        if len(rows) < count:
            raise _damaged(
                self.path / ROWS,
                f"it has {len(rows)} rows and its checkpoint was written at {count}",
            )
        write_atomically(self.path / ROWS, "".join(json.dumps(row) + "\n" for row in rows[:count]))

    # ---- tensors

    def write_checkpoint(self, step: int, checkpoint: Checkpoint) -> None:
        """See `netwise.storage.checkpoints.write_checkpoint`."""
        from netwise.storage import checkpoints  # heavy

        checkpoints.write_checkpoint(self.path, step, checkpoint)

    def latest_checkpoint(self) -> Checkpoint | None:
        """See `netwise.storage.checkpoints.latest_checkpoint`."""
        from netwise.storage import checkpoints  # heavy

        return checkpoints.latest_checkpoint(self.path)

    def write_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """See `netwise.storage.checkpoints.write_weights`."""
        from netwise.storage import checkpoints  # heavy

        checkpoints.write_weights(self.path, tensors)

    def weights(self) -> dict[str, Tensor]:
        """See `netwise.storage.checkpoints.read_weights`."""
        from netwise.storage import checkpoints  # heavy

        return checkpoints.read_weights(self.path)

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
    """The recipe file in a folder as plain values; {} where it cannot be read."""
    try:
        return tomllib.loads((folder / RECIPE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _damaged(path: Path, reason: str) -> RunFolderError:
    return RunFolderError(
        f"{path} is damaged, because {reason}. Delete the run folder and train its recipe again."
    )
