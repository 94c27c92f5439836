"""Trials as they end, and how far those at work have come, read from their folders, whoever works
on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from netwise.history import RUNNING as BEING_TRAINED
from netwise.searches.methods import RUNNING, TrialRecord
from netwise.searches.study import FRESH, StudyFolder, best_of
from netwise.signals import TRAIN_LOSS, VALID_LOSS, valid_value
from netwise.storage.layout import ABOUT, ROWS
from netwise.training.periodic_calls import call_periodically
from netwise.training.progress import POLL_SECONDS, RunProgress, active_monitor

TAIL = 20_000  # bytes of a history's end that hold its last epoch


@contextmanager
def report_trials(study: StudyFolder, told: Callable[[TrialRecord], None] | None) -> Iterator[None]:
    """Inside, `told` hears of each trial that ends from now on, once, and who watches hears of all
    runs at work."""
    tell = active_monitor()
    if told is None and tell is None:
        yield
        return
    known = {trial.number for trial in study.trials() if trial.ended}

    def look() -> None:
        tried = study.trials()
        for trial in tried:
            if trial.ended and trial.number not in known:
                known.add(trial.number)
                if told is not None:
                    told(trial)
        if tell is not None:
            tell(_words(tried), running_trials(study, tried))

    with call_periodically(POLL_SECONDS, look):
        yield
    look()


def _words(tried: Sequence[TrialRecord]) -> str:
    best = best_of(tried)
    lead = (
        ""
        if best is None or best.value is None
        else f", best {best.value:.4f} (trial {best.number})"
    )
    return f"{sum(t.ended for t in tried)} trials ended{lead}"


def running_trials(study: StudyFolder, tried: Sequence[TrialRecord]) -> list[RunProgress]:
    """What the folders of running trials, and of the winner's fresh runs, say by now."""
    found = [
        _standing(study.folder(t.number), f"trial {t.number}", t.point_text)
        for t in tried
        if t.state == RUNNING
    ]
    for about in sorted((study.path / FRESH).glob(f"*/*/{ABOUT}")):
        run = about.parent
        if _state(run) == BEING_TRAINED:
            found.append(
                _standing(
                    run,
                    f"fresh {run.name}",
                    f"{run.parent.name.replace('-', ' ')} with another seed",
                )
            )
    return found


def _standing(home: Path, name: str, about: str) -> RunProgress:
    """How far the newest run in a folder is: the folder itself, or one of a trial's runs."""
    runs = sorted(
        {path.parent for pattern in (ABOUT, f"*/{ABOUT}") for path in home.glob(pattern)},
        key=lambda run: (run / ABOUT).stat().st_mtime,
    )
    try:
        run = runs[-1]
        epochs = int(json.loads((run / ABOUT).read_text("utf-8"))["facts"]["epochs"])
        epoch, value = _last_epoch(run / ROWS)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return RunProgress(name, about=about)  # it is just being written
    return RunProgress(
        f"{name}, {run.name}" if len(runs) > 1 else name, epoch, epochs, value, about
    )


def _state(run: Path) -> str:
    try:
        return str(json.loads((run / ABOUT).read_text("utf-8"))["ended"]["how"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _last_epoch(rows: Path) -> tuple[int, float | None]:
    if not rows.is_file():
        return 0, None
    with open(rows, "rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        lines = file.read().split(b"\n")[1 if size > TAIL else 0 : -1]
    for line in reversed(lines):
        row = json.loads(line)
        if VALID_LOSS in row or TRAIN_LOSS in row:
            return int(row["epoch"]) + 1, valid_value(row)
    return 0, None
