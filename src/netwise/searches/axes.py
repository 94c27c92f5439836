"""Axes of a search: fields of the recipe, each with the values that a search may give it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from typing import Any, ClassVar

from netwise.errors import Problem, WrongValue, interface_error, short_repr
from netwise.networks import Network
from netwise.part import FieldRule, InvalidValue, Part, flag, integer, number, text
from netwise.recipe.plain import plain_value
from netwise.recipe.reader import with_fields
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.schema import SchemaError

__all__ = ["Axis", "Choice", "Integer", "Linear", "Log"]

Change = Callable[[Recipe, Any], Recipe]
BORDER = 0.05  # a value nearer to an end than this fraction of the axis is at its border


def __dir__() -> list[str]:
    """For `help(nw.axes)` and completion."""
    return __all__


def _list_of_values(default: Any, why: str) -> Any:
    def accept(value: object) -> object:
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise InvalidValue("must be a list of values", '["SGD", "Adam"]')
        return tuple(tuple(each) if isinstance(each, list) else each for each in value)

    return dataclasses.field(default=default, metadata={"rule": FieldRule(accept, why)})


@dataclass(frozen=True, kw_only=True)
class Axis(Part):
    """What every axis has: the field it changes, and when it is active.

    Args:
        field: dotted name of a field of the recipe, such as `optimizer.lr`, or one of the words
            `rate`, `width` (units of every hidden layer of an `MLP`) and `depth` (its hidden
            layers).
        change: instead of setting `field`: a function (recipe, value) -> recipe. Files hold none.
        when: name of an axis before this one whose value decides whether this one is active, or
            None. Default none.
        among: the values of that axis for which this one is active. Default none.

    Example:
        >>> import netwise as nw
        >>> axis = nw.axes.Log("optimizer.lr", 1e-4, 1.0)
        >>> axis.value_at(0.5)
        0.01
    """

    family_name: ClassVar[str] = "axis"
    change: Change | None = field(default=None, compare=False)
    when: str | None = text(None, optional=True, because="it names an axis", why="always active")
    among: tuple[Any, ...] = _list_of_values((), "always active")

    @property
    def name(self) -> str:
        return str(getattr(self, "field", ""))

    def conflicts(self) -> list[Problem]:
        if (self.when is None) != (not self.among):
            reason = "and among go together: an axis, and its values for which this one is active"
            instead = 'when = "optimizer.kind" and among = ["SGD"], or neither'
            return [Problem("when", str(self.when), reason, instead)]
        return self.range_problems()

    def range_problems(self) -> list[Problem]:
        """What is wrong with the range or the options."""
        return []

    def value_at(self, fraction: float) -> Any:
        """The value at a fraction of the axis, 0 at the low end and 1 at the high one, on the scale
        of the axis."""
        raise interface_error(self, "Log('optimizer.lr', 1e-4, 1.0)")

    def fraction_of(self, value: Any) -> float:
        """Where a value is on the axis, from 0 to 1: the inverse of `value_at`."""
        raise interface_error(self, "Log('optimizer.lr', 1e-4, 1.0)")

    def suggest(self, trial: Any) -> Any:
        """The value that an Optuna trial suggests."""
        raise interface_error(self, "Log('optimizer.lr', 1e-4, 1.0)")

    def grid(self, points: int) -> list[Any]:
        """This many values in equal steps of the axis' scale, without duplicates."""
        fractions = [i / (points - 1) if points > 1 else 0.5 for i in range(points)]
        return list(dict.fromkeys(self.value_at(fraction) for fraction in fractions))

    def narrowed_to(self, values: Sequence[Any], least: float) -> Axis:
        """A narrower axis that holds these values, at least a fraction `least` of this one long."""
        return self

    def at_border(self, value: Any) -> str:
        """At which end of a numeric axis the value is: "low", "high" or ""."""
        return ""

    def is_active(self, point: Mapping[str, Any]) -> bool:
        """Whether the axis has a value where the axes before it have those of `point`."""
        return self.when is None or point.get(self.when) in self.among

    def apply(self, recipe: Recipe, value: Any) -> Recipe:
        """The recipe with this value."""
        if self.change is not None:
            return self.change(recipe, value)
        if self.name in WORDS:
            return WORDS[self.name](recipe, value)
        return with_fields(recipe, {self.name: value})


class NumericAxis(Axis):
    """An axis of numbers from `low` to `high`, on a linear or a logarithmic scale."""

    low: Any
    high: Any

    @property
    def is_logarithmic(self) -> bool:
        """Each order of magnitude has the same length."""
        return False

    def range_problems(self) -> list[Problem]:
        if self.low < self.high:
            return []
        reason = f"must be above low = {self.low}: an axis has two ends"
        return [Problem("high", repr(self.high), reason, f"a number above {self.low}")]

    def value_at(self, fraction: float) -> Any:
        return float(f"{self._at(fraction):.12g}")

    def _at(self, fraction: float) -> float:
        if self.is_logarithmic:
            length = math.log(self.high) - math.log(self.low)
            return math.exp(math.log(self.low) + fraction * length)
        return float(self.low + fraction * (self.high - self.low))

    def fraction_of(self, value: Any) -> float:
        if self.is_logarithmic:
            length = math.log(self.high) - math.log(self.low)
            return (math.log(value) - math.log(self.low)) / length
        return float((value - self.low) / (self.high - self.low))

    def suggest(self, trial: Any) -> Any:
        return float(trial.suggest_float(self.name, self.low, self.high, log=self.is_logarithmic))

    def narrowed_to(self, values: Sequence[Any], least: float) -> Axis:
        fractions = [self.fraction_of(value) for value in values]
        missing = max(0.0, least - (max(fractions) - min(fractions)))
        low, high = min(fractions) - missing / 2, max(fractions) + missing / 2
        return self._between(max(0.0, low), min(1.0, high))

    def _between(self, low: float, high: float) -> Axis:
        return self.but(low=self.value_at(low), high=self.value_at(high))

    def at_border(self, value: Any) -> str:
        fraction = self.fraction_of(value)
        return "low" if fraction <= BORDER else "high" if fraction >= 1 - BORDER else ""


@dataclass(frozen=True)
class Linear(NumericAxis):
    """Real numbers from `low` to `high`, uniformly distributed.

    Not for learning rates and penalties, which act by factors: use `Log`.

    Args:
        field, change, when, among: as in `Axis`.
        low, high: the ends, both included.

    Example:
        >>> import netwise as nw
        >>> nw.axes.Linear("network.dropout", 0.0, 0.8).value_at(0.25)
        0.2
    """

    field: str = text(because="it names what changes", write='"network.dropout"')
    low: float = number(because="an end of the axis", write="0.0")
    high: float = number(because="an end of the axis", write="1.0")


@dataclass(frozen=True)
class Log(NumericAxis):
    """Positive numbers from `low` to `high` with uniformly distributed logarithms: for learning
    rates, penalties and all that acts by factors.

    Args:
        field, change, when, among: as in `Axis`.
        low, high: the ends, above 0, both included.

    Example:
        >>> import netwise as nw
        >>> nw.axes.Log("optimizer.lr", 1e-4, 1.0).grid(3)
        [0.0001, 0.01, 1.0]
    """

    field: str = text(because="it names what changes", write='"optimizer.lr"')
    low: float = number(above=0, because="it has no logarithm", write="1e-4")
    high: float = number(above=0, because="it has no logarithm", write="1.0")

    @property
    def is_logarithmic(self) -> bool:
        return True


@dataclass(frozen=True)
class Integer(NumericAxis):
    """Whole numbers from `low` to `high`.

    Args:
        field, change, when, among: as in `Axis`.
        low, high: the ends, both included.
        log: uniformly distributed logarithms, for widths and batch sizes. Default false.

    Example:
        >>> import netwise as nw
        >>> nw.axes.Integer("width", 8, 512, log=True).grid(4)
        [8, 32, 128, 512]
    """

    field: str = text(because="it names what changes", write='"width"')
    low: int = integer(because="an end of the axis", write="8")
    high: int = integer(because="an end of the axis", write="512")
    log: bool = flag(False, why="steps of one")

    @property
    def is_logarithmic(self) -> bool:
        return self.log

    def range_problems(self) -> list[Problem]:
        if self.log and self.low < 1:
            return [Problem("low", str(self.low), "must be at least 1 on a logarithmic axis", "1")]
        return super().range_problems()

    def value_at(self, fraction: float) -> int:
        return round(self._at(fraction))

    def suggest(self, trial: Any) -> int:
        return int(trial.suggest_int(self.name, self.low, self.high, log=self.log))

    def _between(self, low: float, high: float) -> Axis:
        ends = self.value_at(low), self.value_at(high)
        if ends[0] == ends[1]:  # an axis has two ends
            ends = (ends[0], ends[0] + 1) if ends[1] < self.high else (ends[1] - 1, ends[1])
        return self.but(low=ends[0], high=ends[1])


@dataclass(frozen=True)
class Choice(Axis):
    """One of some values: kinds of parts by name, numbers, texts, or lists such as widths.

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
    options: tuple[Any, ...] = _list_of_values(MISSING, "")

    def range_problems(self) -> list[Problem]:
        labels = [self.label(option) for option in self.options]
        if len(set(labels)) >= 2 and len(set(labels)) == len(labels):
            return []
        reason = "must be at least two different values"
        return [Problem("options", str(labels), reason, '["ReLU", "Tanh"]')]

    @staticmethod
    def label(option: Any) -> Any:
        """The option as Optuna can store it."""
        plain = option is None or isinstance(option, bool | int | float | str)
        return option if plain else str(plain_value(option))  # as the plan's file has it

    def option_of(self, label: Any) -> Any:
        """The option that `label` was made of.

        Raises:
            SchemaError: there is none.
        """
        for option in self.options:
            if self.label(option) == label:
                return option
        known = ", ".join(str(self.label(option)) for option in self.options)
        raise SchemaError(self.name, f"must be one of {known}", short_repr(label))

    def value_at(self, fraction: float) -> Any:
        return self.options[min(len(self.options) - 1, int(fraction * len(self.options)))]

    def fraction_of(self, value: Any) -> float:
        return (self.options.index(value) + 0.5) / len(self.options)

    def suggest(self, trial: Any) -> Any:
        labels = [self.label(option) for option in self.options]
        return self.option_of(trial.suggest_categorical(self.name, labels))

    def grid(self, points: int) -> list[Any]:
        return list(self.options)


AXES: tuple[type[Axis], ...] = (Linear, Log, Integer, Choice)


def _with_width(recipe: Recipe, units: Any) -> Recipe:
    network = recipe.network.with_hidden_layers(units=int(units))
    return _with_network(recipe, "width", network)


def _with_depth(recipe: Recipe, layers: Any) -> Recipe:
    network = recipe.network.with_hidden_layers(layers=int(layers))
    return _with_network(recipe, "depth", network)


def _with_network(recipe: Recipe, word: str, network: Network | str) -> Recipe:
    if isinstance(network, str):  # why the network has no such layers
        instead = "the name of a field, such as network.dropout"
        raise WrongValue.of("space", "axes", word, network, instead)
    return recipe.but(network=network)


# Names of axes that are no field of a recipe.
WORDS: Mapping[str, Change] = {
    "rate": with_learning_rate,
    "width": _with_width,
    "depth": _with_depth,
}
