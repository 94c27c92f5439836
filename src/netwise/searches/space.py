"""The space of a search: its axes, and points in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from netwise.errors import Problem, UnknownName
from netwise.part import Part, parts
from netwise.recipe.recipe import Recipe
from netwise.searches.axes import Axis, Choice

Point = dict[str, Any]  # a value for each active axis, by the name of the axis


@dataclass(frozen=True)
class Space(Part):
    """The axes of a search, each named by the field that it changes.

    Args:
        axes: one for each field; an axis comes after the one that decides whether it is active.

    Example:
        >>> import netwise as nw
        >>> rate, width = nw.axes.Log("optimizer.lr", 1e-4, 1.0), nw.axes.Integer("width", 8, 256)
        >>> space = nw.Space((rate, width))
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> space.apply(recipe, {"optimizer.lr": 0.1, "width": 50}).network.widths
        (64, 50, 10)
    """

    family_name: ClassVar[str] = "space"
    axes: tuple[Axis, ...] = parts(Axis, why="none")

    def conflicts(self) -> list[Problem]:
        if not self.axes:
            instead = 'Log("optimizer.lr", 1e-4, 1.0)'
            return [Problem("axes", "", "are missing: a search needs at least one", instead)]
        problems, names = [], list[str]()
        for axis in self.axes:
            if axis.name in names:
                reason = "is the name of two axes. Delete one of them, or merge their ranges"
                problems.append(Problem("axes", axis.name, reason))
            if axis.when is not None and axis.when not in names:
                reason = f"needs an axis {axis.when} before it. Move that axis up, or add it"
                problems.append(Problem("axes", axis.name, reason))
            names.append(axis.name)
        return problems

    def axis(self, name: str) -> Axis:
        """The axis of that name.

        Raises:
            UnknownName: there is none.
        """
        for axis in self.axes:
            if axis.name == name:
                return axis
        raise UnknownName("axis", name, [axis.name for axis in self.axes])

    def suggest(self, trial: Any) -> Point:
        """The point that an Optuna trial suggests: a value for each active axis."""
        point: Point = {}
        for axis in self.axes:
            if axis.is_active(point):
                point[axis.name] = axis.suggest(trial)
        return point

    def apply(self, recipe: Recipe, point: Mapping[str, Any]) -> Recipe:
        """The recipe with the values of a point.

        Raises:
            UnknownName: a value for no axis.
            WrongValue: a value that the recipe does not accept.
        """
        for name in point:
            self.axis(name)
        for axis in self.axes:
            if axis.name in point:
                recipe = axis.apply(recipe, point[axis.name])
        return recipe

    def labels(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """A point as Optuna stores it."""
        return {name: Choice.label(value) for name, value in point.items()}

    def point_of(self, params: Mapping[str, Any]) -> Point:
        """A point from what Optuna stored.

        Raises:
            SchemaError: a value is none of its axis.
        """
        point: Point = {}
        for axis in self.axes:
            if axis.name in params:
                value = params[axis.name]
                point[axis.name] = axis.option_of(value) if isinstance(axis, Choice) else value
        return point
