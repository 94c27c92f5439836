"""`search`: many recipes compared. A trial is a full run; the winner is judged anew over fresh
seeds, and the test part once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from netwise.atomic import write_atomically
from netwise.errors import CANNOT_RUN, Problem, WrongValue
from netwise.networks import CustomNetwork, Network
from netwise.recipe.checks import hindrances
from netwise.recipe.recipe import Recipe
from netwise.recipe.writer import write_recipe
from netwise.searches.advice import search_advice
from netwise.searches.axes import Space
from netwise.searches.confirmation import fresh_runs, train_fresh_runs
from netwise.searches.methods import RUNNING, Bayesian, SearchMethod, TrialRecord
from netwise.searches.plan import SearchPlan
from netwise.searches.plan_file import write_plan
from netwise.searches.result import SearchResult, result, result_as_dict
from netwise.searches.study import BEST, StudyFolder
from netwise.searches.trial_progress import report_trials
from netwise.searches.worker import ENDED, KILLED, STOPPED, WorkerTask, run_parallel, work
from netwise.storage.layout import OUTCOME, SEARCH, strict_json
from netwise.training.run import require_no_foreign_code, with_custom_network
from netwise.training.shared_data import share_data
from netwise.training.threads import cores

OnTrialEnd = Callable[[TrialRecord], None]


def search(
    recipe: Recipe,
    space: Space,
    *,
    folder: str | Path,
    method: SearchMethod | None = None,
    trials: int = 50,
    folds: int = 0,
    repeats: int = 1,
    fresh: int = 5,
    seeds: str = "same",
    seed: int = 0,
    jobs: int | None = None,
    storage: str | None = None,
    checkpoint_every: int = 0,
    on_trial_end: OnTrialEnd | None = None,
) -> SearchResult:
    """Search for the settings with which a recipe does best on its validation part (or over folds).
    The test part is not looked at.

    Each trial is a run of its own in the study's folder. A trial that raises or diverges is
    recorded with its reason and the search goes on. Ctrl-C, or a kill of any process, loses at most
    what each run did since its last checkpoint; `resume_search` goes on.

    Args:
        recipe: what is varied. Give it a validation part, or `folds`.
        space: the axes.
        folder: of the study: a new or empty one.
        method: how points are chosen. Default `Bayesian()`.
        trials, folds, repeats, fresh, seeds, seed: see `SearchPlan`.
        jobs: trials at a time. Default: one a core. Under `joblib.parallel_config(backend="dask")`
            on its cluster, on a folder that all share.
        storage: URL of an Optuna storage (PostgreSQL, MySQL), for workers on many machines.
            Default: a journal in the folder.
        checkpoint_every: steps between checkpoints, besides those at the ends of epochs. Default
            none.
        on_trial_end: called with each trial that ended, once. Default none.

    Raises:
        WrongValue: a recipe, space or plan that cannot be; told before anything is trained.
        RunFolderError: the folder holds something.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=5)
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0), nw.axes.Integer("width", 2, 32, log=True)))
        >>> found = nw.search(recipe, space, trials=6, fresh=2, folder=pathlib.Path(tempfile.mkdtemp()) / "study", jobs=1)
        >>> found.complete, sorted(found.best.point)
        (True, ['optimizer.lr', 'width'])
    """
    plan = SearchPlan(
        space=space,
        method=method or Bayesian(),
        trials=trials,
        folds=folds,
        repeats=repeats,
        fresh=fresh,
        seeds=seeds,
        seed=seed,
    )
    return start_search(
        recipe,
        plan,
        Path(folder),
        jobs=jobs,
        storage=storage,
        checkpoint_every=checkpoint_every,
        on_trial_end=on_trial_end,
    )


def start_search(
    recipe: Recipe,
    plan: SearchPlan,
    folder: Path,
    *,
    jobs: int | None = None,
    storage: str | None = None,
    checkpoint_every: int = 0,
    on_trial_end: OnTrialEnd | None = None,
) -> SearchResult:
    """`search` with its plan as one value."""
    wrong = [problem for problem in search_advice(recipe, plan) if problem.grade == CANNOT_RUN]
    if wrong := wrong or hindrances(recipe):
        raise WrongValue("search", wrong)
    return _carried_out(
        StudyFolder.create(folder, recipe, plan, storage), jobs, checkpoint_every, on_trial_end
    )


def resume_search(
    folder: str | Path,
    *,
    space: Space | None = None,
    network: Network | None = None,
    jobs: int | None = None,
    storage: str | None = None,
    trials: int | None = None,
    checkpoint_every: int = 0,
    on_trial_end: OnTrialEnd | None = None,
) -> SearchResult:
    """Go on with a search that was interrupted or killed, as if it had not been; of one that has
    ended, give the result again.

    Args:
        folder: of the study.
        space: again, where its axes change the recipe by functions of the user's own, or name
            networks that are.
        network: for a network of one's own: the same `CustomNetwork(build)` again, since loading imports no
            code.
        jobs, storage, checkpoint_every, on_trial_end: as in `search`.
        trials: more of them than were planned. Default: as planned.

    Raises:
        RunFolderError: no study, or one whose network is the user's own and was not handed over.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
        >>> space, folder = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),)), pathlib.Path(tempfile.mkdtemp()) / "study"
        >>> found = nw.search(recipe, space, method=nw.Random(), trials=3, fresh=0, folder=folder, jobs=1)
        >>> more = nw.resume_search(folder, trials=5, jobs=1)
        >>> len(more.trials), more.trials[:3] == found.trials
        (5, True)
    """
    study = StudyFolder.open(folder, storage, space, network)
    with_custom_network(
        study.recipe, network, study.path
    )  # reading a study runs no code that its files name
    require_no_foreign_code(study.recipe, study.path)
    plan = study.plan
    if trials is not None and trials != plan.trials:
        if plan.counts_itself or plan.method.stages > 1:
            raise WrongValue(
                "search",
                [
                    Problem(
                        "trials",
                        str(trials),
                        f"cannot change: {type(plan.method).__name__} deals them out from the start",
                    )
                ],
            )
        plan = plan.but(trials=trials)
        write_plan(plan, study.path / SEARCH, study.url)
        study = replace(study, plan=plan)
    return _carried_out(study, jobs, checkpoint_every, on_trial_end)


def _carried_out(
    study: StudyFolder, jobs: int | None, checkpoint_every: int, on_trial_end: OnTrialEnd | None
) -> SearchResult:
    space = study.plan.space if study.space_from_caller else None
    network = study.recipe.network if isinstance(study.recipe.network, CustomNetwork) else None
    with share_data([study.recipe], jobs or cores()) as data, report_trials(study, on_trial_end):
        for number in range(study.plan.method.stages):
            post = WorkerTask(
                str(study.path), study.url, number, 1, space, network, data, checkpoint_every
            )
            if _stage(study, post, jobs) == STOPPED:
                return result(study, complete=False)
        won = study.winner()
        if won is not None:
            write_recipe(won[1], study.path / BEST)
            if not train_fresh_runs(fresh_runs(study, *won), jobs, checkpoint_every, data):
                return result(study, complete=False)
    found = result(study)
    write_atomically(
        study.path / OUTCOME, json.dumps(strict_json(result_as_dict(found)), indent=1) + "\n"
    )
    return found


def _stage(study: StudyFolder, post: WorkerTask, jobs: int | None) -> str:
    """All trials of a stage; "stopped" where a signal asked to end, "ended" else."""
    stage, most = study.stage(post.stage), jobs or cores()
    kills = 0  # one after another, without a trial that ended in between
    while (left := stage.trials - _ended(study, post.stage)) > 0:
        # Where a worker was killed its trial waits, and others take it. Kills without an end to
        # them come from a trial itself, mostly
        # for its memory; half as many workers each time, and who is alone at last has the one that
        # it is.
        count = max(1, min(most, left) >> kills)
        posts = [replace(post, share=max(1, cores() // count), alone=count == 1)] * count
        how = run_parallel(work, posts, count if most == 1 else max(2, count))
        if how == STOPPED:
            return STOPPED
        kills = (
            kills + 1 if how == KILLED and stage.trials - _ended(study, post.stage) == left else 0
        )
        if any(t.state == RUNNING for t in study.trials() if t.stage == post.stage):
            time.sleep(1.0)  # other machines are at work on the rest of the stage
    return ENDED


def _ended(study: StudyFolder, stage: int) -> int:
    return sum(t.ended for t in study.trials() if t.stage == stage)
