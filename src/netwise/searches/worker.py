"""A worker: takes a trial, trains it, says what it was worth, takes the next. It may be killed at
any moment."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from netwise.data.views import Fold
from netwise.errors import RunFolderError
from netwise.history import DIVERGED, INTERRUPTED, RUNNING, History
from netwise.intervals import of_folds, wilson
from netwise.networks import Network
from netwise.recipe.recipe import Recipe
from netwise.searches.axes import Space
from netwise.searches.methods import Stage, TrialRecord
from netwise.searches.study import HEARTBEAT_INTERVAL, MAX_CRASHES, TOLD, StudyFolder
from netwise.signals import VALID_ACCURACY, VALID_LOSS, valid_value
from netwise.storage.layout import ABOUT, RECIPE, WEIGHTS
from netwise.storage.run_folder import load_history
from netwise.tasks import CLASSIFICATION
from netwise.training.fit import fit, resume
from netwise.training.periodic_calls import call_periodically
from netwise.training.shared_data import use_shared_data
from netwise.training.threads import limit_cores
from netwise.treatment.goals import goal_of

ENDED, STOPPED, KILLED = "ended", "stopped", "killed"
KILLING = f"its worker was killed {MAX_CRASHES} times while it was alone at work, without getting further: too little memory for it, or no checkpoint in time"


@dataclass(frozen=True)
class WorkerTask:
    """What a worker has to know, and nothing that grows with the data.

    Args:
        folder: of the study.
        url: of its storage, or None.
        stage: which one it works on.
        share: cores of each worker.
        space: of the plan, where the user handed it over; else None, and it is read.
        network: the user's own, which the files do not hold; else None.
        data: folder where the data are loaded already, or None.
        checkpoint_every: steps between checkpoints besides those of epochs.
        alone: nobody else of this search is at work on this machine, so what kills the worker is
            its own trial.
    """

    folder: str
    url: str | None
    stage: int
    share: int
    space: Space | None = None
    network: Network | None = None
    data: str | None = None
    checkpoint_every: int = 0
    alone: bool = False


def work(post: WorkerTask) -> str:
    """Take trials of a stage until all are given out. "stopped" where a signal asked to end,
    "ended" else."""
    with limit_cores(post.share):
        study = StudyFolder.open(post.folder, post.url, post.space, post.network)
        with use_shared_data(study.recipe, post.data):
            return _trials(study, post)


def _trials(study: StudyFolder, post: WorkerTask) -> str:
    stage = study.stage(post.stage)
    while True:
        taken = study.claim(post.stage, stage)
        if taken is None:
            return ENDED
        trial, lock = taken
        with lock, _signs_of_life(trial, study.shared):
            if post.alone and not study.may_retry(trial.number):
                _fail(study, stage, trial, KILLING)
                continue
            if not _take(study, stage, trial, post.checkpoint_every):
                study.requeue(trial._trial_id)
                study.reset_crashes(trial.number)
                return STOPPED


class Stopped(Exception):  # no error: somebody pressed Ctrl-C
    """A run was interrupted by a signal."""


def _take(study: StudyFolder, stage: Stage, trial: Any, checkpoint_every: int) -> bool:
    """Train one trial and tell its value; False where a signal interrupted it."""
    import optuna

    number = trial.number
    point = study.plan.space.point_of(trial.params)
    tried = TrialRecord(
        number, trial.user_attrs["stage"], point, parent=trial.user_attrs.get("parent")
    )
    try:
        recipe = study.recipe_of(tried, stage)
        found = _judged(study, recipe, study.folder(number), trial, checkpoint_every)
    except Stopped:
        return False
    except Exception as error:  # whatever a recipe raises ends this trial and not the search
        _fail(study, stage, trial, f"{type(error).__name__}: {error}"[:2000])
        return True
    trial.set_user_attr(TOLD, found.told)
    if found.pruned:
        _tell(study, stage, number, state=optuna.trial.TrialState.PRUNED)
    else:
        _tell(study, stage, number, found.value)
    return True


def _fail(study: StudyFolder, stage: Stage, trial: Any, reason: str) -> None:
    import optuna

    trial.set_user_attr(TOLD, {"reason": reason})
    _tell(study, stage, trial.number, state=optuna.trial.TrialState.FAIL)


def _tell(
    study: StudyFolder, stage: Stage, number: int, value: float | None = None, state: Any = None
) -> None:
    """Where two machines took each other for dead, the first word counts and the second one is not
    heard."""
    study.optuna_study(stage.epochs).tell(number, value, state=state, skip_if_finished=True)


@dataclass(frozen=True)
class _Found:
    value: float
    pruned: bool
    told: dict[str, Any]


def _judged(
    study: StudyFolder, recipe: Recipe, home: Path, trial: Any, checkpoint_every: int
) -> _Found:
    """The value of a trial: of its run, or the mean over its folds."""
    search = study.plan
    if not search.folds:
        prune = _Pruning(trial, search.method.pruner(recipe.epochs) is not None)
        history = trained(recipe, home / "run", checkpoint_every, prune)
        value = goal_of(history, recipe)
        low, high = interval_of(history, value)
        reason = prune.why or (history.ended.sentence if history.ended.how == DIVERGED else "")
        return _Found(value, bool(prune.why), _told([history], value, low, high, reason))
    values, histories = [], []
    for repeat in range(search.repeats):
        for number in range(search.folds):
            fold = recipe.but(
                data=Fold(data=recipe.data, folds=search.folds, number=number, repeat=repeat)
            )
            histories.append(trained(fold, home / f"fold-{repeat}-{number}", checkpoint_every))
            values.append(goal_of(histories[-1], fold))
    value, low, high = of_folds(values, search.folds)
    broken = [history.ended.sentence for history in histories if history.ended.how == DIVERGED]
    return _Found(value, False, _told(histories, value, low, high, broken[0] if broken else ""))


def _told(
    histories: list[History], value: float, low: float | None, high: float | None, reason: str
) -> dict[str, Any]:
    epochs = sum(
        len(each.values) for history in histories if (each := history.of("train.loss")) is not None
    )
    seconds = sum(history.made_by.seconds for history in histories)
    told: dict[str, Any] = {
        "value": value,
        "low": low,
        "high": high,
        "seconds": round(seconds, 3),
        "epochs": epochs,
        "reason": reason,
    }
    return {name: each for name, each in told.items() if each not in (None, "")}


def interval_of(history: History, value: float) -> tuple[float, float] | tuple[None, None]:
    """The 95 % interval that the number of validation samples leaves to a share of right
    answers."""
    facts = history.facts
    if facts.task != CLASSIFICATION or not facts.valid_size or history.of(VALID_ACCURACY) is None:
        return None, None
    return wilson(round(value * facts.valid_size), facts.valid_size)


class _Pruning:
    """Tells Optuna the value after each epoch and asks whether to leave off; a run that is resumed
    tells nothing twice."""

    def __init__(self, trial: Any, active: bool) -> None:
        self.trial, self.active, self.why = trial, active, ""
        self.seen = (
            set(trial.storage.get_trial(trial._trial_id).intermediate_values) if active else set()
        )

    def __call__(self, epoch: int, row: Mapping[str, Any]) -> str | None:
        if not self.active:
            return None
        value = valid_value(row)
        if value is None:
            value = -float(row.get(VALID_LOSS, 0.0))
        if epoch not in self.seen:
            self.trial.report(value, epoch)
        if self.trial.should_prune():
            self.why = f"pruned after epoch {epoch}: others were better by then"
            return self.why
        return None


def trained(
    recipe: Recipe,
    folder: Path,
    checkpoint_every: int = 0,
    halt: _Pruning | None = None,
    test: bool = False,
) -> History:
    """The history of a run in this folder: as it is there, gone on with, or trained from the start.

    Raises:
        Stopped: a signal interrupted it; everything is kept.
    """
    if (
        not (folder / ABOUT).is_file() or not (folder / RECIPE).is_file()
    ):  # killed before its first step: nothing is lost
        shutil.rmtree(folder, ignore_errors=True)
        run = fit(recipe, folder=folder, test=test, checkpoint_every=checkpoint_every, halt=halt)
        return _unless_stopped(run.history, halt)
    history = load_history(folder)
    if history.ended.how in (RUNNING, INTERRUPTED):
        history = resume(folder, network=recipe.network, halt=halt).history
    elif not (folder / WEIGHTS).is_file():
        raise RunFolderError(f"{folder} has ended and has no weights: the folder is damaged")
    return _unless_stopped(history, halt)


def _unless_stopped(history: History, halt: _Pruning | None) -> History:
    if history.ended.how == INTERRUPTED and (halt is None or not halt.why):
        raise Stopped
    return history


@contextmanager
def _signs_of_life(trial: Any, shared: bool) -> Iterator[None]:
    """Where others cannot see this folder's locks, say now and then that the trial is being worked
    on."""
    if shared:
        yield
        return
    with call_periodically(HEARTBEAT_INTERVAL, lambda: trial.set_user_attr("beat", time.time())):
        yield


def run_parallel(do: Callable[[Any], str], tasks: Sequence[Any], jobs: int) -> str:
    """Each task through joblib, so many at a time: processes here, or a cluster under
    `joblib.parallel_config`; one at a time in this process.

    Returns:
        "stopped" where a signal asked to end, "killed" where a worker was killed from outside,
        "ended" else.
    """
    if jobs == 1:
        for task in tasks:
            if do(task) == STOPPED:
                return STOPPED
        return ENDED
    try:
        ends: Any = joblib.Parallel(n_jobs=jobs, batch_size=1)(
            joblib.delayed(do)(task) for task in tasks
        )
    except KeyboardInterrupt:
        return STOPPED
    except TerminatedWorkerError:
        return KILLED
    return STOPPED if STOPPED in ends else ENDED
