"""Many runs of `fit_many` tell how far they are: each worker notes it in a file, who watches reads
them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from netwise.history import RunEnd
from netwise.recipe.recipe import Recipe, recipe_diff
from netwise.signals import valid_value
from netwise.training.periodic_calls import call_periodically
from netwise.training.progress import POLL_SECONDS, RunProgress, Silent, active_monitor
from netwise.training.run import Run


@contextmanager
def monitor_progress_files(
    recipes: Sequence[Recipe], runs: Sequence[Run | None]
) -> Iterator[str | None]:
    """Inside, who watches is told of these runs; a folder for what the workers note for it, None
    where nobody does."""
    tell = active_monitor()
    if tell is None:
        yield None
        return

    def look() -> None:
        ended = sum(run is not None for run in runs)
        tell(
            f"{ended} of {len(recipes)} runs ended",
            [_at_work(recipes, *note) for note in _notes(Path(notes)) if runs[note[0]] is None],
        )

    with tempfile.TemporaryDirectory(prefix="netwise-notes-", ignore_cleanup_errors=True) as notes:
        with call_periodically(POLL_SECONDS, look):
            yield notes
        look()


def _at_work(
    recipes: Sequence[Recipe], place: int, epoch: int, epochs: int, value: float | None
) -> RunProgress:
    apart = recipe_diff(recipes[0], recipes[place])
    about = ", ".join(f"{name} = {new}" for name, (_, new) in apart.items())
    return RunProgress(f"run {place + 1} of {len(recipes)}", epoch, epochs, value, about)


def _notes(folder: Path) -> list[tuple[int, int, int, float | None]]:
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append((int(path.stem), *json.loads(path.read_text())))
        except (OSError, ValueError):
            continue  # it has just ended, or is just being written
    return found


class ProgressFile(Silent):
    """Notes in a file how far the run is, for whoever watches."""

    def __init__(self, folder: str, place: int) -> None:
        self.path, self.epochs, self.noted = Path(folder) / f"{place}.json", 0, 0.0

    def start(self, epochs: int, steps: int, done: int) -> None:
        self.epochs = epochs
        self._note(0, None)

    def epoch(self, epoch: int, row: Mapping[str, float]) -> None:
        if time.monotonic() - self.noted > POLL_SECONDS / 2:
            self._note(epoch, valid_value(row))

    def end(self, ended: RunEnd) -> None:
        self.path.unlink(missing_ok=True)

    def _note(self, epoch: int, value: float | None) -> None:
        if self.path.parent.is_dir():  # on another machine there is none
            self.path.write_text(json.dumps([epoch, self.epochs, value]))
            self.noted = time.monotonic()
