"""What a search found, and how far it can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from netwise.intervals import of_mean
from netwise.recipe.plain import plain_of
from netwise.recipe.recipe import Recipe
from netwise.searches.advice import search_advice
from netwise.searches.axes import Space
from netwise.searches.confirmation import fresh_runs, fresh_values, test_score
from netwise.searches.methods import COMPLETE, TrialRecord
from netwise.searches.plan import SearchPlan
from netwise.searches.study import StudyFolder
from netwise.training.evaluate import Score

SEEN = 5e-5  # share of a value that four digits do not show


@dataclass(frozen=True)
class SearchResult:
    """What a search found, and how far it can be trusted.

    Args:
        folder: of the study.
        plan: the plan of the search.
        trials: all of them, by number.
        best: the winner, or None where no trial was completed.
        recipe: its recipe, with the epochs of the whole run; None where there is none.
        best_value: the search's own value of the winner: the highest of many, so it flatters.
        fresh_values: values of runs of the winner over seeds that the search has not seen.
        mean, low, high: of `fresh_values`, with the 95 % interval of the mean (Student's t).
        test: the score on the test part, touched once, by the first fresh run; None where there is
            no test part.
        notes: advice and warnings: borders, optimism, what was left out.
        complete: all trials ended; else the search was interrupted and `resume_search` goes on.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
        >>> found = nw.search(recipe, space, method=nw.Random(), trials=4, fresh=2, folder=pathlib.Path(tempfile.mkdtemp()) / "s", jobs=1)
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

    @property
    def optimism(self) -> float | None:
        """How much higher the search's own value is than the mean over fresh seeds."""
        return None if self.best_value is None or self.mean is None else self.best_value - self.mean

    @property
    def ranked(self) -> list[TrialRecord]:
        """The trials that ran to the end, the best first."""
        last = self.plan.method.stages - 1 if self.plan.method.final_stage_only else None
        done = [
            t
            for t in self.trials
            if t.state == COMPLETE and t.value is not None and (last is None or t.stage == last)
        ]
        return sorted(
            done, key=lambda t: (-(t.value if t.value is not None else -math.inf), t.number)
        )


def load_search(
    folder: str | Path, *, space: Space | None = None, storage: str | None = None
) -> SearchResult:
    """What is known of a search by now, whether it has ended, was interrupted or runs elsewhere;
    nothing is trained.

    Args:
        folder: of the study.
        space: again, where its axes change the recipe by functions of the user's own.
        storage: again, where its URL has a password.

    Raises:
        RunFolderError: no study.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
        >>> space, folder = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),)), pathlib.Path(tempfile.mkdtemp()) / "study"
        >>> found = nw.search(recipe, space, method=nw.Random(), trials=3, fresh=1, folder=folder, jobs=1)
        >>> nw.load_search(folder) == found
        True
    """
    study = StudyFolder.open(folder, storage, space)
    return result(study, is_complete(study))


def is_complete(study: StudyFolder) -> bool:
    """All trials of all stages have ended, and all fresh runs of the winner."""
    for number in range(study.plan.method.stages):
        stage = study.stage(number)  # known only once those before it have ended
        if sum(t.ended for t in study.trials() if t.stage == number) < stage.trials:
            return False
    won = study.winner()
    return won is None or all(run.done for run in fresh_runs(study, *won))


def result(study: StudyFolder, complete: bool = True) -> SearchResult:
    """What the study's folder says by now."""
    tried = tuple(study.trials())
    notes = [str(problem) for problem in search_advice(study.recipe, study.plan)]
    won = study.winner()
    if won is None:
        return SearchResult(study.path, study.plan, tried, notes=tuple(notes), complete=complete)
    best, recipe = won
    notes += borders(study.plan, best)
    runs = fresh_runs(study, best, recipe)
    values = fresh_values(runs)
    mean, low, high = (fmean(values) if values else None), None, None
    if len(values) > 1:
        mean, low, high = of_mean(values)
    if mean is not None and best.value is not None:
        notes.append(optimism(best.value, mean, sum(t.value is not None for t in tried)))
    return SearchResult(
        study.path,
        study.plan,
        tried,
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
    )


def optimism(own: float, mean: float, count: int) -> str:
    """A sentence about the highest of so many values beside the mean over fresh seeds."""
    luck = (
        f"{own - mean:.2g} of it was luck"
        if own - mean > SEEN * max(1.0, abs(own))
        else "it was not luck"
    )
    return (
        f"the search's own best value is the highest of {count}: {own:.4g}, and {mean:.4g} on average over fresh seeds ({luck}); "
        "these samples chose it too, so the test part has the last word"
    )


def borders(plan: SearchPlan, best: TrialRecord) -> list[str]:
    """A sentence for each axis at whose end the winner lies: the best may lie beyond."""
    told = []
    for axis in plan.space.axes:
        if axis.name in best.point:
            end = axis.at_border(best.point[axis.name])
            if end:
                told.append(
                    f"the best {axis.name} = {best.point[axis.name]:.4g} lies at the {end} end of its axis: search beyond it"
                )
    return told


def result_as_dict(found: SearchResult) -> dict[str, Any]:
    """The result as plain values, for `--json`."""
    return {
        "folder": str(found.folder),
        "complete": found.complete,
        "method": type(found.plan.method).__name__,
        "trials": [_trial_as_dict(t) for t in found.trials],
        "best": None if found.best is None else _trial_as_dict(found.best),
        "recipe": None if found.recipe is None else plain_of(found.recipe),
        "own": found.best_value,
        "fresh": list(found.fresh_values),
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "optimism": found.optimism,
        "test": None if found.test is None else {**vars(found.test), "sentence": str(found.test)},
        "notes": list(found.notes),
    }


def _trial_as_dict(trial: TrialRecord) -> dict[str, Any]:
    """The key `seen` is that of files written before; it holds the value after each epoch."""
    return {("seen" if key == "epoch_values" else key): value for key, value in vars(trial).items()}
