"""Remedies for a loop of the user's own: what `fit` does by itself, so that there is nothing to
change in a recipe."""

from __future__ import annotations

from netwise.recipe.recipe import Recipe
from netwise.treatment.remedies.definition import NotApplicable, Remedy


def _by_fit(recipe: Recipe) -> NotApplicable:
    return NotApplicable("`fit` does this by itself; in a loop of your own do it by hand")


def _by_eye(recipe: Recipe) -> NotApplicable:
    return NotApplicable("no change of a recipe mends labels: look at a few samples with theirs")


REBUILD_OPTIMIZER = Remedy(
    "rebuild_optimizer",
    "an optimizer that has all weights",
    ("weights_stand_still",),
    _by_fit,
    "build the optimizer after the model is complete: torch.optim.SGD(model.parameters(), lr=0.1)",
    "findings catalogue, not_connected",
)
CLEAR_GRADIENTS = Remedy(
    "clear_gradients",
    "gradients cleared before each pass",
    ("stale_gradients",),
    _by_fit,
    "optimizer.zero_grad() before loss.backward()",
    "note 001, claim R06",
)
SHUFFLE = Remedy(
    "shuffle",
    "batches drawn at random",
    ("not_shuffled",),
    _by_fit,
    "DataLoader(..., shuffle=True), or a fresh torch.randperm each epoch",
    "note 001, claim O06",
)
LOOK_AT_LABELS = Remedy(
    "look_at_labels",
    "labels that belong to their inputs",
    ("labels_suspect",),
    _by_eye,
    "print some inputs beside their labels; shuffle and filter both by one index",
    "Zhang, Bengio, Hardt, Recht, Vinyals 2016, arXiv 1611.03530",
)
