"""One trial: its runs trained, resumed or read, and their value."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netwise.atomic import delete_folder
from netwise.data.views import Fold
from netwise.errors import RunFolderError
from netwise.history import DIVERGED, INTERRUPTED, RUNNING, History
from netwise.intervals import of_folds, wilson
from netwise.recipe.recipe import Recipe
from netwise.searches.halving import HalvingCallback
from netwise.searches.plan import SearchPlan
from netwise.searches.supervise import SIGTERMED, STOPPED
from netwise.searches.trial_record import COMPLETE, FAILED, PRUNED
from netwise.signals import VALID_ACCURACY
from netwise.storage.layout import ABOUT, RECIPE, WEIGHTS, is_present
from netwise.storage.run_folder import RunFolder, load_history
from netwise.tasks import task_named
from netwise.training.fit import fit, resume
from netwise.treatment.goals import goal_of


class RunStopped(Exception):
    """A signal such as Ctrl-C interrupted a run; its folder can be resumed. Not an error.

    Args:
        sentence: of the run's end, which names the signal.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.end = SIGTERMED if signal.SIGTERM.name in sentence else STOPPED


class TrialPostponed(Exception):
    """The trial goes back into the queue, behind the trials of lower numbers. Not an error."""


@dataclass(frozen=True)
class TrialOutcome:
    """What a trial gives back.

    Args:
        value: of the goal: of its run, or the mean over its folds; None where a run diverged.
        state: "complete", "pruned" (the method stopped it early) or "failed" (a run diverged).
        attributes: value, interval, seconds, epochs and reason, as the storage keeps them.
    """

    value: float | None
    state: str
    attributes: dict[str, Any]


def run_trial(
    plan: SearchPlan,
    recipe: Recipe,
    folder: Path,
    checkpoint_every: int = 0,
    halving: HalvingCallback | None = None,
) -> TrialOutcome:
    """Train the run of a trial, or the runs of its folds, in `folder`, and return its value. After
    the first fold that diverges no other is trained.

    Raises:
        RunStopped: a signal interrupted it.
        TrialPostponed: `halving` did.
    """
    if not plan.folds:
        history = train_or_resume(recipe, folder / "run", checkpoint_every, halving)
        if history.ended.how == DIVERGED:
            return _failed([history], history.ended.sentence)
        value = goal_of(history, recipe)
        low, high = accuracy_interval(history, value)
        reason = halving.reason if halving is not None else ""
        attributes = _attributes([history], value, low, high, reason)
        return TrialOutcome(value, PRUNED if reason else COMPLETE, attributes)
    values, histories = [], []
    for repeat in range(plan.repeats):
        for number in range(plan.folds):
            data = Fold(data=recipe.data, folds=plan.folds, number=number, repeat=repeat)
            fold = recipe.but(data=data)
            home = folder / f"fold-{repeat}-{number}"
            histories.append(train_or_resume(fold, home, checkpoint_every))
            if (ended := histories[-1].ended).how == DIVERGED:
                return _failed(histories, f"{home.name}: {ended.sentence}")
            values.append(goal_of(histories[-1], fold))
    value, low, high = of_folds(values, plan.folds)
    return TrialOutcome(value, COMPLETE, _attributes(histories, value, low, high))


def _failed(histories: Sequence[History], reason: str) -> TrialOutcome:
    return TrialOutcome(None, FAILED, _attributes(histories, reason=reason))


def _attributes(
    histories: Sequence[History],
    value: float | None = None,
    low: float | None = None,
    high: float | None = None,
    reason: str = "",
) -> dict[str, Any]:
    losses = [history.of("train.loss") for history in histories]
    attributes: dict[str, Any] = {
        "value": value,
        "low": low,
        "high": high,
        "seconds": round(sum(history.made_by.seconds for history in histories), 3),
        "epochs": sum(len(series.values) for series in losses if series is not None),
        "reason": reason,
    }
    return {name: each for name, each in attributes.items() if each not in (None, "")}


def accuracy_interval(history: History, accuracy: float) -> tuple[float, float] | tuple[None, None]:
    """The 95 % interval (Wilson) of a validation accuracy, by the number of samples it was measured
    on; (None, None) where the value is no accuracy."""
    facts = history.facts
    if (
        not task_named(facts.task).has_classes
        or not facts.valid_size
        or history.of(VALID_ACCURACY) is None
        or facts.metric not in (None, "accuracy")
    ):
        return None, None
    return wilson(round(accuracy * facts.valid_size), facts.valid_size)


def train_or_resume(
    recipe: Recipe,
    folder: Path,
    checkpoint_every: int = 0,
    halving: HalvingCallback | None = None,
    test: bool = False,
) -> History:
    """Load, resume or start the run in this folder; return its history.

    Raises:
        RunStopped: a signal interrupted it; the folder can be resumed.
        TrialPostponed: `halving` did.
        RunFolderError: the run has ended and its weights are missing.
    """
    if not is_present(folder / RECIPE) or not is_present(folder / ABOUT):
        if is_present(folder / RECIPE):  # an earlier version was killed before the first step
            delete_folder(folder)
        run = fit(recipe, folder=folder, test=test, checkpoint_every=checkpoint_every, halt=halving)
        return _unless_stopped(run.history, halving)
    history, left = load_history(folder), None
    if halving is not None:
        left = halving.catch_up(RunFolder.open(folder).rows())
    if history.ended.how in (RUNNING, INTERRUPTED):
        if left is None:
            history = resume(folder, network=recipe.network, halt=halving).history
    elif not is_present(folder / WEIGHTS):
        raise RunFolderError(
            f"{folder} is damaged: its run has ended and {WEIGHTS} is missing. Delete the folder, "
            "then resume the search: the run is trained again."
        )
    return _unless_stopped(history, halving)


def _unless_stopped(history: History, halving: HalvingCallback | None) -> History:
    if halving is not None and halving.is_postponed:
        raise TrialPostponed
    if history.ended.how == INTERRUPTED and (halving is None or not halving.reason):
        raise RunStopped(history.ended.sentence)
    return history
