"""A space to search, chosen from a recipe alone."""

from __future__ import annotations

from pathlib import Path

from netwise.atomic import write_atomically
from netwise.recipe.plain import plain_of
from netwise.recipe.recipe import Recipe
from netwise.searches.axes import Axis, Integer, Linear, Log
from netwise.searches.plan import SearchPlan
from netwise.searches.plan_file import plan_as_dict
from netwise.searches.space import Space

RATE_FACTOR, DECAY_FACTOR = 10.0, 30.0  # each way from the value of the recipe
TRIALS = 30  # where none are given: enough for the six axes of a table


def suggest_space(recipe: Recipe) -> Space:
    """The settings of a recipe that matter most, with ranges around their values: the learning
    rate, and as far as the recipe has them the weight decay, the number and width of hidden layers,
    dropout and label smoothing.

    Example:
        >>> import netwise as nw
        >>> space = nw.suggest_space(nw.suggest(nw.data.iris()))
        >>> [axis.name for axis in space.axes]
        ['optimizer.lr', 'depth', 'width', 'network.dropout', 'loss.label_smoothing']
    """
    optimizer, network = recipe.optimizer, recipe.network
    first = getattr(optimizer, "first", None)  # of two that follow each other
    name, rate = ("optimizer.lr", optimizer.lr) if first is None else ("rate", first.lr)
    axes: list[Axis] = [Log(name, rate / RATE_FACTOR, rate * RATE_FACTOR)]
    decay = getattr(optimizer, "weight_decay", 0.0)
    if decay:
        axes.append(Log("optimizer.weight_decay", decay / DECAY_FACTOR, decay * DECAY_FACTOR))
    if network.has_hidden_layers and not isinstance(network.with_hidden_layers(units=32), str):
        axes += [Integer("depth", 1, 4), Integer("width", 32, 512, log=True)]
    if network.has_hidden_layers and getattr(network, "dropout", None) is not None:
        axes.append(Linear("network.dropout", 0.0, 0.6))
    if getattr(recipe.loss, "label_smoothing", None) is not None:
        axes.append(Linear("loss.label_smoothing", 0.0, 0.2))
    return Space(tuple(axes))


def suggested_plan(recipe: Recipe, trials: int = TRIALS) -> SearchPlan:
    """A plan with the suggested space."""
    return SearchPlan(space=suggest_space(recipe), trials=trials)


def write_space(recipe: Recipe, plan: SearchPlan, path: Path) -> None:
    """Write a space file that `netwise search` takes: the plan, and the recipe that it changes."""
    import tomli_w

    plain = plan_as_dict(plan)
    plain["axes"] = plain.pop("space")["axes"]
    tables = {name: value for name, value in plain.items() if isinstance(value, dict | list)}
    values = {name: value for name, value in plain.items() if name not in tables}
    text = tomli_w.dumps({**values, **tables, "recipe": plain_of(recipe)})
    write_atomically(path, text)
