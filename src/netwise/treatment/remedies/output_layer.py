"""Remedies for what the network is asked: its output, its loss, its targets."""

from __future__ import annotations

from netwise.networks import MLP
from netwise.networks.network import TARGETS
from netwise.parts.activations import Identity
from netwise.parts.losses import CrossEntropy
from netwise.recipe.recipe import Recipe
from netwise.tasks import CLASSIFICATION
from netwise.treatment.remedies.definition import NotApplicable, Remedy
from netwise.treatment.remedies.initialization import fixed


def _use_plain_output(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, MLP):
        return NotApplicable(fixed(recipe, "output"))
    if network.output == Identity():
        return NotApplicable("the network ends without an activation already")
    return recipe.but(network=network.but(output=Identity()))


def _use_cross_entropy(recipe: Recipe) -> Recipe | NotApplicable:
    if isinstance(recipe.loss, CrossEntropy):
        return NotApplicable("the loss is cross-entropy already")
    if recipe.network.learns != TARGETS or recipe.network.is_energy_model:
        return NotApplicable(
            f"{type(recipe.network).__name__} learns its inputs, and cross-entropy is for classes"
        )
    if recipe.data.load().task != CLASSIFICATION:
        return NotApplicable("the targets are numbers, and cross-entropy is for classes")
    network = recipe.network
    plain = network.but(output=Identity()) if isinstance(network, MLP) else network
    return recipe.but(loss=CrossEntropy(), network=plain)


def _scale_targets(recipe: Recipe) -> Recipe | NotApplicable:
    scaled = getattr(recipe.data, "scale_target", None)
    if scaled is None or recipe.data.load().task == CLASSIFICATION:
        return NotApplicable("the targets are classes, which have no scale")
    if scaled:
        return NotApplicable("the targets are scaled already")
    return recipe.but(data=recipe.data.but(scale_target=True))


USE_PLAIN_OUTPUT = Remedy(
    "use_plain_output",
    "no activation after the last layer",
    ("output_misfits_loss",),
    _use_plain_output,
    "take nn.Softmax or nn.Sigmoid off the end: nn.CrossEntropyLoss and nn.BCEWithLogitsLoss take logits",
    "note 004, claims A09 and C03",
)
USE_CROSS_ENTROPY = Remedy(
    "use_cross_entropy",
    "cross-entropy from logits",
    ("loss_misfits_task", "output_misfits_loss"),
    _use_cross_entropy,
    "nn.CrossEntropyLoss() on logits and class numbers, for nn.MSELoss() on one-hot rows",
    "note 004, claims C02, C03 and L02",
)
SCALE_TARGETS = Remedy(
    "scale_targets",
    "targets of mean 0 and spread 1",
    ("target_not_scaled", "output_misfits_loss"),
    _scale_targets,
    "y = (y - y_train.mean()) / y_train.std(), undone in the predictions",
    "LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.5",
)
