"""Training of several recipes in parallel: in processes of this machine, or on a cluster by a
backend of joblib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from netwise.errors import WrongValue
from netwise.history import History
from netwise.recipe.checks import hindrances
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.scoring.score import Score
from netwise.training.fit import train_prepared
from netwise.training.input_pipeline import InputPipeline, Intake
from netwise.training.interrupt import uninterrupted
from netwise.training.progress_files import ProgressFile, monitor_progress_files
from netwise.training.ranks.launched import JOBS, require_one_process
from netwise.training.run import Run, build_module
from netwise.training.settings import RunOptions
from netwise.training.shared_data import share_data, use_shared_data, without_arrays
from netwise.training.threads import cores, limit_cores
from netwise.training.worker_processes import run_in_processes


@dataclass(frozen=True)
class _Outcome:
    """What a worker returns: plain numbers and bytes.

    Args:
        history, score: of the run.
        weights: its tensors, as a safetensors file.
    """

    history: History
    score: Score | None
    weights: bytes


def fit_many(
    recipes: Sequence[Recipe],
    *,
    jobs: int | None = None,
    test: bool = False,
    watch_every: int | None = None,
    done: Callable[[int, Run], None] | None = None,
) -> list[Run]:
    """Train several recipes in parallel. Under `joblib.parallel_config` the same call runs on a
    cluster.

    A run that diverges does not stop the others. Each worker uses its share of the cores. Data
    that all recipes have in common are loaded once and mapped into the memory of each worker.

    Args:
        recipes: what to train.
        jobs: runs at a time. Default: one for each core, at most one for each recipe. With 1, no
            other process is started.
        test: score the test part of each. Default false: runs are compared on the validation part.
        watch_every: as in `fit`.
        done: called with (index in `recipes`, run) as each ends. Default: none.

    Returns:
        One run for each recipe, in their order.

    Raises:
        WrongValue: a recipe cannot run; raised before any is trained.
        KeyboardInterrupt: Ctrl-C interrupted the runs.
        Terminated: SIGTERM did; uncaught, the process exits with code 143.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.suggest(nw.data.iris(), epochs=2)
        >>> [run.recipe.seed for run in nw.fit_many([recipe, recipe.but(seed=1)], jobs=1)]
        [0, 1]
    """
    require_one_process("fit_many", JOBS)
    for number, recipe in enumerate(recipes, start=1):
        problems = hindrances(recipe)
        if problems:
            raise WrongValue(f"recipe {number} of {len(recipes)}", problems)
    jobs = max(1, min(jobs or cores(), len(recipes) or 1))
    share = max(1, cores() // jobs)
    options = RunOptions(watch_every=watch_every, test=test)
    runs: list[Run | None] = [None] * len(recipes)
    with share_data(recipes, jobs) as data, monitor_progress_files(recipes, runs) as progress:
        # Workers on other machines do not have the folder of shared data: recipes that they could
        # not train are sent a second time, with their arrays.
        for lacks_arrays in (True, False) if data is not None else (False,):
            training_jobs = [
                TrainingJob(
                    place=place,
                    recipe=without_arrays(recipe) if lacks_arrays else recipe,
                    options=options,
                    cores=share,
                    data=data,
                    lacks_arrays=lacks_arrays,
                    progress=progress,
                )
                for place, recipe in enumerate(recipes)
                if runs[place] is None
            ]
            with closing(run_in_processes(_train_in_worker, training_jobs, jobs)) as outcomes:
                for place, outcome in outcomes:
                    if outcome is not None:
                        run = uninterrupted(_run(recipes[place], outcome))
                        runs[place] = run
                        if done is not None:
                            done(place, run)
    return [run for run in runs if run is not None]


@dataclass(frozen=True)
class TrainingJob:
    """One recipe for a worker.

    Args:
        place: of the recipe among all.
        recipe: what to train.
        options: how to compute it.
        cores: that the worker may use.
        data: folder of `share_data`, or None.
        lacks_arrays: the recipe can only be trained with the data in the folder.
        progress: folder for a file of the run's progress, or None.
    """

    place: int
    recipe: Recipe
    options: RunOptions
    cores: int
    data: str | None
    lacks_arrays: bool
    progress: str | None


def _train_in_worker(job: TrainingJob) -> tuple[int, _Outcome | None]:
    """The place of the job, and its outcome; None where the data are not on this machine."""
    from safetensors.torch import save  # heavy

    with limit_cores(job.cores), use_shared_data(job.recipe, job.data) as is_there:
        if job.lacks_arrays and not is_there:
            return job.place, None
        progress = ProgressFile(job.progress, job.place) if job.progress else None
        prepared = prepare(job.recipe)
        run = train_prepared(job.recipe, prepared, job.options, progress=progress)
    weights = {f"model.{k}": v.contiguous() for k, v in run.module.state_dict().items()}
    outcome = _Outcome(run.history, run.score, save({**weights, **run.pipeline.tensors()}))
    return job.place, outcome


def _run(recipe: Recipe, outcome: _Outcome) -> Run:
    """The run that a worker sent back, as `fit` would have returned it."""
    from safetensors.torch import load  # heavy

    tensors = load(outcome.weights)
    samples = recipe.network.with_targets(recipe.data.load())
    plain: Intake = {
        "encoder": samples.encoder.plain(),
        "task": samples.task,
        "classes": samples.classes,
    }
    pipeline = InputPipeline.read(plain, tensors, len(recipe.preprocess))
    module = build_module(
        recipe, {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    )
    return Run(recipe, outcome.history, module, pipeline, outcome.score)
