"""Remedies for the user's own training loop.

`fit` has none of these faults, so no recipe can be changed: each remedy gives its reason and is
shown with what to write by hand."""

from __future__ import annotations

from netwise.recipe.recipe import Recipe
from netwise.treatment.remedies.definition import NotApplicable, Remedy


def _done_by_fit(recipe: Recipe) -> NotApplicable:
    return NotApplicable("`fit` does this already; in your own loop write it by hand")


def _labels_need_a_person(recipe: Recipe) -> NotApplicable:
    return NotApplicable("a recipe cannot correct labels: print a few samples with their labels")


REBUILD_OPTIMIZER = Remedy(
    name="rebuild_optimizer",
    title="Optimizer that holds all weights",
    apply=_done_by_fit,
    by_hand=(
        "build the optimizer after the model is complete: "
        "torch.optim.SGD(model.parameters(), lr=0.1)"
    ),
    source="Zhang et al. 2018, An empirical study on TensorFlow program bugs",
)
CLEAR_GRADIENTS = Remedy(
    name="clear_gradients",
    title="Gradients set to zero before each backward pass",
    apply=_done_by_fit,
    by_hand="optimizer.zero_grad() before loss.backward()",
    source="PyTorch documentation, torch.optim.Optimizer.zero_grad",
)
SHUFFLE = Remedy(
    name="shuffle",
    title="Batches drawn at random",
    apply=_done_by_fit,
    by_hand="DataLoader(..., shuffle=True), or a new torch.randperm(n) in each epoch",
    source="Bottou 2012, Stochastic gradient descent tricks, section 5.1",
)
LOOK_AT_LABELS = Remedy(
    name="look_at_labels",
    title="Labels that belong to their inputs",
    apply=_labels_need_a_person,
    by_hand="print some inputs with their labels; shuffle and filter both with the same index",
    source="Zhang, Bengio, Hardt, Recht, Vinyals 2016, arXiv 1611.03530",
)
