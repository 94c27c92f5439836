"""`search`: many recipes compared. A trial is a full run; the winner is judged anew over fresh seeds, and the test part once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from netwise import streams
from netwise.data.views import Fold
from netwise.engine.run import load_history
from netwise.engine.scores import Score
from netwise.engine.sharing import found_data, shared_data
from netwise.engine.threads import at_most, cores
from netwise.errors import CANNOT_RUN, Problem, WrongValue
from netwise.files import write_atomically
from netwise.recipe.checks import check
from netwise.recipe.file import read_recipe, write_recipe
from netwise.recipe.recipe import Recipe
from netwise.searches.advice import advice
from netwise.searches.methods import COMPLETE, Bayesian, Method, Tried
from netwise.searches.plan import Search
from netwise.searches.space import Space
from netwise.searches.study import BEST, OUTCOME, RECIPE, StudyFolder, best_of
from netwise.searches.watching import Watch, telling
from netwise.searches.worker import ENDED, STOPPED, Post, _Stopped, trained, workers
from netwise.store import RunFolder, strict
from netwise.trials import goal_of


@dataclass(frozen=True)
class Found:
    """What a search found, and how far it can be trusted.

    Args:
        folder: of the study.
        search: the plan.
        tried: all trials, by number.
        best: the winner, or None where no trial was completed.
        recipe: its recipe, with the epochs of the whole run; None where there is none.
        own: the search's own value of the winner: the highest of many, so it flatters.
        fresh: values of runs of the winner over seeds that the search has not seen.
        mean, low, high: of `fresh`, with the 95 % interval of the mean (Student's t).
        test: the score on the test part, touched once, by the first fresh run; None where there is no test part.
        notes: advice and warnings: borders, optimism, what was left out.
        complete: all trials ended; else the search was interrupted and `resume_search` goes on.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
        >>> space = nw.Space((nw.Log("optimizer.lr", 1e-4, 1.0),))
        >>> found = nw.search(recipe, space, method=nw.Random(), trials=4, fresh=2, folder=pathlib.Path(tempfile.mkdtemp()) / "s", jobs=1)
        >>> len(found.tried), found.own == max(t.value for t in found.tried)
        (4, True)
    """

    folder: Path
    search: Search
    tried: tuple[Tried, ...]
    best: Tried | None = None
    recipe: Recipe | None = None
    own: float | None = None
    fresh: tuple[float, ...] = ()
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    test: Score | None = None
    notes: tuple[str, ...] = ()
    complete: bool = True

    @property
    def optimism(self) -> float | None:
        """How much higher the search's own value is than the mean over fresh seeds."""
        return None if self.own is None or self.mean is None else self.own - self.mean

    @property
    def leaders(self) -> list[Tried]:
        """The trials that ran to the end, the best first."""
        last = self.search.method.stages - 1 if self.search.method.judged_at_last else None
        done = [t for t in self.tried if t.state == COMPLETE and t.value is not None and (last is None or t.stage == last)]
        return sorted(done, key=lambda t: (-(t.value if t.value is not None else -math.inf), t.number))


def search(
    recipe: Recipe,
    space: Space,
    *,
    folder: str | Path,
    method: Method | None = None,
    trials: int = 50,
    folds: int = 0,
    repeats: int = 1,
    fresh: int = 5,
    seeds: str = "same",
    seed: int = 0,
    jobs: int | None = None,
    storage: str | None = None,
    checkpoint_every: int = 0,
    told: Callable[[Tried], None] | None = None,
    watch: Watch | None = None,
) -> Found:
    """Search for the settings with which a recipe does best on its validation part (or over folds). The test part is not looked at.

    Each trial is a run of its own in the study's folder. A trial that raises or diverges is recorded with its reason and the search goes on.
    Ctrl-C, or a kill of any process, loses at most what each run did since its last checkpoint; `resume_search` goes on.

    Args:
        recipe: what is varied. Give it a validation part, or `folds`.
        space: the axes.
        folder: of the study: a new or empty one.
        method: how points are chosen. Default `Bayesian()`.
        trials, folds, repeats, fresh, seeds, seed: see `Search`.
        jobs: trials at a time. Default: one a core. Under `joblib.parallel_config(backend="dask")` on its cluster, on a folder that all share.
        storage: URL of an Optuna storage (PostgreSQL, MySQL), for workers on many machines. Default: a journal in the folder.
        checkpoint_every: steps between checkpoints, besides those at the ends of epochs. Default none.
        told: called with each trial that ended, once. Default none.
        watch: called twice a second with (all trials, `AtWork` of those at work). Default none.

    Raises:
        WrongValue: a recipe, space or plan that cannot be; told before anything is trained.
        RunFolderError: the folder holds something.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=5)
        >>> space = nw.Space((nw.Log("optimizer.lr", 1e-4, 1.0), nw.Whole("width", 2, 32, log=True)))
        >>> found = nw.search(recipe, space, trials=6, fresh=2, folder=pathlib.Path(tempfile.mkdtemp()) / "study", jobs=1)
        >>> found.complete, sorted(found.best.point)
        (True, ['optimizer.lr', 'width'])
    """
    plan = Search(space=space, method=method or Bayesian(), trials=trials, folds=folds, repeats=repeats, fresh=fresh, seeds=seeds, seed=seed)
    return start(recipe, plan, Path(folder), jobs=jobs, storage=storage, checkpoint_every=checkpoint_every, told=told, watch=watch)


def start(
    recipe: Recipe,
    plan: Search,
    folder: Path,
    *,
    jobs: int | None = None,
    storage: str | None = None,
    checkpoint_every: int = 0,
    told: Callable[[Tried], None] | None = None,
    watch: Watch | None = None,
) -> Found:
    """`search` with its plan as one value."""
    wrong = [problem for problem in advice(recipe, plan) if problem.grade == CANNOT_RUN]
    if not wrong:
        wrong = [problem for problem in check(recipe) if problem.grade == CANNOT_RUN]
    if wrong:
        raise WrongValue("search", wrong)
    StudyFolder.create(folder, recipe, plan, storage)
    return _carried_out(folder, plan, jobs, storage, checkpoint_every, told, watch)


def resume_search(
    folder: str | Path,
    *,
    space: Space | None = None,
    jobs: int | None = None,
    storage: str | None = None,
    trials: int | None = None,
    checkpoint_every: int = 0,
    told: Callable[[Tried], None] | None = None,
    watch: Watch | None = None,
) -> Found:
    """Go on with a search that was interrupted or killed, as if it had not been; of one that has ended, give the result again.

    Args:
        folder: of the study.
        space: again, where its axes change the recipe by functions of the user's own.
        jobs, storage, checkpoint_every, told, watch: as in `search`.
        trials: more of them than were planned. Default: as planned.

    Raises:
        RunFolderError: no study.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
        >>> space, folder = nw.Space((nw.Log("optimizer.lr", 1e-4, 1.0),)), pathlib.Path(tempfile.mkdtemp()) / "study"
        >>> found = nw.search(recipe, space, method=nw.Random(), trials=3, fresh=0, folder=folder, jobs=1)
        >>> more = nw.resume_search(folder, trials=5, jobs=1)
        >>> len(more.tried), more.tried[:3] == found.tried
        (5, True)
    """
    from netwise.searches.file import read_search, write_search
    from netwise.searches.study import SEARCH

    path = Path(folder)
    plan, url, own = read_search(path / SEARCH) if (path / SEARCH).is_file() else (None, None, [])
    if plan is not None:
        if space is not None:
            plan = plan.but(space=space)
        if trials is not None and trials != plan.trials:
            if plan.counts_itself or plan.method.stages > 1:
                raise WrongValue("search", [Problem("trials", str(trials), f"cannot change: {type(plan.method).__name__} deals them out from the start")])
            plan = plan.but(trials=trials)
            write_search(plan, path / SEARCH, storage or url)
    StudyFolder.open(path, storage, plan if space is not None or not own else None)
    return _carried_out(path, plan, jobs, storage, checkpoint_every, told, watch)


def _carried_out(path: Path, plan: Search | None, jobs: int | None, storage: str | None, checkpoint_every: int, told: Any, watch: Watch | None) -> Found:
    study = StudyFolder.open(path, storage, plan)
    known = {t.number for t in study.tried() if t.state not in ("waiting", "running")}
    functions = any(axis.change is not None for axis in study.search.space.axes)
    with shared_data([study.recipe], jobs or cores()) as data:
        for number in range(study.search.method.stages):
            post = Post(str(study.path), storage, study.search if functions else None, number, 1, data, checkpoint_every)
            if _stage(study, post, jobs, told, known, watch) == STOPPED:
                return result(study, complete=False)
        try:
            _fresh(study, jobs, checkpoint_every, data)
        except _Stopped:
            return result(study, complete=False)
    found = result(study)
    write_atomically(path / OUTCOME, json.dumps(strict(plain_found(found)), indent=1) + "\n")
    return found


def _stage(study: StudyFolder, post: Post, jobs: int | None, told: Any, known: set[int], watch: Watch | None) -> str:
    number = post.stage
    stage = study.stage(number)
    while True:
        mine = [t for t in study.tried() if t.stage == number]
        left = stage.trials - sum(t.state not in ("waiting", "running") for t in mine)
        if left <= 0:
            return ENDED
        count = max(1, min(jobs or cores(), left))
        share = max(1, cores() // count)
        with telling(study, told, known, watch):
            try:
                ended = workers([replace(post, share=share)] * count)
            except KeyboardInterrupt:
                return STOPPED
            except TerminatedWorkerError:
                continue  # a worker was killed: its trial waits, and others take it
        if ended == STOPPED:
            return STOPPED
        if any(t.state == "running" for t in study.tried() if t.stage == number):
            import time

            time.sleep(1.0)  # other machines are at work on the rest of the stage


def winner(study: StudyFolder) -> tuple[Tried, Recipe] | None:
    """The best trial and its recipe, for as many epochs as it had."""
    method = study.search.method
    last = method.stages - 1
    tried = study.tried()
    best = best_of(tried, last if method.judged_at_last else None)
    if best is None:
        return None
    stage = study.stage(best.stage)
    parent = None
    if stage.queue and stage.parents:
        parent = study.storage.get_trial(study.optuna_study().get_trials(deepcopy=False)[best.number]._trial_id).user_attrs.get("parent")
    return best, study.recipe_of(best, stage, parent)


def fresh_seed(study: StudyFolder, place: int) -> int:
    """A seed that no trial had."""
    return streams.seed_of(study.search.seed, "fresh", place) % 2**31


def _fresh(study: StudyFolder, jobs: int | None, checkpoint_every: int, shared: str | None) -> None:
    """Run the winner over fresh seeds; the first of them scores the test part."""
    won = winner(study)
    if won is None:
        return
    best, recipe = won
    write_recipe(recipe, study.path / BEST)
    tasks: list[tuple[Recipe, Path, bool]] = []
    search = study.search
    home = study.path / "fresh" / f"trial-{best.number:04d}"
    for place in range(search.fresh):
        seeded = recipe.but(seed=fresh_seed(study, place))
        if search.folds:
            for number in range(search.folds):
                fold = Fold(data=recipe.data, folds=search.folds, number=number, repeat=1000 + place)
                tasks.append((seeded.but(data=fold), home / f"{place}-{number}", False))
        else:
            tasks.append((seeded, home / f"{place}", place == 0))
    if search.folds and search.fresh:
        tasks.append((recipe.but(seed=fresh_seed(study, 0)), home / "test", True))
    count = max(1, min(jobs or cores(), len(tasks)))
    share = max(1, cores() // count)
    done: Any = joblib.Parallel(n_jobs=count, batch_size=1)(joblib.delayed(_run)(*task, checkpoint_every, share, shared) for task in tasks)
    if not all(done):
        raise _Stopped


def _run(recipe: Recipe, folder: Path, test: bool, checkpoint_every: int, share: int, shared: str | None) -> bool:
    with at_most(share), found_data(recipe, shared):
        try:
            trained(recipe, folder, checkpoint_every, test=test)
        except _Stopped:
            return False
        return True


def result(study: StudyFolder, complete: bool = True) -> Found:
    """What the study's folder says by now."""
    tried = tuple(study.tried())
    notes = [str(problem) for problem in advice(study.recipe, study.search)]
    won = winner(study)
    if won is None:
        return Found(study.path, study.search, tried, notes=tuple(notes), complete=complete)
    best, recipe = won
    notes += borders(study.search, best)
    home = study.path / "fresh" / f"trial-{best.number:04d}"
    values = _fresh_values(home, study.search)
    mean = fmean(values) if values else None
    low = high = None
    if len(values) > 1:
        from scipy import stats

        reach = float(stats.t.ppf(0.975, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
        low, high = fmean(values) - reach, fmean(values) + reach
    test = _test_score(home)
    if mean is not None and best.value is not None:
        count = len([t for t in tried if t.value is not None])
        luck = f"{best.value - mean:.4g} of it was luck" if best.value > mean else "it was not luck"
        notes.append(
            f"the search's own best value is the highest of {count}: {best.value:.4g}, and {mean:.4g} on average over fresh seeds ({luck}); "
            "these samples chose it too, so the test part has the last word"
        )
    return Found(study.path, study.search, tried, best, recipe, best.value, tuple(values), mean, low, high, test, tuple(notes), complete)


def _fresh_values(home: Path, plan: Search) -> list[float]:
    found = []
    for place in range(plan.fresh):
        folders = [home / f"{place}-{number}" for number in range(plan.folds)] if plan.folds else [home / f"{place}"]
        if all((folder / "weights.safetensors").is_file() for folder in folders):
            found.append(fmean(goal_of(load_history(folder), read_recipe(folder / RECIPE)) for folder in folders))
    return found


def _test_score(home: Path) -> Score | None:
    for folder in (home / "test", home / "0"):
        if (folder / "weights.safetensors").is_file():
            told = RunFolder.open(folder).about().get("score")
            if told:
                return Score(**{k: v for k, v in told.items() if k != "sentence"})
    return None


def borders(plan: Search, best: Tried) -> list[str]:
    """A sentence for each axis at whose end the winner lies: the best may lie beyond."""
    told = []
    for axis in plan.space.axes:
        if axis.name in best.point:
            end = axis.at_border(best.point[axis.name])
            if end:
                told.append(f"the best {axis.name} = {best.point[axis.name]:.4g} lies at the {end} end of its axis: search beyond it")
    return told


def plain_found(found: Found) -> dict[str, Any]:
    """The result as plain values, for `--json`."""
    from netwise.recipe.file import plain_of

    return {
        "folder": str(found.folder),
        "complete": found.complete,
        "method": type(found.search.method).__name__,
        "trials": [vars(t) for t in found.tried],
        "best": None if found.best is None else vars(found.best),
        "recipe": None if found.recipe is None else plain_of(found.recipe),
        "own": found.own,
        "fresh": list(found.fresh),
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "optimism": found.optimism,
        "test": None if found.test is None else {**vars(found.test), "sentence": str(found.test)},
        "notes": list(found.notes),
    }
