"""Comparisons that need no search: cross-validation, the learning curve over the amount of data,
several starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from netwise.data.views import Fewer, Fold
from netwise.errors import Problem, WrongValue
from netwise.intervals import of_folds
from netwise.recipe.recipe import Recipe
from netwise.signals import TRAIN_ACCURACY, TRAIN_LOSS, VALID_LOSS
from netwise.training.parallel import fit_many
from netwise.training.run import Run
from netwise.treatment.goals import goal


@dataclass(frozen=True)
class CrossValidated:
    """What a cross-validation gave.

    Args:
        values: one for each fold, dealing after dealing: accuracy, R² or what `goal` says of the
            kind of run.
        mean: of all.
        low, high: 95 % interval of the mean; folds share training samples, so it is wider than that
            of independent values.
        losses: validation losses of the folds, by the same order.

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
    """Train a recipe on every fold of its training and validation part; the test part is not looked
    at.

    Args:
        recipe: what is judged.
        folds: at least 2. Default 5.
        repeats: how many times the folds are dealt. Default 1.
        jobs: as in `fit_many`.

    Raises:
        WrongValue: fewer than two folds, or a recipe that cannot run.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 16, 3)), optimizer=nw.Adam(lr=0.05), epochs=10)
        >>> found = nw.cross_validate(recipe, folds=3, jobs=1)
        >>> len(found.values), found.low < found.mean < found.high
        (3, True)

    Source: note 002, claim H05; the interval: `intervals.of_folds`.
    """
    if folds < 2 or repeats < 1:
        raise WrongValue(
            "cross-validation",
            [
                Problem(
                    "folds",
                    f"{folds} x {repeats}",
                    "must be at least 2 folds, dealt at least once",
                    "5",
                )
            ],
        )
    recipes = [
        recipe.but(data=Fold(data=recipe.data, folds=folds, number=number, repeat=repeat))
        for repeat in range(repeats)
        for number in range(folds)
    ]
    runs = fit_many(recipes, jobs=jobs)
    values = tuple(goal(run) for run in runs)
    losses = tuple(
        series.last if (series := run.history.of(VALID_LOSS)) is not None else math.nan
        for run in runs
    )
    return CrossValidated(values, *of_folds(values, folds), losses)


@dataclass(frozen=True)
class LearningCurve:
    """How a recipe does with more and more training samples.

    Args:
        rows: how many, ascending.
        train, valid: for each of `rows` the values of its runs on the samples it learned from, and
            on the validation part.
        train_loss, valid_loss: the losses in the same order.
        gap: whether more data would help: "wide" where train stays above valid at the end, "closed"
            where they have met.

    Example:
        >>> import netwise as nw
        >>> nw.LearningCurve((10, 20), ((1.0,), (1.0,)), ((0.5,), (0.6,)), ((0.1,), (0.1,)), ((1.5,), (1.2,))).gap
        'wide'
    """

    rows: tuple[int, ...]
    train: tuple[tuple[float, ...], ...]
    valid: tuple[tuple[float, ...], ...]
    train_loss: tuple[tuple[float, ...], ...]
    valid_loss: tuple[tuple[float, ...], ...]

    @property
    def gap(self) -> str:
        train, valid = fmean(self.train[-1]), fmean(self.valid[-1])
        return "wide" if train - valid > 0.03 else "closed"


def learning_curve(
    recipe: Recipe,
    rows: Sequence[int] = (),
    *,
    seeds: Sequence[int] = (0, 1, 2),
    jobs: int | None = None,
) -> LearningCurve:
    """Train a recipe on more and more of its training samples, judged by the whole validation part
    each time.

    Each run takes as many steps as the recipe has epochs of its own number of samples: what is
    compared is the data, passes being equal.

    Args:
        recipe: with a validation part.
        rows: numbers of training samples. Default: a sixteenth, an eighth ... all.
        seeds: of the runs and of which samples are drawn. Default three.
        jobs: as in `fit_many`.

    Raises:
        WrongValue: no validation part, or more samples than there are.

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
        raise WrongValue(
            "learning curve",
            [Problem("data.valid", "0", "is empty, and the curve is judged by it", "0.2")],
        )
    if rows[0] < 2 or rows[-1] > whole:
        raise WrongValue(
            "learning curve",
            [
                Problem(
                    "rows",
                    str(list(rows)),
                    f"must lie between 2 and the {whole} training samples there are",
                )
            ],
        )
    recipes = [
        recipe.but(data=Fewer(data=recipe.data, rows=count, draw=seed), seed=seed)
        for count in rows
        for seed in seeds
    ]
    runs = fit_many(recipes, jobs=jobs)
    by_rows = [runs[i : i + len(seeds)] for i in range(0, len(runs), len(seeds))]
    return LearningCurve(
        rows,
        tuple(tuple(_last(run, TRAIN_ACCURACY, goal(run)) for run in group) for group in by_rows),
        tuple(tuple(goal(run) for run in group) for group in by_rows),
        tuple(tuple(_last(run, TRAIN_LOSS, math.nan) for run in group) for group in by_rows),
        tuple(tuple(_last(run, VALID_LOSS, math.nan) for run in group) for group in by_rows),
    )


def multi_start(
    recipe: Recipe, starts: int = 5, *, jobs: int | None = None
) -> tuple[Run, tuple[float, ...]]:
    """Train from several initial values and keep the run that is best on the validation part.

    Args:
        recipe: whose seed is the first; the others follow it.
        starts: how many. Default 5.
        jobs: as in `fit_many`.

    Returns:
        The best run, and the value of each: the best of several flatters, the others say how much.

    Example:
        >>> import netwise as nw
        >>> best, values = nw.multi_start(nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=5), 3, jobs=1)
        >>> len(values), best.recipe.seed in (0, 1, 2)
        (3, True)

    Source: note 001, claim M01.
    """
    if starts < 1:
        raise WrongValue("multi-start", [Problem("starts", str(starts), "must be at least 1", "5")])
    runs = fit_many([recipe.but(seed=recipe.seed + i) for i in range(starts)], jobs=jobs)
    values = tuple(goal(run) for run in runs)
    return runs[max(range(starts), key=lambda i: (values[i], -i))], values


def _last(run: Run, signal: str, otherwise: float) -> float:
    series = run.history.of(signal)
    return otherwise if series is None else series.last
