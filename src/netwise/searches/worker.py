"""A worker of a search: claims a trial, trains it, stores its value, claims the next. It may be
killed at any moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netwise.errors import FileAccessError
from netwise.networks import Network
from netwise.searches.methods import Stage
from netwise.searches.space import Space
from netwise.searches.study import HEARTBEAT_ATTRIBUTE, RESULT_ATTRIBUTE, StudyFolder
from netwise.searches.supervise import FINISHED, MAX_CRASHES, STOPPED
from netwise.searches.trial_record import TrialRecord
from netwise.searches.trial_run import RunStopped, run_trial
from netwise.training.periodic_calls import call_periodically
from netwise.training.shared_data import use_shared_data
from netwise.training.threads import limit_cores

HEARTBEAT_INTERVAL = 20.0  # seconds
CRASHED = (
    f"its worker was killed {MAX_CRASHES} times while no other worker ran here, without progress: "
    "the trial needs more memory than there is, or more time than is left before each kill"
)


@dataclass(frozen=True)
class WorkerTask:
    """What a worker needs to start. Its size does not depend on the data.

    Args:
        folder: of the study.
        url: of its storage, or None.
        stage: whose trials it runs.
        cores: CPU cores of each worker.
        space: of the plan, where the caller passed it; None: it is read from the study.
        network: the caller's own, which no file holds; else None.
        data: folder of the data that are loaded already, or None.
        checkpoint_every: steps between checkpoints, besides those at the ends of epochs.
        alone: no other worker of this search runs on this machine, so a kill was caused by its own
            trial.
    """

    folder: str
    url: str | None
    stage: int
    cores: int
    space: Space | None = None
    network: Network | None = None
    data: str | None = None
    checkpoint_every: int = 0
    alone: bool = False


def run_worker(task: WorkerTask) -> str:
    """Run trials of a stage until all are claimed: FINISHED, or STOPPED by a signal."""
    with limit_cores(task.cores):
        study = StudyFolder.open(task.folder, task.url, task.space, task.network)
        with use_shared_data(study.recipe, task.data):
            return _run_trials(study, task)


def _run_trials(study: StudyFolder, task: WorkerTask) -> str:
    stage = study.stage(task.stage)
    while (claimed := study.claim(task.stage, stage)) is not None:
        trial, lock = claimed
        with lock, heartbeat(trial, study.has_shared_locks):
            if task.alone and not study.may_retry(trial.number):
                _store_failure(study, stage, trial, CRASHED)
            elif not _run_claimed(study, stage, trial, task.checkpoint_every):
                study.requeue(trial._trial_id)
                study.reset_crashes(trial.number)
                return STOPPED
    return FINISHED


def _run_claimed(study: StudyFolder, stage: Stage, trial: Any, checkpoint_every: int) -> bool:
    """Train one trial and store its value; False where a signal interrupted it."""
    import optuna

    record = TrialRecord(
        trial.number,
        trial.user_attrs["stage"],
        study.plan.space.point_of(trial.params),
        parent=trial.user_attrs.get("parent"),
    )
    try:
        recipe = study.recipe_of(record, stage)
        folder = study.folder(trial.number)
        outcome = run_trial(study.plan, recipe, folder, trial, checkpoint_every)
    except RunStopped:
        return False
    except FileAccessError as error:
        if error.during_work or Path(str(error.filename)).is_relative_to(study.path):
            raise  # not the fault of this recipe: the trial stays unfinished, and is resumed
        _store_failure(study, stage, trial, str(error))
        return True
    except Exception as error:  # an error of one recipe ends its trial and not the search
        _store_failure(study, stage, trial, f"{type(error).__name__}: {error}"[:2000])
        return True
    trial.set_user_attr(RESULT_ATTRIBUTE, outcome.attributes)
    if outcome.pruned:
        _store_end(study, stage, trial.number, state=optuna.trial.TrialState.PRUNED)
    else:
        _store_end(study, stage, trial.number, outcome.value)
    return True


def _store_failure(study: StudyFolder, stage: Stage, trial: Any, reason: str) -> None:
    import optuna

    trial.set_user_attr(RESULT_ATTRIBUTE, {"reason": reason})
    _store_end(study, stage, trial.number, state=optuna.trial.TrialState.FAIL)


def _store_end(
    study: StudyFolder, stage: Stage, number: int, value: float | None = None, state: Any = None
) -> None:
    """Store how a trial ended. If two workers finish one trial, the first result wins."""
    study.optuna_study(stage.epochs).tell(number, value, state=state, skip_if_finished=True)


@contextmanager
def heartbeat(trial: Any, has_shared_locks: bool) -> Iterator[None]:
    """Store the time every `HEARTBEAT_INTERVAL` while the trial runs, where other machines cannot
    see the locks in this folder."""
    if has_shared_locks:
        yield
        return
    with call_periodically(
        HEARTBEAT_INTERVAL, lambda: trial.set_user_attr(HEARTBEAT_ATTRIBUTE, time.time())
    ):
        yield
