"""The recipe: everything about a run that gradients train, as one frozen value."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor

from netwise.data import Data
from netwise.networks import Network
from netwise.part import Part, integer, part, parts
from netwise.parts.augment import Augment
from netwise.parts.averaging import Averaging
from netwise.parts.clipping import Clipping
from netwise.parts.finetuning import FineTune
from netwise.parts.initializers import Initializer, ModuleDefault
from netwise.parts.losses import CrossEntropy, Loss
from netwise.parts.optimizers import Adam, Optimizer, Switch
from netwise.parts.penalties import Penalty
from netwise.parts.preprocess import Preprocess
from netwise.parts.schedules import ConstantRate, Schedule
from netwise.parts.stopping import Never, Stopping
from netwise.renamed import with_old_names


@dataclass(frozen=True, kw_only=True)
class Recipe(Part):
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

    family_name: ClassVar[str] = "recipe"

    data: Data = part(Data, because="a recipe needs data", write='"digits"')
    preprocess: tuple[Preprocess, ...] = parts(Preprocess, why="data in a usual range need none")
    augment: tuple[Augment, ...] = parts(Augment, why="see the plain run first")
    network: Network = part(
        Network, because="a recipe needs a network", write='{kind = "MLP", widths = [64, 30, 10]}'
    )
    init: Initializer = part(Initializer, ModuleDefault(), why="what the layers' authors chose")
    loss: Loss = part(
        Loss,
        CrossEntropy(),
        why="classes are the usual task, and it learns fast where it is very wrong",
    )
    penalty: Penalty | None = part(
        Penalty, None, optional=True, why="regularise when overfitting is seen"
    )
    optimizer: Optimizer = part(Optimizer, Adam(), why="forgiving about the learning rate")
    schedule: Schedule = part(Schedule, ConstantRate(), why="find the rate first")
    clip: Clipping | None = part(
        Clipping, None, optional=True, why="clip when gradients are seen to explode"
    )
    batch_size: int = integer(
        64,
        least=1,
        most=10**9,
        because="a step needs a sample",
        why="many steps an epoch, little noise in each",
    )
    epochs: int = integer(
        20,
        least=1,
        most=10**6,
        because="a run is at least one pass",
        why="enough to see where it goes",
    )
    stopping: Stopping = part(
        Stopping, Never(), why="early in a study, see overfitting instead of hiding it"
    )
    tuning: FineTune | None = part(FineTune, None, optional=True, why="all layers learn alike")
    average: Averaging | None = part(
        Averaging, None, optional=True, why="the last weights are what was trained"
    )
    seed: int = integer(
        0,
        least=0,
        most=2**63 - 1,
        because="it seeds the random streams",
        why="any number does; say which",
    )

    @property
    def hash(self) -> str:
        """12 hex digits; equal for equal recipes, whatever made them."""
        from netwise.recipe.file import recipe_text

        return hashlib.sha256(with_old_names(recipe_text(self)).encode()).hexdigest()[:12]

    def to_script(self, *, threads: int = 1) -> str:
        """The text of a plain PyTorch script, without netwise, that gives the same weights bit for
        bit; see `to_script`."""
        from netwise.recipe.script import to_script

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
    if isinstance(optimizer, Switch):
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
