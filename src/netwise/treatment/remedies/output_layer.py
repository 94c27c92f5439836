"""Remedies for the output layer, the loss and the targets."""

from __future__ import annotations

from netwise.networks import MLP
from netwise.parts.activations import Identity
from netwise.parts.losses import CrossEntropy
from netwise.recipe.recipe import Recipe
from netwise.tasks import CLASSIFICATION
from netwise.treatment.remedies.definition import NotApplicable, Remedy
from netwise.treatment.remedies.initialization import why_fixed


def _use_plain_output(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, MLP):
        return NotApplicable(why_fixed(recipe, "output"))
    if network.output == Identity():
        return NotApplicable("the network ends without an activation already")
    return recipe.but(network=network.but(output=Identity()))


def _use_cross_entropy(recipe: Recipe) -> Recipe | NotApplicable:
    if isinstance(recipe.loss, CrossEntropy):
        return NotApplicable("the loss is cross-entropy already")
    if recipe.network.own_task is not None or recipe.network.is_energy_model:
        return NotApplicable(
            f"{type(recipe.network).__name__} has no class targets, and cross-entropy needs classes"
        )
    if recipe.data.load().task != CLASSIFICATION:
        return NotApplicable("the targets are numbers, and cross-entropy needs classes")
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
    name="use_plain_output",
    title="No activation after the last layer",
    apply=_use_plain_output,
    by_hand=(
        "remove nn.Softmax or nn.Sigmoid after the last layer: nn.CrossEntropyLoss and "
        "nn.BCEWithLogitsLoss take logits"
    ),
    source="Nielsen 2015, Neural Networks and Deep Learning, chapter 3",
)
USE_CROSS_ENTROPY = Remedy(
    name="use_cross_entropy",
    title="Cross-entropy loss on logits",
    apply=_use_cross_entropy,
    by_hand="nn.CrossEntropyLoss() on logits and class numbers, not nn.MSELoss() on one-hot rows",
    source="Nielsen 2015, Neural Networks and Deep Learning, chapter 3; netwise lab L02",
)
SCALE_TARGETS = Remedy(
    name="scale_targets",
    title="Targets scaled to mean 0 and standard deviation 1",
    apply=_scale_targets,
    by_hand=(
        "y = (y - y_train.mean()) / y_train.std(), and the inverse on predictions: "
        "y * y_train.std() + y_train.mean()"
    ),
    source="LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.5",
)
