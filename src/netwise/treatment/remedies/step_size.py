"""Remedies for the step: learning rate, optimizer, clipping."""

from __future__ import annotations

import math

from netwise.diagnosis.rules.outcome import final_loss
from netwise.parts.clipping import Clip
from netwise.parts.optimizers import Adam, AdamW
from netwise.parts.stopping import Never
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.signals import LOSS
from netwise.training.fit import fit
from netwise.treatment.remedies.definition import NotApplicable, Remedy

TRIAL_STEPS = 60  # as many as show which rate falls farthest; an epoch where that is longer
DECADES = range(-6, 7)


def _search_rate(recipe: Recipe) -> Recipe | NotApplicable:
    """The rate whose training loss falls farthest in a short run from the same start, over twelve
    decades."""
    falls: dict[float, float] = {}
    for decade in DECADES:
        rate = recipe.optimizer.lr * 10.0**decade
        falls[rate] = _loss_after(with_learning_rate(recipe, rate))
    best = min(falls, key=lambda rate: falls[rate])
    if not math.isfinite(falls[best]):
        return NotApplicable("the loss stays no number at every rate: the fault is not the rate")
    if best == recipe.optimizer.lr:
        return NotApplicable(
            f"of the rates from {min(falls):g} to {max(falls):g}, {best:g} falls farthest already"
        )
    return with_learning_rate(recipe, float(f"{best:.6g}"))


def _loss_after(recipe: Recipe) -> float:
    """Training loss after about `TRIAL_STEPS` steps, by the median of the last watched ones;
    infinite where it diverged."""
    size = max(1, len(recipe.data.load().train))
    per_epoch = math.ceil(size / recipe.batch_size)
    short = recipe.but(epochs=max(1, math.ceil(TRIAL_STEPS / per_epoch)), stopping=Never())
    history = fit(short, test=False).history
    losses = history.of(LOSS)
    if history.ended.how != "finished" or losses is None:
        return math.inf
    last = final_loss(history)
    return last if last is not None and math.isfinite(last) else math.inf


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
