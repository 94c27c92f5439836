"""Advice about a search before it runs: what makes it impossible, and what makes it inefficient."""

from __future__ import annotations

from netwise.errors import WILL_LEARN_BADLY, Problem
from netwise.recipe.recipe import Recipe
from netwise.searches.axes import Axis, Integer, Linear, Log
from netwise.searches.methods import Grid
from netwise.searches.plan import SearchPlan

MAX_GRID_AXES = 3
# Last words of fields that act by factors.
FACTOR_FIELDS = ("lr", "rate", "strength", "weight_decay", "std", "epsilon")
WIDE_RANGE = 20.0  # high / low from which a range spans orders of magnitude
VERY_WIDE_RANGE = 1e4
YOUNG = 5  # runs of a study by hand in which early stopping is better off
LONG_RUN = 30  # epochs of each of many trials, above which a coarse first stage is cheaper


def search_advice(recipe: Recipe, plan: SearchPlan) -> list[Problem]:
    """Problems of a search: those of grade "cannot run", and those of grade "will learn badly".

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> plan = nw.SearchPlan(space=nw.Space((nw.axes.Linear("optimizer.lr", 1e-5, 1.0),)))
        >>> [problem.field for problem in nw.search_advice(recipe, plan)]
        ['space.optimizer.lr']

    Source: Bergstra, Bengio 2012, "Random search for hyper-parameter optimization"; CS231n, "Neural
    networks part 3", hyperparameter optimization.
    """
    return [*_validation_part(recipe, plan), *plan_advice(recipe, plan)]


def plan_advice(recipe: Recipe, plan: SearchPlan) -> list[Problem]:
    """The part of the advice that needs no data."""
    return [*_grid(plan), *_scales(plan), *_coarse_stage(recipe, plan)]


def _validation_part(recipe: Recipe, plan: SearchPlan) -> list[Problem]:
    if plan.folds or recipe.network.is_memory or len(recipe.data.load().valid):
        return []
    reason = (
        "is the number of samples in the validation part, and the test part is never used to choose"
    )
    return [Problem("data.valid", "0", reason, "data.valid = 0.2, or folds = 5")]


def _grid(plan: SearchPlan) -> list[Problem]:
    axes = len(plan.space.axes)
    if not isinstance(plan.method, Grid) or axes <= MAX_GRID_AXES:
        return []
    points = plan.method.points
    reason = (
        f"over {axes} axes: the number of trials is a power of their number, and each axis gets "
        f"only {points} values"
    )
    return [Problem("method", "Grid", reason, "Random()", WILL_LEARN_BADLY)]


def _scales(plan: SearchPlan) -> list[Problem]:
    return [problem for axis in plan.space.axes if (problem := _scale(axis)) is not None]


def _scale(axis: Axis) -> Problem | None:
    """Whether the scale of an axis is linear and should be logarithmic."""
    field = f"space.{axis.name}"
    if isinstance(axis, Linear):
        wide = axis.low == 0 or axis.high / axis.low > WIDE_RANGE
        if not wide or axis.name.split(".")[-1] not in FACTOR_FIELDS:
            return None
        reason = "acts by factors: on a linear axis nine of ten trials are in the highest decade"
        instead = f'Log("{axis.name}", {axis.low or 1e-5:g}, {axis.high:g})'
        return Problem(field, "Linear", reason, instead, WILL_LEARN_BADLY)
    wide = isinstance(axis, Integer) and axis.low > 0 and axis.high / axis.low > WIDE_RANGE
    if isinstance(axis, Integer) and wide and not axis.log:
        reason = "spans orders of magnitude: most trials are in the highest one"
        return Problem(field, "Integer", reason, "log = true", WILL_LEARN_BADLY)
    return None


def _coarse_stage(recipe: Recipe, plan: SearchPlan) -> list[Problem]:
    """Whether a stage of few epochs should find the range first."""
    wide = [
        axis
        for axis in plan.space.axes
        if isinstance(axis, Log) and axis.high / axis.low > VERY_WIDE_RANGE
    ]
    stops_early = plan.method.stages > 1 or plan.method.rungs(recipe.epochs) is not None
    if not wide or stops_early or recipe.epochs <= LONG_RUN:
        return []
    axis = wide[0]
    reason = (
        f"spans a factor of {axis.high / axis.low:.0e}, and each trial runs {recipe.epochs} "
        "epochs: a first stage of few epochs finds the range at a fraction of the cost"
    )
    instead = "method = CoarseToFine()"
    return [Problem(f"space.{axis.name}", "Log", reason, instead, WILL_LEARN_BADLY)]


def young_study_advice(recipe: Recipe, entries: int) -> str:
    """What to change while a study by hand is young: early stopping ends runs before overfitting
    can be seen, and so hides what the network can fit. "" where nothing is to change.

    Args:
        recipe: that was tried.
        entries: runs of the study so far.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)))
        >>> young_study_advice(recipe, 1), bool(
        ...     young_study_advice(recipe.but(stopping=nw.Patience(10)), 1)
        ... )
        ('', True)

    Source: Nielsen 2015, Neural Networks and Deep Learning, chapter 3.
    """
    if entries > YOUNG or not recipe.stopping.keeps_best:
        return ""
    return (
        f"The study is young ({entries} of its first {YOUNG} runs), and this run stops early: let "
        "it run to the end first, to see whether and when it overfits: --set stopping.kind=Never"
    )
