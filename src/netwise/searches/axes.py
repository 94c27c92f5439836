"""What a search may change: axes, each a field of the recipe with the values it may have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from typing import Any, ClassVar

from netwise.errors import Problem, UnknownName, WrongValue, interface_error
from netwise.networks import Network
from netwise.part import FieldRule, InvalidValue, Part, flag, integer, number, parts, text
from netwise.recipe.reader import with_fields
from netwise.recipe.recipe import Recipe, with_learning_rate

Change = Callable[[Recipe, Any], Recipe]
Point = dict[str, Any]  # a value for each axis that is in force, by the axis' name
EDGE = 0.05  # of an axis, by its own scale: nearer to an end than this is on the border


def _scalars(default: Any, why: str) -> Any:
    def accept(value: object) -> object:
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise InvalidValue("must be a list of values", '["SGD", "Adam"]')
        return tuple(tuple(each) if isinstance(each, list) else each for each in value)

    import dataclasses

    return dataclasses.field(default=default, metadata={"rule": FieldRule(accept, why)})


@dataclass(frozen=True, kw_only=True)
class Axis(Part):
    """What every axis has: the field it changes, and when it is in force.

    Args:
        field: dotted name of a field of the recipe, such as `optimizer.lr`, or one of the words
            `rate`, `width` (units of every hidden layer of an `MLP`) and `depth` (its hidden
            layers).
        change: in the place of `field`'s meaning: a function (recipe, value) -> recipe. Files have
            none.
        when: name of another axis, further up, on which this one hangs, or None. Default none.
        among: the values of that axis for which this one is in force. Default none.

    Example:
        >>> import netwise as nw
        >>> axis = nw.axes.Log("optimizer.lr", 1e-4, 1.0)
        >>> axis.value_at(0.5)
        0.01
    """

    family_name: ClassVar[str] = "axis"
    change: Change | None = field(default=None, compare=False)
    when: str | None = text(None, optional=True, because="it names an axis", why="always in force")
    among: tuple[Any, ...] = _scalars((), "always in force")

    @property
    def name(self) -> str:
        return str(getattr(self, "field", ""))

    def conflicts(self) -> list[Problem]:
        if (self.when is None) != (not self.among):
            return [
                Problem(
                    "when",
                    str(self.when),
                    "and among belong together: the axis, and its values for which this one is in force",
                )
            ]
        return self.range_problems()

    def range_problems(self) -> list[Problem]:
        return []

    def value_at(self, share: float) -> Any:
        """The value so far from the low end to the high one, from 0 to 1, on the axis' own
        scale."""
        raise interface_error(self, "Log('optimizer.lr', 1e-4, 1.0)")

    def fraction_of(self, value: Any) -> float:
        """Where a value lies, from 0 to 1: the inverse of `value_at`."""
        raise interface_error(self, "Log('optimizer.lr', 1e-4, 1.0)")

    def suggest(self, trial: Any) -> Any:
        """The value that an Optuna trial takes."""
        raise interface_error(self, "Log('optimizer.lr', 1e-4, 1.0)")

    def grid(self, points: int) -> list[Any]:
        """So many values in equal steps of the axis' scale."""
        found = [self.value_at(i / (points - 1) if points > 1 else 0.5) for i in range(points)]
        return list(dict.fromkeys(found))

    def near(self, values: Sequence[Any], least: float) -> Axis:
        """A narrower axis around these values, at least `least` of the present length."""
        return self

    def at_border(self, value: Any) -> str:
        """ "low", "high" or "": at which end of an axis of numbers a value lies, if at one."""
        return ""

    def is_active(self, point: Mapping[str, Any]) -> bool:
        return self.when is None or point.get(self.when) in self.among

    def apply(self, recipe: Recipe, value: Any) -> Recipe:
        """The recipe with this value."""
        if self.change is not None:
            return self.change(recipe, value)
        if self.name in WORDS:
            return WORDS[self.name](recipe, value)
        return with_fields(recipe, {self.name: value})


class NumericAxis(Axis):
    """An axis of numbers from `low` to `high`, in equal steps or by equal factors."""

    low: Any
    high: Any

    @property
    def is_logarithmic(self) -> bool:
        """Every order of magnitude is as long as every other."""
        return False

    def range_problems(self) -> list[Problem]:
        return (
            []
            if self.low < self.high
            else [Problem("high", repr(self.high), f"must be above low = {self.low}")]
        )

    def value_at(self, share: float) -> Any:
        return float(f"{self._at(share):.12g}")

    def _at(self, share: float) -> float:
        if self.is_logarithmic:
            return math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        return float(self.low + share * (self.high - self.low))

    def fraction_of(self, value: Any) -> float:
        if self.is_logarithmic:
            return (math.log(value) - math.log(self.low)) / (
                math.log(self.high) - math.log(self.low)
            )
        return float((value - self.low) / (self.high - self.low))

    def suggest(self, trial: Any) -> Any:
        return float(trial.suggest_float(self.name, self.low, self.high, log=self.is_logarithmic))

    def near(self, values: Sequence[Any], least: float) -> Axis:
        shares = [self.fraction_of(value) for value in values]
        missing = max(0.0, least - (max(shares) - min(shares)))
        return self._between(
            max(0.0, min(shares) - missing / 2), min(1.0, max(shares) + missing / 2)
        )

    def _between(self, low: float, high: float) -> Axis:
        return self.but(low=self.value_at(low), high=self.value_at(high))

    def at_border(self, value: Any) -> str:
        share = self.fraction_of(value)
        return "low" if share <= EDGE else "high" if share >= 1 - EDGE else ""


@dataclass(frozen=True)
class Linear(NumericAxis):
    """Real numbers from `low` to `high`, every one as likely.

    Args:
        field, change, when, among: as in `Axis`.
        low, high: the ends, both included.

    Example:
        >>> import netwise as nw
        >>> nw.axes.Linear("network.dropout", 0.0, 0.8).value_at(0.25)
        0.2
    """

    field: str = text(because="it names what changes", write='"network.dropout"')
    low: float = number(because="an end of the axis")
    high: float = number(because="an end of the axis")


@dataclass(frozen=True)
class Log(NumericAxis):
    """NumericAxis above 0, every order of magnitude as likely: for rates, penalties and whatever acts
    by factors.

    Args:
        field, change, when, among: as in `Axis`.
        low, high: the ends, above 0, both included.

    Example:
        >>> import netwise as nw
        >>> nw.axes.Log("optimizer.lr", 1e-4, 1.0).grid(3)
        [0.0001, 0.01, 1.0]
    """

    field: str = text(because="it names what changes", write='"optimizer.lr"')
    low: float = number(above=0, because="it has no logarithm")
    high: float = number(above=0, because="it has no logarithm")

    @property
    def is_logarithmic(self) -> bool:
        return True


@dataclass(frozen=True)
class Integer(NumericAxis):
    """Whole numbers from `low` to `high`.

    Args:
        field, change, when, among: as in `Axis`.
        low, high: the ends, both included.
        log: every order of magnitude as likely, for widths and batch sizes. Default false.

    Example:
        >>> import netwise as nw
        >>> nw.axes.Integer("width", 8, 512, log=True).grid(4)
        [8, 32, 128, 512]
    """

    field: str = text(because="it names what changes", write='"width"')
    low: int = integer(because="an end of the axis")
    high: int = integer(because="an end of the axis")
    log: bool = flag(False, why="steps of one")

    @property
    def is_logarithmic(self) -> bool:
        return self.log

    def range_problems(self) -> list[Problem]:
        if self.log and self.low < 1:
            return [Problem("low", str(self.low), "must be at least 1 on a logarithmic axis", "1")]
        return super().range_problems()

    def value_at(self, share: float) -> int:
        return round(self._at(share))

    def suggest(self, trial: Any) -> int:
        return int(trial.suggest_int(self.name, self.low, self.high, log=self.log))

    def _between(self, low: float, high: float) -> Axis:
        ends = self.value_at(low), self.value_at(high)
        if ends[0] == ends[1]:  # an axis has two ends
            ends = (ends[0], ends[0] + 1) if ends[1] < self.high else (ends[1] - 1, ends[1])
        return self.but(low=ends[0], high=ends[1])


@dataclass(frozen=True)
class Choice(Axis):
    """One of some values: kinds of parts by name, numbers, texts, or rows such as widths.

    Args:
        field, change, when, among: as in `Axis`.
        options: at least two.

    Example:
        >>> import netwise as nw
        >>> axis = nw.axes.Choice("network.activation", ("ReLU", "Tanh"))
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> axis.apply(recipe, "Tanh").network.activation == nw.Tanh()
        True
    """

    field: str = text(because="it names what changes", write='"network.activation"')
    options: tuple[Any, ...] = _scalars(MISSING, "")

    def range_problems(self) -> list[Problem]:
        labels = [self.label(option) for option in self.options]
        if len(set(labels)) < 2 or len(set(labels)) < len(labels):
            return [Problem("options", str(labels), "must be at least two different ones")]
        return []

    @staticmethod
    def label(option: Any) -> Any:
        """The option as Optuna can keep it."""
        return (
            option
            if option is None or isinstance(option, bool | int | float | str)
            else str(option)
        )

    def value_at(self, share: float) -> Any:
        return self.options[min(len(self.options) - 1, int(share * len(self.options)))]

    def fraction_of(self, value: Any) -> float:
        return (self.options.index(value) + 0.5) / len(self.options)

    def suggest(self, trial: Any) -> Any:
        labels = [self.label(option) for option in self.options]
        return self.options[labels.index(trial.suggest_categorical(self.name, labels))]

    def grid(self, points: int) -> list[Any]:
        return list(self.options)


AXES: tuple[type[Axis], ...] = (Linear, Log, Integer, Choice)


@dataclass(frozen=True)
class Space(Part):
    """The axes of a search, each named by the field that it changes.

    Args:
        axes: one for each field; an axis that hangs on another comes after it.

    Example:
        >>> import netwise as nw
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0), nw.axes.Integer("width", 8, 256, log=True)))
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> space.apply(recipe, {"optimizer.lr": 0.1, "width": 50}).network.widths
        (64, 50, 10)
    """

    family_name: ClassVar[str] = "space"
    axes: tuple[Axis, ...] = parts(Axis, why="none")

    def conflicts(self) -> list[Problem]:
        if not self.axes:
            return [
                Problem(
                    "axes",
                    "",
                    "are none: there is nothing to search",
                    'Log("optimizer.lr", 1e-4, 1.0)',
                )
            ]
        wrong, seen = [], list[str]()
        for axis in self.axes:
            if axis.name in seen:
                wrong.append(Problem("axes", axis.name, "stands twice"))
            if axis.when is not None and axis.when not in seen:
                wrong.append(
                    Problem("axes", axis.name, f"hangs on {axis.when}, which is no axis further up")
                )
            seen.append(axis.name)
        return wrong

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
        """A value for each axis in force, as an Optuna trial takes them."""
        point: Point = {}
        for axis in self.axes:
            if axis.is_active(point):
                point[axis.name] = axis.suggest(trial)
        return point

    def apply(self, recipe: Recipe, point: Mapping[str, Any]) -> Recipe:
        """The recipe with the values of a point.

        Raises:
            UnknownName: a value for no axis.
            WrongValue: what the recipe cannot be.
        """
        for name in point:
            self.axis(name)
        for axis in self.axes:
            if axis.name in point:
                recipe = axis.apply(recipe, point[axis.name])
        return recipe

    def labels(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """A point as Optuna keeps it."""
        return {name: Choice.label(value) for name, value in point.items()}

    def point_of(self, params: Mapping[str, Any]) -> Point:
        """A point from what Optuna kept."""
        found: Point = {}
        for axis in self.axes:
            if axis.name in params:
                value = params[axis.name]
                if isinstance(axis, Choice):
                    value = axis.options[
                        [axis.label(option) for option in axis.options].index(value)
                    ]
                found[axis.name] = value
        return found


def _width(recipe: Recipe, units: Any) -> Recipe:
    return _layered(recipe, "width", recipe.network.with_hidden_layers(units=int(units)))


def _depth(recipe: Recipe, layers: Any) -> Recipe:
    return _layered(recipe, "depth", recipe.network.with_hidden_layers(layers=int(layers)))


def _layered(recipe: Recipe, word: str, changed: Network | str) -> Recipe:
    if isinstance(changed, str):
        raise WrongValue.of("space", "axes", word, changed)
    return recipe.but(network=changed)


WORDS: dict[str, Change] = {"rate": with_learning_rate, "width": _width, "depth": _depth}
