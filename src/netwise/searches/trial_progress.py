"""Progress of the trials of a search: workers write run folders, this process polls them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from netwise.history import RUNNING as RUN_IN_PROGRESS, RunFacts
from netwise.schema import parse_json, typed
from netwise.scoring.metrics import own_value
from netwise.searches.study import FRESH, StudyFolder
from netwise.searches.trial_record import RUNNING, TrialRecord, ranked
from netwise.signals import TRAIN_LOSS, VALID_LOSS, valid_value
from netwise.storage.layout import ABOUT, ROWS
from netwise.storage.rows_file import parse_row
from netwise.training.periodic_calls import call_periodically
from netwise.training.progress import POLL_SECONDS, RunProgress, active_monitor

TAIL_BYTES = 20_000  # of a history file: enough to hold its last epoch


@contextmanager
def report_trials(
    study: StudyFolder, on_trial_end: Callable[[TrialRecord], None] | None
) -> Iterator[None]:
    """Inside, call `on_trial_end` once per finished trial and update the progress monitor."""
    monitor = active_monitor()
    if on_trial_end is None and monitor is None:
        yield
        return
    reported = {trial.number for trial in study.trials() if trial.ended}

    def poll() -> None:
        trials = study.trials()
        for trial in trials:
            if trial.ended and trial.number not in reported:
                reported.add(trial.number)
                if on_trial_end is not None:
                    on_trial_end(trial)
        if monitor is not None:
            monitor(_summary(trials, study.recipe.metric), running_trials(study, trials))

    with call_periodically(POLL_SECONDS, poll):
        yield
    poll()


def _summary(trials: Sequence[TrialRecord], metric: str | None) -> str:
    best = ranked(trials)
    number = own_value(metric, best[0].value or 0.0) if best else 0.0
    value = f", best {number:.4f} (trial {best[0].number})" if best else ""
    return f"{sum(trial.ended for trial in trials)} trials ended{value}"


def running_trials(study: StudyFolder, trials: Sequence[TrialRecord]) -> list[RunProgress]:
    """The progress of running trials, and of the winner's runs with fresh seeds."""
    progress = [
        _progress(study.folder(trial.number), f"trial {trial.number}", trial.point_text)
        for trial in trials
        if trial.state == RUNNING
    ]
    for about in sorted((study.path / FRESH).glob(f"*/*/{ABOUT}")):
        run = about.parent
        if _state(run) == RUN_IN_PROGRESS:
            trial = run.parent.name.replace("-", " ")
            progress.append(_progress(run, f"fresh {run.name}", f"{trial} with another seed"))
    return progress


def _progress(home: Path, name: str, about: str) -> RunProgress:
    """The progress of the newest run in a folder: the folder itself, or one of a trial's runs."""
    runs = sorted(
        {path.parent for pattern in (ABOUT, f"*/{ABOUT}") for path in home.glob(pattern)},
        key=lambda run: (run / ABOUT).stat().st_mtime,
    )
    try:
        run = runs[-1]
        facts = typed(RunFacts, _about(run)["facts"])
        epoch, value = _last_epoch(run / ROWS)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return RunProgress(name, about=about)  # its files are just being written
    name = f"{name}, {run.name}" if len(runs) > 1 else name
    return RunProgress(name, epoch, facts.epochs or 0, value, about)


def _state(run: Path) -> str:
    try:
        return str(_about(run)["ended"]["how"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _about(run: Path) -> Any:
    return parse_json((run / ABOUT).read_bytes())


def _last_epoch(rows: Path) -> tuple[int, float | None]:
    """How many epochs a history has, and the validation value of the last one."""
    if not rows.is_file():
        return 0, None
    with open(rows, "rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        lines = file.read().split(b"\n")[1 if size > TAIL_BYTES else 0 : -1]
    for line in reversed(lines):
        row = parse_row(line)
        if VALID_LOSS in row or TRAIN_LOSS in row:
            return int(row["epoch"]) + 1, valid_value(row)
    return 0, None
