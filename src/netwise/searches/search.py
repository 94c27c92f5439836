"""`search`: many recipes compared. A trial is a full run; the winner is trained again with fresh
seeds, and scored once on the test part."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from netwise.atomic import write_atomically
from netwise.errors import CANNOT_RUN, RunFolderError, WrongValue
from netwise.file_errors import work_can_continue
from netwise.networks import Network
from netwise.recipe.checks import hindrances
from netwise.recipe.recipe import Recipe
from netwise.recipe.user_code import foreign_code_in, foreign_code_problems, user_code_in
from netwise.recipe.writer import write_recipe
from netwise.searches.advice import search_advice
from netwise.searches.axis_checks import unusable_values
from netwise.searches.confirmation import fresh_runs, train_fresh_runs
from netwise.searches.methods import Bayesian, SearchMethod
from netwise.searches.plan import SearchPlan
from netwise.searches.plan_file import write_plan
from netwise.searches.result import SearchResult, collect_result, result_as_dict
from netwise.searches.space import Space
from netwise.searches.study import BEST, StudyFolder
from netwise.searches.supervise import STOPPED, Attempt, supervise
from netwise.searches.trial_progress import report_trials
from netwise.searches.trial_record import RUNNING, TrialRecord
from netwise.searches.worker import WorkerTask, run_worker
from netwise.storage.layout import OUTCOME, SEARCH, strict_json
from netwise.training.ranks.launched import JOBS, require_one_process
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
    The test part is not used to choose.

    Each trial is a run of its own in the study's folder. A trial that raises or diverges is
    recorded with its reason and the search continues. Ctrl-C, or a kill of any process, loses at
    most what each run did since its last checkpoint; `resume_search` continues.

    Needs Optuna: pip install 'netwise[search]'.

    Args:
        recipe: what is varied. Give it a validation part, or `folds`.
        space: the axes.
        folder: of the study: a new or empty one.
        method: how points are chosen. Default `Bayesian()`.
        trials, folds, repeats, fresh, seeds, seed: see `SearchPlan`.
        jobs: trials at a time. Default: one per core. Under `joblib.parallel_config(
            backend="dask")` on its cluster, with a folder that all machines share.
        storage: URL of an Optuna storage (PostgreSQL, MySQL), for workers on many machines.
            Default: a journal in the folder.
        checkpoint_every: steps between checkpoints, besides those at the ends of epochs. Default:
            none.
        on_trial_end: called once per finished trial. Default none.

    Raises:
        WrongValue: a recipe, space or plan that cannot run; before anything is trained.
        RunFolderError: the folder is not empty.
        MissingPackage: Optuna is not installed.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=5)
        >>> rate = nw.axes.Log("optimizer.lr", 1e-4, 1.0)
        >>> space = nw.Space((rate, nw.axes.Integer("width", 2, 32, log=True)))
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "study"
        >>> found = nw.search(recipe, space, trials=6, fresh=2, folder=folder, jobs=1)
        >>> found.complete, sorted(found.best.point)
        (True, ['optimizer.lr', 'width'])
    """
    require_one_process("search", JOBS)
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
    problems = [each for each in search_advice(recipe, plan) if each.grade == CANNOT_RUN]
    fatal = [*hindrances(recipe), *foreign_code_problems(plan)]
    if problems := problems or fatal or unusable_values(recipe, plan.space):
        raise WrongValue("search", problems)
    study = StudyFolder.create(folder, recipe, plan, storage)
    return _run_search(study, jobs, checkpoint_every, on_trial_end)


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
    """Resume a search that was interrupted or killed; its result is that of a search that was not.
    Of a search that has ended, return the result.

    Args:
        folder: of the study.
        space: again, where its axes change the recipe by functions of your own, or name networks
            that are.
        network: for a network of your own: the same `CustomNetwork(build)` again, since loading
            imports no code.
        jobs, storage, checkpoint_every, on_trial_end: as in `search`; a storage that is not the
            journal in the folder has to be passed again.
        trials: more of them than were planned. Default: as planned.

    Raises:
        RunFolderError: no study, or one whose network is your own and was not passed.
        WrongValue: `trials` for a method that fixes its number of trials at the start.
        MissingPackage: Optuna is not installed.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "study"
        >>> options = {"method": nw.Random(), "trials": 3, "fresh": 0, "jobs": 1}
        >>> found = nw.search(recipe, space, folder=folder, **options)
        >>> more = nw.resume_search(folder, trials=5, jobs=1)
        >>> len(more.trials), more.trials[:3] == found.trials
        (5, True)
    """
    require_one_process("resume_search", JOBS)
    study = StudyFolder.open(folder, storage, space, network)
    with_custom_network(
        study.recipe, network, study.path
    )  # reading a study runs no code that its files name
    require_no_foreign_code(study.recipe, study.path)
    plan = study.plan
    if names := foreign_code_in(plan):
        raise RunFolderError(
            f"{study.path}: the axes of its file name code of your own, {', '.join(names)}, and "
            "reading a folder runs no code. Pass the space again: resume_search(folder, "
            "space=space), or netwise search --resume with --trust-own"
        )
    if trials is not None and trials != plan.trials:
        if plan.method.fixes_trials or plan.method.stages > 1:
            raise WrongValue.of(
                "search",
                "trials",
                trials,
                f"cannot change: {type(plan.method).__name__} fixes the number of trials at the "
                f"start. Leave trials out to resume with {plan.trials}, or start a new search",
            )
        plan = plan.but(trials=trials)
        write_plan(plan, study.path / SEARCH, study.url)
        study = replace(study, plan=plan)
    return _run_search(study, jobs, checkpoint_every, on_trial_end)


def _run_search(
    study: StudyFolder, jobs: int | None, checkpoint_every: int, on_trial_end: OnTrialEnd | None
) -> SearchResult:
    """Run the stages, then the winner with fresh seeds, and write the result."""
    space = study.plan.space if study.space_from_caller else None
    network = study.recipe.network if study.recipe.network.own_code else None
    code = user_code_in(study.recipe)
    with (
        work_can_continue(f"then continue: netwise search --resume {study.path}"),
        share_data([study.recipe], jobs or cores()) as data,
        report_trials(study, on_trial_end),
    ):
        for number in range(study.plan.method.stages):
            task = WorkerTask(
                str(study.path), study.url, number, 1, space, network, code, data, checkpoint_every
            )
            if _run_stage(study, task, jobs) == STOPPED:
                return collect_result(study, complete=False)
        winner = study.winner()
        if winner is not None:
            write_recipe(winner[1], study.path / BEST)
            if not train_fresh_runs(fresh_runs(study, *winner), jobs, checkpoint_every, data):
                return collect_result(study, complete=False)
        result = collect_result(study)
        text = json.dumps(strict_json(result_as_dict(result)), indent=1) + "\n"
        write_atomically(study.path / OUTCOME, text)
    return result


def _run_stage(study: StudyFolder, task: WorkerTask, jobs: int | None) -> str:
    """Run all trials of a stage: FINISHED, or STOPPED by a signal.

    The trial of a killed worker is queued, and the next worker claims it.
    """
    stage = study.stage(task.stage)

    def tasks(attempt: Attempt) -> list[WorkerTask]:
        stage_trials = (t for t in study.trials() if t.stage == task.stage)
        if attempt.number and any(t.state == RUNNING for t in stage_trials):
            time.sleep(1.0)  # workers on other machines run the rest of the stage
        alone = attempt.workers == 1
        return [replace(task, cores=attempt.cores, alone=alone)] * attempt.workers

    def remaining() -> int:
        return stage.trials - study.ended_trials(task.stage)

    return supervise(run_worker, tasks, remaining, jobs)
