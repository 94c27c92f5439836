"""Comparisons that need no search: cross-validation, the learning curve over the number of samples,
several initial values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from netwise.data.views import Fewer, Fold
from netwise.errors import WrongValue
from netwise.intervals import of_folds
from netwise.recipe.recipe import Recipe
from netwise.scoring.metrics import metric_named
from netwise.signals import TRAIN_ACCURACY, TRAIN_LOSS, VALID_LOSS
from netwise.training.divergence import diverged, warn_of_diverged
from netwise.training.parallel import fit_many
from netwise.training.run import Run
from netwise.training.run_scores import TRAINING, scores
from netwise.treatment.goals import goal

WIDE_GAP = 0.03  # of accuracy, or R²
WIDE_SHARE = 0.1  # of a loss or an error on the validation part, whose units are any


@dataclass(frozen=True)
class CrossValidated:
    """The values of a cross-validation.

    Args:
        values: one for each fold, in the order of repeats, then folds: accuracy, R², or the goal of
            the task.
        mean: of all.
        low, high: 95 % interval of the mean; folds share training samples, so it is wider than that
            of independent values.
        losses: validation losses of the folds, in the same order.

    Example:
        >>> import netwise as nw
        >>> nw.CrossValidated((0.9, 1.0), 0.95, 0.5, 1.0, (0.3, 0.1)).mean
        0.95
    """

    values: tuple[float, ...]
    mean: float
    low: float
    high: float
    losses: tuple[float, ...]


def cross_validate(
    recipe: Recipe, *, folds: int = 5, repeats: int = 1, jobs: int | None = None
) -> CrossValidated:
    """Train a recipe on each fold of its training and validation part; the test part is not used.

    Args:
        recipe: to evaluate.
        folds: at least 2. Default 5.
        repeats: how many times the samples are split into folds. Default 1.
        jobs: as in `fit_many`.

    Raises:
        WrongValue: fewer than two folds, or a recipe that cannot run.
        TrainingDiverged: the runs of all folds diverged. Where some did, a `ConvergenceWarning` of
            scikit-learn names them.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 16, 3)), epochs=10)
        >>> result = nw.cross_validate(recipe, folds=3, jobs=1)
        >>> len(result.values), result.low < result.mean < result.high
        (3, True)

    Source: the interval is that of Nadeau, Bengio 2003, "Inference for the generalization error".
    """
    if folds < 2 or repeats < 1:
        raise WrongValue.of(
            "cross-validation",
            "folds",
            f"{folds} x {repeats}",
            "must be at least 2 folds, split at least once",
            "folds=5, repeats=1",
        )
    recipes = [
        recipe.but(data=Fold(data=recipe.data, folds=folds, number=number, repeat=repeat))
        for repeat in range(repeats)
        for number in range(folds)
    ]
    runs = fit_many(recipes, jobs=jobs)
    repeated = (f" of repeat {repeat + 1}" if repeats > 1 else "" for repeat in range(repeats))
    names = [f"fold {number + 1}{repeat}" for repeat in repeated for number in range(folds)]
    warn_of_diverged(runs, names, "They count as guessing in the mean.")
    values = tuple(goal(run) for run in runs)
    losses = tuple(
        series.last if (series := run.history.of(VALID_LOSS)) is not None else math.nan
        for run in runs
    )
    return CrossValidated(values, *of_folds(values, folds), losses)


@dataclass(frozen=True)
class LearningCurve:
    """The values of a recipe over the number of its training samples.

    Args:
        rows: numbers of samples, ascending.
        train, valid: for each of `rows` the values of its runs on their training samples, and on
            the validation part.
        train_loss, valid_loss: the losses in the same order.
        metric: that the values are of, as in `Recipe.metric`; of a loss or an error they are the
            negatives. Default none: accuracy, R², or the goal of the task.
        gap: whether more data would help: "wide" where the training value is above the validation
            value at the end, "closed" where they are nearly equal.

    Example:
        >>> import netwise as nw
        >>> train, valid = ((1.0,), (1.0,)), ((0.5,), (0.6,))
        >>> nw.LearningCurve((10, 20), train, valid, ((0.1,), (0.1,)), ((1.5,), (1.2,))).gap
        'wide'
    """

    rows: tuple[int, ...]
    train: tuple[tuple[float, ...], ...]
    valid: tuple[tuple[float, ...], ...]
    train_loss: tuple[tuple[float, ...], ...]
    valid_loss: tuple[tuple[float, ...], ...]
    metric: str | None = None

    @property
    def gap(self) -> str:
        train, valid = fmean(self.train[-1]), fmean(self.valid[-1])
        is_loss = self.metric is not None and not metric_named(self.metric).higher_is_better
        wide = WIDE_SHARE * abs(valid) if is_loss else WIDE_GAP
        return "wide" if train - valid > wide else "closed"


def learning_curve(
    recipe: Recipe,
    rows: Sequence[int] = (),
    *,
    seeds: Sequence[int] = (0, 1, 2),
    jobs: int | None = None,
) -> LearningCurve:
    """Train a recipe on more and more of its training samples; each run is evaluated on the whole
    validation part.

    Each run has the recipe's number of epochs over its own samples: runs differ in the data, and
    not in the passes over them.

    Args:
        recipe: with a validation part.
        rows: numbers of training samples. Default: a sixteenth, an eighth ... all.
        seeds: of the runs, and of the draws of the samples. Default three.
        jobs: as in `fit_many`.

    Raises:
        WrongValue: no validation part, or more samples than there are.
        TrainingDiverged: all runs diverged. Where some did, a `ConvergenceWarning` names them.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 32, 10)), epochs=10)
        >>> curve = nw.learning_curve(recipe, (50, 400), seeds=(0,), jobs=1)
        >>> curve.valid[0] < curve.valid[1]
        True
    """
    samples = recipe.data.load()
    whole = len(samples.train)
    rows = tuple(sorted(set(rows))) or tuple(
        dict.fromkeys(max(2, whole >> shift) for shift in (4, 3, 2, 1, 0))
    )
    if not len(samples.valid):
        reason = "is the number of samples in the validation part, and the curve is measured on it"
        raise WrongValue.of("learning curve", "data.valid", "0", reason, "data.valid = 0.2")
    if rows[0] < 2 or rows[-1] > whole:
        reason = f"must be between 2 and {whole}, the number of training samples"
        raise WrongValue.of(
            "learning curve", "rows", str(list(rows)), reason, f"rows=(10, {whole})"
        )
    recipes = [
        recipe.but(data=Fewer(data=recipe.data, rows=count, draw=seed), seed=seed)
        for count in rows
        for seed in seeds
    ]
    runs = fit_many(recipes, jobs=jobs)
    names = [f"{count} samples with seed {seed}" for count in rows for seed in seeds]
    warn_of_diverged(runs, names, "They count as guessing in the curve.")
    by_rows = [runs[i : i + len(seeds)] for i in range(0, len(runs), len(seeds))]
    return LearningCurve(
        rows,
        tuple(tuple(map(_on_training_samples, group)) for group in by_rows),
        tuple(tuple(goal(run) for run in group) for group in by_rows),
        tuple(tuple(_last(run, TRAIN_LOSS, math.nan) for run in group) for group in by_rows),
        tuple(tuple(_last(run, VALID_LOSS, math.nan) for run in group) for group in by_rows),
        recipe.metric,
    )


def _on_training_samples(run: Run) -> float:
    """The goal of a run on the samples that it was trained on."""
    metric = run.recipe.metric
    if metric is None or diverged(run):
        return _last(run, TRAIN_ACCURACY, goal(run))
    score = scores(run, TRAINING).of(metric)
    return goal(run) if score is None else metric_named(metric).goal(score.value)


def multi_start(
    recipe: Recipe, starts: int = 5, *, jobs: int | None = None
) -> tuple[Run, tuple[float, ...]]:
    """Train from several initial values and return the run that is best on the validation part.

    Args:
        recipe: its seed is the first; the others are the numbers after it.
        starts: how many. Default 5.
        jobs: as in `fit_many`.

    Returns:
        The best run, and the values of all: the best of several is optimistic, and the others show
        by how much.

    Raises:
        WrongValue: `starts` is below 1.
        TrainingDiverged: all runs diverged. Where some did, a `ConvergenceWarning` names them.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=5)
        >>> best, values = nw.multi_start(recipe, 3, jobs=1)
        >>> len(values), best.recipe.seed in (0, 1, 2)
        (3, True)
    """
    if starts < 1:
        raise WrongValue.of("multi-start", "starts", starts, "must be at least 1", "5")
    runs = fit_many([recipe.but(seed=recipe.seed + i) for i in range(starts)], jobs=jobs)
    names = [f"seed {run.recipe.seed}" for run in runs]
    warn_of_diverged(runs, names, "They are not chosen, and their values are those of guessing.")
    values = tuple(goal(run) for run in runs)
    converged = (i for i in range(starts) if not diverged(runs[i]))
    return runs[max(converged, key=lambda i: (values[i], -i))], values


def _last(run: Run, signal: str, default: float) -> float:
    series = run.history.of(signal)
    return default if series is None else series.last
