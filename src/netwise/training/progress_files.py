"""Progress of the workers of `fit_many`: each writes it to a file, and the parent process reads
the files for the progress monitor."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from netwise.atomic import delete_file, write_scratch
from netwise.history import RunEnd
from netwise.recipe.recipe import Recipe, recipe_diff
from netwise.schema import parse_json, typed
from netwise.signals import valid_value
from netwise.training.periodic_calls import call_periodically
from netwise.training.progress import POLL_SECONDS, RunProgress, Silent, active_monitor
from netwise.training.run import Run


@contextmanager
def monitor_progress_files(
    recipes: Sequence[Recipe], runs: Sequence[Run | None]
) -> Iterator[str | None]:
    """Inside, the active monitor is called regularly with the progress of these runs.

    Args:
        recipes: of all runs.
        runs: those that have ended, in the order of `recipes`; None for the others.

    Gives the folder for the files of the workers, or None where there is no monitor.
    """
    monitor = active_monitor()
    if monitor is None:
        yield None
        return

    def call_monitor() -> None:
        ended = sum(run is not None for run in runs)
        running = [entry for entry in _read_progress(Path(folder)) if runs[entry[0]] is None]
        sentence = f"{ended} of {len(recipes)} runs ended"
        monitor(sentence, [_progress_of_run(recipes, *entry) for entry in running])

    with tempfile.TemporaryDirectory(
        prefix="netwise-progress-", ignore_cleanup_errors=True
    ) as folder:
        with call_periodically(POLL_SECONDS, call_monitor):
            yield folder
        call_monitor()


def _progress_of_run(
    recipes: Sequence[Recipe], place: int, epoch: int, epochs: int, value: float | None
) -> RunProgress:
    differences = recipe_diff(recipes[0], recipes[place])
    about = ", ".join(f"{name} = {new}" for name, (_, new) in differences.items())
    return RunProgress(f"run {place + 1} of {len(recipes)}", epoch, epochs, value, about)


def _read_progress(folder: Path) -> list[tuple[int, int, int, float | None]]:
    """(place, epoch, epochs, value) of each run that is running."""
    entries = []
    for path in sorted(folder.glob("*.json")):
        try:
            progress = typed(tuple[int, int, float | None], parse_json(path.read_bytes()))
            entries.append((int(path.stem), *progress))
        except (OSError, ValueError):
            continue  # the run has just ended, or its file is just being written
    return entries


class ProgressFile(Silent):
    """Writes the progress of one run to a file.

    Args:
        folder: of `monitor_progress_files`; on another machine there is none, and nothing is
            written.
        place: of the run among all.
    """

    def __init__(self, folder: str, place: int) -> None:
        self.path, self.epochs, self.last_write = Path(folder) / f"{place}.json", 0, 0.0

    def start(self, epochs: int, steps: int, done: int) -> None:
        self.epochs = epochs
        self._write(0, None)

    def epoch(self, epoch: int, row: Mapping[str, float]) -> None:
        if time.monotonic() - self.last_write > POLL_SECONDS / 2:
            self._write(epoch, valid_value(row))

    def end(self, ended: RunEnd) -> None:
        delete_file(self.path)

    def _write(self, epoch: int, value: float | None) -> None:
        if self.path.parent.is_dir():
            write_scratch(self.path, json.dumps([epoch, self.epochs, value]))
            self.last_write = time.monotonic()
