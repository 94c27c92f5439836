"""The result of a search, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from netwise.history import DIVERGED
from netwise.intervals import of_mean
from netwise.printed_text import printable
from netwise.recipe.plain import plain_of, plain_value
from netwise.recipe.recipe import Recipe
from netwise.scoring.metrics import metric_named, own_interval, own_value
from netwise.scoring.score import Score
from netwise.searches.advice import plan_advice
from netwise.searches.confirmation import FreshRun, fresh_runs, fresh_values, test_score
from netwise.searches.plan import SearchPlan
from netwise.searches.space import Space
from netwise.searches.study import StudyFolder
from netwise.searches.trial_record import FAILED, TrialRecord, ranked
from netwise.storage.run_folder import load_history

ROUNDING = 5e-5  # relative difference that four printed digits do not show


@dataclass(frozen=True)
class SearchResult:
    """What a search found, and how far it can be trusted.

    Args:
        folder: of the study.
        plan: the plan of the search.
        trials: all of them, by number.
        best: the winner, or None where no trial was completed.
        recipe: its recipe, with the epochs of a whole run; None where there is none.
        best_value: the winner's value in the search. The highest of many values is optimistic.
        fresh_values: values of the winner, trained with seeds that the search has not used.
        mean, low, high: of `fresh_values`, with the 95 % interval of the mean (Student's t).
        test: the score on the test part, measured once, by the first run with a fresh seed; None
            where there is no test part.
        notes: advice and warnings, such as a winner at the end of an axis.
        complete: all trials ended; else the search was interrupted and `resume_search` continues.
        metric: the metric that the recipe names; None for the usual one. Values of a loss or an
            error are negative, so that higher is better; where they are shown they have their own
            sign (`shown`).

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "study"
        >>> options = {"method": nw.Random(), "trials": 4, "fresh": 2, "jobs": 1}
        >>> found = nw.search(recipe, space, folder=folder, **options)
        >>> len(found.trials), found.best_value == max(t.value for t in found.trials)
        (4, True)
    """

    folder: Path
    plan: SearchPlan
    trials: tuple[TrialRecord, ...]
    best: TrialRecord | None = None
    recipe: Recipe | None = None
    best_value: float | None = None
    fresh_values: tuple[float, ...] = ()
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    test: Score | None = None
    notes: tuple[str, ...] = ()
    complete: bool = True
    metric: str | None = None

    def __str__(self) -> str:
        if self.best is None:
            none = f"No trial of {len(self.trials)} was completed."
            return printable(" ".join([none, *failure_notes(self.trials)]))
        lines = [f"Best of {len(self.trials)} trials: {self.best.point_text}."]
        lines.append(f"  in the search: {self.shown(self.best_value, 'g')}")
        if self.mean is not None:
            ends = self.shown_interval(self.low, self.high, "g")
            interval = f", {ends}" if ends else ""
            mean = self.shown(self.mean, "g")
            lines.append(f"  over {len(self.fresh_values)} fresh seeds: {mean}{interval}")
        if self.test is not None:
            lines.append(f"  test part: {self.test}")
        return printable("\n".join(lines))

    @property
    def value_title(self) -> str:
        """What the values of trials are."""
        return "value" if self.metric is None else metric_named(self.metric).title

    def shown(self, value: float | None, form: str = "f") -> str:
        """A value of the goal as the metric itself, with four digits; "" where there is none."""
        return "" if value is None else f"{own_value(self.metric, value):.4{form}}"

    def shown_interval(self, low: float | None, high: float | None, form: str = "f") -> str:
        """An interval of the goal as that of the metric itself; "" where there is none."""
        if low is None or high is None:
            return ""
        low, high = own_interval(self.metric, low, high)
        return f"{low:.4{form}} to {high:.4{form}}"

    @property
    def optimism(self) -> float | None:
        """`best_value` minus `mean`: what the search overestimates."""
        return None if self.best_value is None or self.mean is None else self.best_value - self.mean

    @property
    def ranked(self) -> list[TrialRecord]:
        """The trials that ran to the end, the best first."""
        return ranked(self.trials, self.plan.method.ranking_stage)


def load_search(
    folder: str | Path, *, space: Space | None = None, storage: str | None = None
) -> SearchResult:
    """The result of a search so far, whether it has ended, was interrupted or runs elsewhere;
    trains nothing, loads no data and writes nothing.

    Args:
        folder: of the study.
        space: again, where its axes change the recipe by functions of your own.
        storage: again, where it is not the journal in the folder: a folder that somebody else made
            could name any database.

    Raises:
        RunFolderError: no study.
        MissingPackage: Optuna is not installed.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "study"
        >>> options = {"method": nw.Random(), "trials": 3, "fresh": 1, "jobs": 1}
        >>> found = nw.search(recipe, space, folder=folder, **options)
        >>> nw.load_search(folder) == found
        True
    """
    study = StudyFolder.open(folder, storage, space, read_only=True)
    return collect_result(study, is_complete(study))


def is_complete(study: StudyFolder) -> bool:
    """All trials of all stages have ended, and all fresh runs of the winner."""
    for number in range(study.plan.method.stages):
        # A stage is known once the stages before it have ended.
        if study.ended_trials(number) < study.stage(number).trials:
            return False
    winner = study.winner()
    return winner is None or all(run.done for run in fresh_runs(study, *winner))


def collect_result(study: StudyFolder, complete: bool = True) -> SearchResult:
    """The result as far as the study's folder and storage have it."""
    plan, trials = study.plan, tuple(study.trials())
    notes = [str(problem) for problem in plan_advice(study.recipe, plan)]
    notes += failure_notes(trials)
    winner = study.winner()
    if winner is None:
        return SearchResult(
            study.path,
            plan,
            trials,
            notes=tuple(notes),
            complete=complete,
            metric=study.recipe.metric,
        )
    best, recipe = winner
    notes += border_notes(plan, best)
    runs = fresh_runs(study, best, recipe)
    notes += diverged_notes(runs)
    values = fresh_values(runs)
    mean, low, high = (fmean(values) if values else None), None, None
    if len(values) > 1:
        mean, low, high = of_mean(values)
    if mean is not None and best.value is not None:
        count = sum(trial.value is not None for trial in trials)
        notes.append(optimism_note(best.value, mean, count, study.recipe.metric))
    return SearchResult(
        study.path,
        plan,
        trials,
        best,
        recipe,
        best.value,
        tuple(values),
        mean,
        low,
        high,
        test_score(runs),
        tuple(notes),
        complete,
        study.recipe.metric,
    )


def failure_notes(trials: Sequence[TrialRecord]) -> list[str]:
    """How many trials have failed, with the reason of the first one; nothing where none has."""
    failed = [trial for trial in trials if trial.state == FAILED]
    if not failed:
        return []
    count, first = f"{len(failed)} of {len(trials)} trials failed", failed[0]
    reason = " ".join(first.reason.split())[:300]
    return [f"{count} and have no value; trial {first.number} ({first.point_text}): {reason}"]


def diverged_notes(runs: Sequence[FreshRun]) -> list[str]:
    """How many runs of the winner with fresh seeds have diverged; nothing where none has."""
    ends = [load_history(run.folder).ended for run in runs if run.done]
    diverged = [ended.sentence for ended in ends if ended.how == DIVERGED]
    if not diverged:
        return []
    count = f"{len(diverged)} of {len(ends)} runs of the winner with fresh seeds diverged"
    advice = "Lower the learning rate of its recipe before you use it"
    return [f"{count} and count as guessing: {diverged[0]} {advice}"]


def optimism_note(best_value: float, mean: float, count: int, metric: str | None = None) -> str:
    """Compare the best of `count` values of the goal with the mean over fresh seeds, in a
    sentence."""
    most = "highest" if own_value(metric, 1.0) > 0 else "lowest"
    by_chance = best_value - mean > ROUNDING * max(1.0, abs(best_value))
    difference = (
        f"{best_value - mean:.2g} of it was chance" if by_chance else "none of it was chance"
    )
    return (
        f"the best value of the search, {own_value(metric, best_value):.4g}, is the {most} of "
        f"{count}; with fresh seeds the winner has {own_value(metric, mean):.4g} on average "
        f"({difference}). Both values are of the validation samples that chose the winner: report "
        "the score on the test part"
    )


def border_notes(plan: SearchPlan, best: TrialRecord) -> list[str]:
    """A sentence for each axis at whose end the winner is: there may be better values beyond."""
    notes = []
    for axis in plan.space.axes:
        if axis.name in best.point and (end := axis.at_border(best.point[axis.name])):
            wider = "lower its low end" if end == "low" else "raise its high end"
            notes.append(
                f"the best {axis.name} = {best.point[axis.name]:.4g} is at the {end} end of its "
                f"axis, and there may be better ones beyond: {wider} and search again"
            )
    return notes


def result_as_dict(result: SearchResult) -> dict[str, Any]:
    """The result as plain values, for outcome.json and `--json`."""
    return {
        "folder": str(result.folder),
        "complete": result.complete,
        "method": type(result.plan.method).__name__,
        "trials": [_trial_as_dict(trial) for trial in result.trials],
        "best": None if result.best is None else _trial_as_dict(result.best),
        "recipe": None if result.recipe is None else plain_of(result.recipe),
        "own": result.best_value,
        "fresh": list(result.fresh_values),
        "mean": result.mean,
        "low": result.low,
        "high": result.high,
        "optimism": result.optimism,
        "test": None
        if result.test is None
        else {**vars(result.test), "sentence": str(result.test)},
        "notes": list(result.notes),
    }


def _trial_as_dict(trial: TrialRecord) -> dict[str, Any]:
    """The fields of a trial. `seen` is the name of `epoch_values` in files since version 0.1."""
    plain = {**vars(trial), "point": {name: plain_value(v) for name, v in trial.point.items()}}
    return {("seen" if key == "epoch_values" else key): value for key, value in plain.items()}
