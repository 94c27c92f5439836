"""Which axes and options of a space no trial could use, found before the first trial."""

from __future__ import annotations

from dataclasses import replace

from netwise.errors import NetwiseError, Problem, WrongValue, short_repr
from netwise.recipe.recipe import Recipe
from netwise.searches.axes import Axis, Choice
from netwise.searches.space import Point, Space

# The recipe of a point, which a trial may have.
_Case = tuple[Point, Recipe]


def unusable_values(recipe: Recipe, space: Space) -> list[Problem]:
    """Problems of values that the recipe accepts with no values of the axes before, such as a field
    that does not exist, or an option that is misspelt.

    Of a numeric axis the two ends are tried, of others all options. An axis with a function of the
    user's own is not tried.

    Args:
        recipe, space: of a search. No code that they name is run.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> space = nw.Space((nw.axes.Log("optimizer.rate", 1e-4, 1.0),))
        >>> print(unusable_values(recipe, space)[0])
        space.optimizer.rate  unknown field. There are: lr, beta1, beta2, epsilon.
    """
    cases: list[_Case] = [({}, recipe)]
    problems: list[Problem] = []
    for axis in space.axes:
        values = axis.options if isinstance(axis, Choice) else (axis.value_at(0), axis.value_at(1))
        active = [case for case in cases if axis.is_active(case[0])]
        if axis.change is not None or not active:
            continue
        for value in values:
            case, refused = _first_case(axis, value, active)
            if case is not None:
                cases.append(case)
            problems += [each for each in refused if each not in problems]
    return problems


def _first_case(
    axis: Axis, value: object, cases: list[_Case]
) -> tuple[_Case | None, list[Problem]]:
    """The first case with this value that a recipe accepts, or why the first one does not."""
    refused: list[Problem] = []
    for point, recipe in cases:
        try:
            return ({**point, axis.name: value}, axis.apply(recipe, value)), []
        except NetwiseError as error:
            refused = refused or _problems(axis, value, error)
    return None, refused


def _problems(axis: Axis, value: object, error: NetwiseError) -> list[Problem]:
    """Why a value is refused, named by its axis."""
    if isinstance(error, WrongValue):
        return [replace(each, field=f"space.{each.field or axis.name}") for each in error.problems]
    return [Problem(f"space.{axis.name}", short_repr(value), str(error))]
