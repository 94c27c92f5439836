"""The winner over seeds that the search has not seen; the first of these runs scores the test
part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from netwise import random_streams
from netwise.data.views import Fold
from netwise.errors import RunFolderError
from netwise.recipe.recipe import Recipe
from netwise.searches.methods import TrialRecord
from netwise.searches.study import FRESH, MAX_CRASHES, StudyFolder
from netwise.searches.worker import ENDED, KILLED, STOPPED, Stopped, run_parallel, trained
from netwise.storage.layout import WEIGHTS
from netwise.storage.run_folder import RunFolder, load_history
from netwise.training.evaluate import Score
from netwise.training.shared_data import use_shared_data
from netwise.training.threads import cores, limit_cores
from netwise.treatment.goals import goal_of

FIRST_FRESH_REPEAT = (
    1000  # folds of fresh runs are dealt by numbers from here on: no trial had them
)


@dataclass(frozen=True)
class FreshRun:
    """One run of the winner.

    Args:
        recipe: the winner's with a fresh seed, on a fold of its own where the search has folds.
        folder: of the run.
        place: which of the fresh seeds, from 0; None: it only scores the test part.
        test: whether it scores the test part.
    """

    recipe: Recipe
    folder: Path
    place: int | None
    test: bool

    @property
    def done(self) -> bool:
        return (self.folder / WEIGHTS).is_file()


def fresh_seed(study: StudyFolder, place: int) -> int:
    """A seed that no trial had."""
    return random_streams.seed_of(study.plan.seed, "fresh", place) % 2**31


def fresh_runs(study: StudyFolder, best: TrialRecord, recipe: Recipe) -> list[FreshRun]:
    """The runs of a winner, done or not."""
    search, home = study.plan, study.path / FRESH / f"trial-{best.number:04d}"
    seeded = [recipe.but(seed=fresh_seed(study, place)) for place in range(search.fresh)]
    if not search.folds:
        return [
            FreshRun(each, home / f"{place}", place, place == 0)
            for place, each in enumerate(seeded)
        ]
    runs = [
        FreshRun(
            each.but(
                data=Fold(
                    data=recipe.data,
                    folds=search.folds,
                    number=number,
                    repeat=FIRST_FRESH_REPEAT + place,
                )
            ),
            home / f"{place}-{number}",
            place,
            False,
        )
        for place, each in enumerate(seeded)
        for number in range(search.folds)
    ]
    return [*runs, FreshRun(seeded[0], home / "test", None, True)] if seeded else []


def train_fresh_runs(
    runs: Sequence[FreshRun], jobs: int | None, checkpoint_every: int, shared: str | None
) -> bool:
    """Train what is not done yet, side by side; False where a signal interrupted it.

    Raises:
        RunFolderError: a run killed its worker again and again, alone at work.
    """
    most, kills, alone = jobs or cores(), 0, 0
    while left := [run for run in runs if not run.done]:
        count = max(1, min(most, len(left)) >> kills)
        train = partial(
            _train, checkpoint_every=checkpoint_every, share=max(1, cores() // count), shared=shared
        )
        how = run_parallel(
            train, left[:count] if kills else left, count if most == 1 else max(2, count)
        )
        if how == STOPPED:
            return False
        kills = (
            kills + 1
            if how == KILLED and len([run for run in left if not run.done]) == len(left)
            else 0
        )
        alone = alone + 1 if kills and count == 1 else 0
        if alone == MAX_CRASHES:
            told = f"a fresh run of the winner killed its worker {MAX_CRASHES} times, alone at work: too little memory for it. All trials are kept"
            raise RunFolderError(f"{left[0].folder}: {told}")
    return True


def _train(run: FreshRun, checkpoint_every: int, share: int, shared: str | None) -> str:
    with limit_cores(share), use_shared_data(run.recipe, shared):
        try:
            trained(run.recipe, run.folder, checkpoint_every, test=run.test)
        except Stopped:
            return STOPPED
        return ENDED


def fresh_values(runs: Sequence[FreshRun]) -> list[float]:
    """The value over each fresh seed whose runs are done."""
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
            told = RunFolder.open(run.folder).about().get("score")
            return (
                Score(**{key: value for key, value in told.items() if key != "sentence"})
                if told
                else None
            )
    return None
