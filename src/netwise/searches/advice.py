"""What the notes advise about a search, as checks with their reasons."""

from __future__ import annotations

from netwise.errors import WILL_LEARN_BADLY, Problem
from netwise.recipe.recipe import Recipe
from netwise.searches.axes import Integer, Linear, Log
from netwise.searches.methods import Grid
from netwise.searches.plan import SearchPlan

FEW_AXES = 3  # a grid of more is refused by the notes
BY_FACTORS = (
    "lr",
    "rate",
    "strength",
    "weight_decay",
    "std",
    "epsilon",
)  # last words of fields that act by factors
WIDE = 20.0  # a range over more than this factor is one of orders of magnitude
EPOCHS = 30  # of each of many trials, beyond which a coarse look first is cheaper


def search_advice(recipe: Recipe, plan: SearchPlan) -> list[Problem]:
    """Everything about a search that cannot be, and what it will do badly.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> plan = nw.SearchPlan(space=nw.Space((nw.axes.Linear("optimizer.lr", 1e-5, 1.0),)))
        >>> [problem.field for problem in nw.search_advice(recipe, plan)]
        ['space.optimizer.lr']

    Source: note 002, claims H06 and H07; note 004, claims S06 and W05.
    """
    return [*_judged_by(recipe, plan), *_grid(plan), *_scales(plan), *_range_first(recipe, plan)]


def _judged_by(recipe: Recipe, plan: SearchPlan) -> list[Problem]:
    if plan.folds or recipe.network.is_memory:
        return []
    samples = recipe.data.load()
    if len(samples.valid):
        return []
    told = "is empty, and the test part is never used to choose: hold a part out for it, or ask for folds"
    return [Problem("data.valid", "0", told, "data.valid = 0.2, or folds = 5")]


def _grid(plan: SearchPlan) -> list[Problem]:
    axes = len(plan.space.axes)
    if not isinstance(plan.method, Grid) or axes <= FEW_AXES:
        return []
    told = f"over {axes} axes: its cost grows by a power of their number, and each axis is seen at {plan.method.points} places only"
    return [Problem("method", "Grid", told, "Random()", WILL_LEARN_BADLY)]


def _scales(plan: SearchPlan) -> list[Problem]:
    wrong = []
    for axis in plan.space.axes:
        last = axis.name.split(".")[-1]
        linear_whole = (
            isinstance(axis, Integer)
            and not axis.log
            and axis.low > 0
            and axis.high / axis.low > WIDE
        )
        if (
            isinstance(axis, Linear)
            and last in BY_FACTORS
            and (axis.low == 0 or axis.high / axis.low > WIDE)
        ):
            told = "acts by factors: on a linear axis nine tenths of the trials fall in the highest decade"
            wrong.append(
                Problem(
                    f"space.{axis.name}",
                    "Linear",
                    told,
                    f'Log("{axis.name}", {axis.low or 1e-5:g}, {axis.high:g})',
                    WILL_LEARN_BADLY,
                )
            )
        elif linear_whole:
            told = "spans orders of magnitude: most trials fall in the highest"
            wrong.append(
                Problem(f"space.{axis.name}", "Whole", told, "log = true", WILL_LEARN_BADLY)
            )
    return wrong


def _range_first(recipe: Recipe, plan: SearchPlan) -> list[Problem]:
    wide = [
        axis for axis in plan.space.axes if isinstance(axis, Log) and axis.high / axis.low > 1e4
    ]
    if (
        not wide
        or plan.method.stages > 1
        or plan.method.pruner(recipe.epochs) is not None
        or recipe.epochs <= EPOCHS
    ):
        return []
    told = f"spans {wide[0].high / wide[0].low:.0e} times, and every trial runs {recipe.epochs} epochs: find the range with few epochs first, the value with more"
    return [
        Problem(f"space.{wide[0].name}", "Log", told, "method = CoarseToFine()", WILL_LEARN_BADLY)
    ]
