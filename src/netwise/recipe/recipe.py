"""The recipe: everything about a run that gradients train, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor

from netwise.part import Part
from netwise.parts.optimizers import SwitchOptimizer
from netwise.recipe.fields import RecipeFields
from netwise.recipe.script import to_script


@dataclass(frozen=True, kw_only=True)
class Recipe(RecipeFields):
    """Everything that decides what a run learns. Equal recipes, machines and versions give equal
    numbers.

    How to run (device, threads, where to save) is not in it: those are arguments of `fit`.

    Args:
        data: what is learned.
        preprocess: steps fitted on the training part and carried with the network. Default none.
        augment: changes to each training batch. Default none.
        network: what learns.
        init: where its weights start. Default `ModuleDefault()`.
        loss: what training makes small. Default `CrossEntropy()`.
        penalty: a price on large weights, or None. Default None.
        optimizer: from gradients to a step; holds the learning rate. Default `Adam()`.
        schedule: how the rate changes. Default `ConstantRate()`.
        clip: a limit on the gradient, or None. Default None.
        batch_size: samples of one step, at least 1. Default 64.
        epochs: passes over the training part, at least 1. Default 20.
        stopping: when to end before that. Default `Never()`.
        tuning: which layers learn, and how fast beside the others, or None: all alike. Default
            None.
        average: judge and keep an average of the weights over time, or None. Default None.
        seed: of every random stream. Default 0.

    Raises:
        WrongValue: fields that cannot be, all at once.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> recipe.but(batch_size=8).batch_size
        8
    """

    kind: ClassVar[str] = ""  # a file of a recipe names no kind: it is the file

    def to_script(self, *, threads: int = 1) -> str:
        """The text of a plain PyTorch script, without netwise, that gives the same weights bit for
        bit; see `to_script`."""
        return to_script(self, threads=threads)


def with_learning_rate(recipe: Recipe, rate: float) -> Recipe:
    """The recipe with another learning rate; of two optimizers, of the first.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> nw.with_learning_rate(recipe, 0.5).optimizer.lr
        0.5
    """
    optimizer = recipe.optimizer
    if isinstance(optimizer, SwitchOptimizer):
        return recipe.but(optimizer=optimizer.but(first=optimizer.first.but(lr=rate)))
    return recipe.but(optimizer=optimizer.but(lr=rate))


def recipe_diff(before: Recipe, after: Recipe) -> dict[str, tuple[Any, Any]]:
    """What differs between two recipes, by dotted name: (before, after).

    A part of another class is told whole; of the same class, by its own fields.

    Example:
        >>> import netwise as nw
        >>> a = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD(lr=0.1))
        >>> nw.recipe_diff(a, a.but(optimizer=nw.SGD(lr=0.5), epochs=3))
        {'optimizer.lr': (0.1, 0.5), 'epochs': (20, 3)}
    """
    return _changes(before, after, "")


def _changes(before: Any, after: Any, prefix: str) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for each in fields(before):
        one, other = getattr(before, each.name), getattr(after, each.name)
        if _equal(one, other):
            continue
        if isinstance(one, Part) and type(one) is type(other):
            found |= _changes(one, other, f"{prefix}{each.name}.")
        else:
            found[prefix + each.name] = (one, other)
    return found


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    return bool(one == other)
