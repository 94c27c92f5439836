"""The recipe: everything about a run that gradients train, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor

from netwise.part import Part
from netwise.parts.optimizers import SwitchOptimizer
from netwise.recipe.fields import RecipeFields


@dataclass(frozen=True, kw_only=True)
class Recipe(RecipeFields):
    """Everything that decides what a run computes. Equal recipes give equal numbers, on the same
    machine and versions.

    How to run (device, threads, where to save) is not in it: those are arguments of `fit`.

    Args:
        data: the samples and targets.
        preprocess: steps fitted on the training part and saved with the network. Default none.
        augment: changes to each training batch. Default none.
        network: the architecture.
        init: the initial weights. Default `ModuleDefault()`.
        loss: what training minimises. Default `CrossEntropy()`.
        penalty: a regulariser of the weights, or None. Default None.
        optimizer: from gradients to a step; holds the learning rate. Default `Adam()`.
        schedule: how the learning rate changes. Default `ConstantRate()`.
        clip: a limit on the gradient, or None. Default None.
        batch_size: samples of one step, at least 1. Default 64.
        epochs: passes over the training part, at least 1. Default 20.
        stopping: when to end before that. Default `Never()`.
        tuning: which layers are trained, and at which share of the learning rate, or None: all
            alike. Default None.
        average: evaluate and keep an average of the weights over time, or None. Default None.
        metric: what early stopping, trials and searches look at on the validation part: "accuracy",
            "balanced_accuracy", "macro_f1", "auc", "log_loss", "r2", "mae" or "rmse", or None.
            Default None: trials and searches look at accuracy or R², and at balanced accuracy where
            the largest class has more than 5 times the samples of the smallest; early stopping
            looks at what the stopping rule says, by default the validation loss.
        seed: of every random stream. Default 0.

    Raises:
        WrongValue: fields with values that they cannot have, all at once.

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
        from netwise.recipe.script import to_script  # heavy

        return to_script(self, threads=threads)


def with_learning_rate(recipe: Recipe, rate: float) -> Recipe:
    """The recipe with another learning rate; where two optimizers follow each other, that of the
    first.

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

    A part of another class is given as a whole; one of the same class by the fields that differ.

    Example:
        >>> import netwise as nw
        >>> data, network = nw.data.digits(), nw.MLP((64, 30, 10))
        >>> before = nw.Recipe(data=data, network=network, optimizer=nw.SGD(lr=0.1))
        >>> nw.recipe_diff(before, before.but(optimizer=nw.SGD(lr=0.5), epochs=3))
        {'optimizer.lr': (0.1, 0.5), 'epochs': (20, 3)}
    """
    return _differences(before, after, "")


def _differences(before: Any, after: Any, prefix: str) -> dict[str, tuple[Any, Any]]:
    differences: dict[str, tuple[Any, Any]] = {}
    for field in fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if _equal(old, new):
            continue
        if isinstance(old, Part) and type(old) is type(new):
            differences |= _differences(old, new, f"{prefix}{field.name}.")
        else:
            differences[prefix + field.name] = (old, new)
    return differences


def _equal(old: Any, new: Any) -> bool:
    if isinstance(old, Tensor) and isinstance(new, Tensor):
        return torch.equal(old, new)
    return bool(old == new)
