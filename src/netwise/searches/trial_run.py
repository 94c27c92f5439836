"""One trial: its runs trained, resumed or read, and their value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netwise.atomic import delete_folder
from netwise.data.views import Fold
from netwise.errors import RunFolderError
from netwise.history import DIVERGED, INTERRUPTED, RUNNING, History
from netwise.intervals import of_folds, wilson
from netwise.recipe.recipe import Recipe
from netwise.searches.plan import SearchPlan
from netwise.signals import VALID_ACCURACY, VALID_LOSS, valid_value
from netwise.storage.layout import ABOUT, RECIPE, WEIGHTS
from netwise.storage.run_folder import load_history
from netwise.tasks import task_named
from netwise.training.fit import fit, resume
from netwise.treatment.goals import goal_of


class RunStopped(Exception):
    """A signal such as Ctrl-C interrupted a run; its folder can be resumed. Not an error."""


@dataclass(frozen=True)
class TrialOutcome:
    """What a trial gives back.

    Args:
        value: of the goal: of its run, or the mean over its folds.
        pruned: the method stopped it early.
        attributes: value, interval, seconds, epochs and reason, as the storage keeps them.
    """

    value: float
    pruned: bool
    attributes: dict[str, Any]


class PruningCallback:
    """Reports the value to Optuna after each epoch, and stops the run where the pruner decides so.

    Epochs that were reported before a run was resumed are not reported again.
    """

    def __init__(self, trial: Any, active: bool) -> None:
        self.trial, self.active, self.reason = trial, active, ""
        self.reported = (
            set(trial.storage.get_trial(trial._trial_id).intermediate_values) if active else set()
        )

    def __call__(self, epoch: int, row: Mapping[str, Any]) -> str | None:
        if not self.active:
            return None
        value = valid_value(row)
        if value is None:
            value = -float(row.get(VALID_LOSS, 0.0))
        if epoch not in self.reported:
            self.trial.report(value, epoch)
        if self.trial.should_prune():
            self.reason = f"pruned after epoch {epoch}: others were better by then"
            return self.reason
        return None


def run_trial(
    plan: SearchPlan, recipe: Recipe, folder: Path, trial: Any, checkpoint_every: int
) -> TrialOutcome:
    """Train the run of a trial, or the runs of its folds, in `folder`, and return its value.

    Raises:
        RunStopped: a signal interrupted it.
    """
    if not plan.folds:
        pruning = PruningCallback(trial, plan.method.pruner(recipe.epochs) is not None)
        history = train_or_resume(recipe, folder / "run", checkpoint_every, pruning)
        value = goal_of(history, recipe)
        low, high = accuracy_interval(history, value)
        attributes = _attributes([history], value, low, high, pruning.reason)
        return TrialOutcome(value, bool(pruning.reason), attributes)
    values, histories = [], []
    for repeat in range(plan.repeats):
        for number in range(plan.folds):
            data = Fold(data=recipe.data, folds=plan.folds, number=number, repeat=repeat)
            fold = recipe.but(data=data)
            home = folder / f"fold-{repeat}-{number}"
            histories.append(train_or_resume(fold, home, checkpoint_every))
            values.append(goal_of(histories[-1], fold))
    value, low, high = of_folds(values, plan.folds)
    return TrialOutcome(value, False, _attributes(histories, value, low, high, ""))


def _attributes(
    histories: Sequence[History], value: float, low: float | None, high: float | None, reason: str
) -> dict[str, Any]:
    losses = [history.of("train.loss") for history in histories]
    diverged = [history.ended.sentence for history in histories if history.ended.how == DIVERGED]
    attributes: dict[str, Any] = {
        "value": value,
        "low": low,
        "high": high,
        "seconds": round(sum(history.made_by.seconds for history in histories), 3),
        "epochs": sum(len(series.values) for series in losses if series is not None),
        "reason": reason or (diverged[0] if diverged else ""),
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
    ):
        return None, None
    return wilson(round(accuracy * facts.valid_size), facts.valid_size)


def train_or_resume(
    recipe: Recipe,
    folder: Path,
    checkpoint_every: int = 0,
    pruning: PruningCallback | None = None,
    test: bool = False,
) -> History:
    """Load, resume or start the run in this folder; return its history.

    Raises:
        RunStopped: a signal interrupted it; the folder can be resumed.
        RunFolderError: the run has ended and its weights are missing.
    """
    # Without these two files the run was killed before its first step.
    if not (folder / ABOUT).is_file() or not (folder / RECIPE).is_file():
        delete_folder(folder)
        run = fit(recipe, folder=folder, test=test, checkpoint_every=checkpoint_every, halt=pruning)
        return _unless_stopped(run.history, pruning)
    history = load_history(folder)
    if history.ended.how in (RUNNING, INTERRUPTED):
        history = resume(folder, network=recipe.network, halt=pruning).history
    elif not (folder / WEIGHTS).is_file():
        raise RunFolderError(
            f"{folder} is damaged: its run has ended and {WEIGHTS} is missing. Delete the folder, "
            "then resume the search: the run is trained again."
        )
    return _unless_stopped(history, pruning)


def _unless_stopped(history: History, pruning: PruningCallback | None) -> History:
    if history.ended.how == INTERRUPTED and (pruning is None or not pruning.reason):
        raise RunStopped
    return history
