"""Remedies for classes that are rare in the training part."""

from __future__ import annotations

import torch

from netwise.data import Samples
from netwise.parts.augment.enlarging import Resample
from netwise.parts.losses import Loss
from netwise.recipe.recipe import Recipe
from netwise.tasks import task_named
from netwise.treatment.remedies.definition import NotApplicable, Remedy

EVEN = "the classes of the training part are of about equal size"
NEARLY = 1.5  # samples of the largest class over those of the smallest, below which they are even


def _counts(samples: Samples) -> torch.Tensor | None:
    """Training samples of each class; None where the targets are no single classes."""
    y = samples.train.y
    if not task_named(samples.task).has_classes or y.dim() != 1:
        return None
    return torch.bincount(y, minlength=len(samples.classes)).double()


def _uneven_counts(recipe: Recipe) -> torch.Tensor | NotApplicable:
    """Training samples of each class, at least 1, or why there is nothing to even out."""
    network = recipe.network
    if network.own_task is not None or network.is_energy_model or network.is_memory:
        return NotApplicable(f"{type(network).__name__} has no class targets")
    counts = _counts(recipe.data.load())
    if counts is None:
        return NotApplicable("the targets are no single classes, which could be rare")
    counts = counts.clamp_min(1.0)
    if float(counts.max()) < NEARLY * float(counts.min()):
        return NotApplicable(EVEN)
    if any(isinstance(change, Resample) and change.balanced for change in recipe.augment):
        return NotApplicable("the training part is resampled already")
    return counts


def _rounded(values: torch.Tensor) -> tuple[float, ...]:
    """Numbers that a recipe file shows in full."""
    return tuple(float(f"{value:.6g}") for value in values.tolist())


def _with_loss(recipe: Recipe, loss: Loss | str) -> Recipe | NotApplicable:
    return NotApplicable(loss) if isinstance(loss, str) else recipe.but(loss=loss)


def _weight_classes(recipe: Recipe) -> Recipe | NotApplicable:
    counts = _uneven_counts(recipe)
    if isinstance(counts, NotApplicable):
        return counts
    weights = _rounded(counts.sum() / (len(counts) * counts))
    return _with_loss(recipe, recipe.loss.for_uneven_classes(weights=weights))


def _move_threshold(recipe: Recipe) -> Recipe | NotApplicable:
    counts = _uneven_counts(recipe)
    if isinstance(counts, NotApplicable):
        return counts
    priors = _rounded(counts / counts.sum())
    return _with_loss(recipe, recipe.loss.for_uneven_classes(priors=priors))


def _resample_classes(recipe: Recipe) -> Recipe | NotApplicable:
    counts = _uneven_counts(recipe)
    if isinstance(counts, NotApplicable):
        return counts
    if getattr(recipe.loss, "weights", ()) or getattr(recipe.loss, "priors", ()):
        return NotApplicable("the loss has weights of the classes, or their shares, already")
    if recipe.data.load().train.weight is not None:
        return NotApplicable("the samples have weights, and samples that are added would have none")
    return recipe.but(augment=(Resample(), *recipe.augment))


WEIGHT_CLASSES = Remedy(
    name="weight_classes",
    title="Each class counts the same in the loss",
    apply=_weight_classes,
    by_hand="nn.CrossEntropyLoss(weight=len(y) / (classes * torch.bincount(y)))",
    source="King, Zeng 2001, Logistic regression in rare events data",
)
MOVE_THRESHOLD = Remedy(
    name="move_threshold",
    title="Answers by probability over the share of the class",
    apply=_move_threshold,
    by_hand=(
        "train with F.cross_entropy(logits + priors.log(), y), priors = torch.bincount(y) / len(y),"
        " and answer logits.argmax(1); or answer (probabilities / priors).argmax(1)"
    ),
    source="Menon et al. 2021, Long-tail learning via logit adjustment, arXiv 2007.07314",
)
RESAMPLE_CLASSES = Remedy(
    name="resample_classes",
    title="Equal numbers of training samples of each class",
    apply=_resample_classes,
    by_hand="DataLoader(..., sampler=WeightedRandomSampler((1 / torch.bincount(y))[y], len(y)))",
    source="Japkowicz, Stephen 2002, The class imbalance problem",
)
