"""A worker of a search: claims a trial, trains it, stores its value, claims the next. It may be
killed at any moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netwise.errors import FileAccessError, named
from netwise.networks import Network
from netwise.searches.halving import HalvingCallback
from netwise.searches.methods import Stage
from netwise.searches.space import Space
from netwise.searches.study import HEARTBEAT_ATTRIBUTE, RESULT_ATTRIBUTE, StudyFolder
from netwise.searches.supervise import FINISHED, MAX_CRASHES
from netwise.searches.trial_record import COMPLETE, FAILED, PRUNED, TrialRecord
from netwise.searches.trial_run import RunStopped, TrialOutcome, TrialPostponed, run_trial
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
        code: names of the caller's own networks inside of the recipe's parts.
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
    code: tuple[str, ...] = ()
    data: str | None = None
    checkpoint_every: int = 0
    alone: bool = False


def run_worker(task: WorkerTask) -> str:
    """Run trials of a stage until all are claimed.

    Returns:
        FINISHED, or how a signal ended them: STOPPED or SIGTERMED.
    """
    with limit_cores(task.cores):
        study = StudyFolder.open(task.folder, task.url, task.space, task.network, task.code)
        with use_shared_data(study.recipe, task.data):
            return _run_trials(study, task)


def _run_trials(study: StudyFolder, task: WorkerTask) -> str:
    stage = study.stage(task.stage)
    while (claimed := study.claim(task.stage, stage)) is not None:
        trial, lock = claimed
        with lock, heartbeat(trial, study.has_shared_locks):
            if task.alone and not study.may_retry(trial.number):
                _store_end(study, trial, TrialOutcome(None, FAILED, {"reason": CRASHED}))
                continue
            try:
                outcome = _outcome_of(study, stage, trial, task.checkpoint_every)
            except (RunStopped, TrialPostponed) as stop:
                study.requeue(trial._trial_id)
                study.reset_crashes(trial.number)
                if isinstance(stop, RunStopped):
                    return stop.end
            else:
                _store_end(study, trial, outcome)
    return FINISHED


def _outcome_of(
    study: StudyFolder, stage: Stage, trial: Any, checkpoint_every: int
) -> TrialOutcome:
    """Train one trial. An error of one recipe fails its trial, and not the search.

    Raises:
        RunStopped, TrialPostponed: it is to be continued.
    """
    record = TrialRecord(
        trial.number,
        trial.user_attrs["stage"],
        study.plan.space.point_of(trial.params),
        parent=trial.user_attrs.get("parent"),
    )
    try:
        recipe = study.recipe_of(record, stage)
        rungs = study.plan.method.rungs(recipe.epochs)
        halving = None if rungs is None else HalvingCallback(study, trial, rungs)
        folder = study.folder(trial.number)
        return run_trial(study.plan, recipe, folder, checkpoint_every, halving)
    except (RunStopped, TrialPostponed):
        raise
    except FileAccessError as error:
        if error.during_work or Path(str(error.filename)).is_relative_to(study.path):
            raise  # not the fault of this recipe: the trial stays unfinished, and is resumed
        return TrialOutcome(None, FAILED, {"reason": str(error)})
    except Exception as error:
        return TrialOutcome(None, FAILED, {"reason": named(error, 2000)})


def _store_end(study: StudyFolder, trial: Any, outcome: TrialOutcome) -> None:
    """Store how a trial ended. If two workers finish one trial, the first result wins."""
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    with suppress(UpdateFinishedTrialError):
        trial.set_user_attr(RESULT_ATTRIBUTE, outcome.attributes)
    states = {COMPLETE: None, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}
    study.optuna_study.tell(
        trial.number,
        outcome.value if outcome.state == COMPLETE else None,
        state=states[outcome.state],
        skip_if_finished=True,
    )


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
