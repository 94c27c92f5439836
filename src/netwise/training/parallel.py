"""Many recipes, each trained on its own, through joblib: here in processes, on a cluster by
joblib's own backends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from netwise.errors import WrongValue
from netwise.history import INTERRUPTED, History
from netwise.recipe.checks import hindrances
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.training.evaluate import Score
from netwise.training.fit import train_prepared
from netwise.training.progress_files import ProgressFile, monitor_progress_files
from netwise.training.run import InputPipeline, Run, build_module
from netwise.training.settings import RunOptions
from netwise.training.shared_data import share_data, use_shared_data, without_arrays
from netwise.training.threads import cores, limit_cores


@dataclass(frozen=True)
class _Outcome:
    """What comes back from a worker: numbers and bytes, no live module."""

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
    """Train many recipes side by side; the same call runs on a cluster under
    `joblib.parallel_config`.

    A recipe that diverges is a run that says so; the others go on. Each worker computes with its
    share of the cores; data that all recipes share are loaded once and mapped into the memory of
    each worker.

    Args:
        recipes: what to train.
        jobs: how many at a time. Default: one a core, and no more than recipes; 1 stays in this
            process.
        test: score the test part of each. Default false: comparing is no reason to touch it.
        watch_every: as in `fit`.
        done: called with (place in `recipes`, run) as each ends. Default none.

    Returns:
        One run for each recipe, in their order.

    Raises:
        WrongValue: a recipe cannot run; told before any is trained.
        KeyboardInterrupt: a run was interrupted.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.suggest(nw.data.iris(), epochs=2)
        >>> [run.recipe.seed for run in nw.fit_many([recipe, recipe.but(seed=1)], jobs=1)]
        [0, 1]
    """
    import joblib

    for number, recipe in enumerate(recipes, start=1):
        problems = hindrances(recipe)
        if problems:
            raise WrongValue(f"recipe {number} of {len(recipes)}", problems)
    jobs = max(1, min(jobs or cores(), len(recipes) or 1))
    share = max(1, cores() // jobs)
    options = RunOptions(watch_every=watch_every, test=test)
    runs: list[Run | None] = [None] * len(recipes)
    with share_data(recipes, jobs) as data, monitor_progress_files(recipes, runs) as notes:
        for sent in (without_arrays, _whole) if data is not None else (_whole,):
            tasks = (
                joblib.delayed(_train_in_worker)(
                    TrainingJob(
                        i, sent(recipe), options, share, data, sent is without_arrays, notes
                    )
                )
                for i, recipe in enumerate(recipes)
                if runs[i] is None
            )
            found: Any = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks)
            for place, outcome in found:
                if outcome is None:
                    continue  # on a machine without the folder: sent once more, whole
                if outcome.history.ended.how == INTERRUPTED:
                    raise KeyboardInterrupt
                run = _run(recipes[place], outcome)
                runs[place] = run
                if done is not None:
                    done(place, run)
    return [run for run in runs if run is not None]


def _whole(recipe: Recipe) -> Recipe:
    return recipe


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
    """The place of the job's recipe and what was trained; None: its data are not on this
    machine."""
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
    plain: dict[str, Any] = {
        "encoder": samples.encoder.plain(),
        "task": samples.task,
        "classes": samples.classes,
    }
    pipeline = InputPipeline.read(plain, tensors, len(recipe.preprocess))
    module = build_module(
        recipe, {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    )
    return Run(recipe, outcome.history, module, pipeline, outcome.score)
