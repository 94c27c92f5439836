"""The winner trained with fresh seeds, which the search has not used; the first of these runs is
scored on the test part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from netwise import random_streams
from netwise.data.views import Fold
from netwise.errors import RunFolderError
from netwise.history import INTERRUPTED, RUNNING
from netwise.recipe.recipe import Recipe
from netwise.scoring.score import Score
from netwise.searches.study import FRESH, StudyFolder
from netwise.searches.supervise import FINISHED, KILLED, MAX_CRASHES, STOPPED, Attempt, supervise
from netwise.searches.trial_record import TrialRecord
from netwise.searches.trial_run import RunStopped, train_or_resume
from netwise.storage.layout import WEIGHTS, is_present
from netwise.storage.run_folder import RunFolder, load_history
from netwise.training.run import read_score
from netwise.training.shared_data import use_shared_data
from netwise.training.threads import limit_cores
from netwise.treatment.goals import goal_of

# Splits into folds are numbered by `repeat`; trials use 0 to 999, fresh runs the ones from here on.
FIRST_FRESH_REPEAT = 1000


@dataclass(frozen=True)
class FreshRun:
    """One run of the winner.

    Args:
        recipe: the winner's with a fresh seed, and where the search has folds, one of new folds.
        folder: of the run.
        place: which of the fresh seeds, from 0; None: the run only scores the test part.
        test: whether it scores the test part.
    """

    recipe: Recipe
    folder: Path
    place: int | None
    test: bool

    @property
    def done(self) -> bool:
        """It has ended, with its score. A run with weights may have been killed before that."""
        if not is_present(self.folder / WEIGHTS):
            return False
        return RunFolder.open(self.folder).ended() not in (RUNNING, INTERRUPTED)


def fresh_seed(study: StudyFolder, place: int) -> int:
    """A seed that no trial had."""
    return random_streams.seed_of(study.plan.seed, "fresh", place) % 2**31


def fresh_runs(study: StudyFolder, best: TrialRecord, recipe: Recipe) -> list[FreshRun]:
    """The runs of a winner, done or not."""
    plan, home = study.plan, study.path / FRESH / f"trial-{best.number:04d}"
    seeded = [recipe.but(seed=fresh_seed(study, place)) for place in range(plan.fresh)]
    if not plan.folds:
        return [
            FreshRun(each, home / f"{place}", place, place == 0)
            for place, each in enumerate(seeded)
        ]
    runs = []
    for place, each in enumerate(seeded):
        for number in range(plan.folds):
            repeat = FIRST_FRESH_REPEAT + place
            data = Fold(data=recipe.data, folds=plan.folds, number=number, repeat=repeat)
            runs.append(FreshRun(each.but(data=data), home / f"{place}-{number}", place, False))
    return [*runs, FreshRun(seeded[0], home / "test", None, True)] if seeded else []


def train_fresh_runs(
    runs: Sequence[FreshRun], jobs: int | None, checkpoint_every: int, shared: str | None
) -> bool:
    """Train the runs that are not done, in parallel; False where a signal interrupted them.

    Raises:
        RunFolderError: a run that was trained alone killed its worker again and again.
    """

    def missing() -> list[FreshRun]:
        return [run for run in runs if not run.done]

    def tasks(attempt: Attempt) -> list[tuple[FreshRun, int]]:
        left = missing()
        left = left[: attempt.workers] if attempt.after_kill else left
        return [(run, attempt.cores) for run in left]

    train = partial(_train, checkpoint_every=checkpoint_every, shared=shared)
    end = supervise(train, tasks, lambda: len(missing()), jobs, max_lone_kills=MAX_CRASHES)
    if end == KILLED:
        raise RunFolderError(
            f"{missing()[0].folder}: this run of the winner with a fresh seed killed its worker "
            f"{MAX_CRASHES} times while no other ran: it needs more memory than there is. All "
            "trials are kept. Free memory or use a larger machine, then run netwise search "
            "--resume STUDY"
        )
    return end != STOPPED


def _train(task: tuple[FreshRun, int], checkpoint_every: int, shared: str | None) -> str:
    run, cores = task
    with limit_cores(cores), use_shared_data(run.recipe, shared):
        try:
            train_or_resume(run.recipe, run.folder, checkpoint_every, test=run.test)
        except RunStopped as stop:
            return stop.end
        return FINISHED


def fresh_values(runs: Sequence[FreshRun]) -> list[float]:
    """The value for each fresh seed whose runs are done."""
    by_place: dict[int, list[FreshRun]] = {}
    for run in runs:
        if run.place is not None:
            by_place.setdefault(run.place, []).append(run)
    return [
        fmean(goal_of(load_history(run.folder), run.recipe) for run in each)
        for each in by_place.values()
        if all(run.done for run in each)
    ]


def test_score(runs: Sequence[FreshRun]) -> Score | None:
    """The score on the test part, once its run is done."""
    for run in runs:
        if run.test and run.done:
            return read_score(RunFolder.open(run.folder))
    return None
