"""Remedies for the size of a step: learning rate, optimizer, gradient clipping."""

from __future__ import annotations

import math

from netwise.parts.clipping import Clip
from netwise.parts.optimizers import Adam, AdamW
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.treatment.learning_rate import losses_by_rate
from netwise.treatment.remedies.definition import NotApplicable, Remedy


def _search_rate(recipe: Recipe) -> Recipe | NotApplicable:
    """The rate with the lowest training loss after a short run, over twelve decades."""
    losses = losses_by_rate(recipe)
    best = min(losses, key=lambda rate: losses[rate])
    if not math.isfinite(losses[best]):
        return NotApplicable("the loss becomes infinite or nan at every rate: the cause is another")
    if best == recipe.optimizer.lr:
        return NotApplicable(
            f"of the rates from {min(losses):g} to {max(losses):g}, {best:g} has the lowest loss "
            "already"
        )
    return with_learning_rate(recipe, float(f"{best:.6g}"))


def _lower_rate(recipe: Recipe) -> Recipe | NotApplicable:
    return with_learning_rate(recipe, recipe.optimizer.lr / 10)


def _use_adam(recipe: Recipe) -> Recipe | NotApplicable:
    if isinstance(recipe.optimizer, Adam | AdamW):
        return NotApplicable("the optimizer is Adam already")
    return recipe.but(optimizer=Adam())


def _clip_gradient(recipe: Recipe) -> Recipe | NotApplicable:
    if recipe.clip is not None:
        return NotApplicable("the gradient is clipped already")
    return recipe.but(clip=Clip(1.0))


SEARCH_RATE = Remedy(
    name="search_rate",
    title="Learning rate whose loss is lowest after a short run",
    apply=_search_rate,
    by_hand=(
        "train 60 steps from the same initial weights at lr / 1e6, lr / 1e5, ..., lr * 1e6, and "
        "use the rate with the lowest training loss"
    ),
    source="Nielsen 2015, Neural Networks and Deep Learning, chapter 3",
)
LOWER_RATE = Remedy(
    name="lower_rate",
    title="A tenth of the learning rate",
    apply=_lower_rate,
    by_hand="lr=lr / 10 in the optimizer",
    source="Nielsen 2015, Neural Networks and Deep Learning, chapter 3",
)
USE_ADAM = Remedy(
    name="use_adam",
    title="Adam with its default learning rate 0.001",
    apply=_use_adam,
    by_hand="torch.optim.Adam(model.parameters(), lr=0.001)",
    source="Kingma, Ba 2014, arXiv 1412.6980",
)
CLIP_GRADIENT = Remedy(
    name="clip_gradient",
    title="Gradient clipped to norm 1",
    apply=_clip_gradient,
    by_hand=(
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) between loss.backward() and "
        "optimizer.step()"
    ),
    source="Pascanu, Mikolov, Bengio 2013, arXiv 1211.5063",
)
