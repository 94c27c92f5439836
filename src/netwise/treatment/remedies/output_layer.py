"""Remedies for the output layer, the loss and the targets."""

from __future__ import annotations

from netwise.parts.losses import CrossEntropy
from netwise.recipe.recipe import Recipe
from netwise.tasks import task_named
from netwise.treatment.remedies.definition import NotApplicable, Remedy, with_network


def _use_plain_output(recipe: Recipe) -> Recipe | NotApplicable:
    return with_network(recipe, recipe.network.with_plain_output())


def _use_cross_entropy(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if recipe.loss.output_activation == "Softmax":
        return NotApplicable("the loss is cross-entropy already")
    if network.own_task is not None or network.is_energy_model:
        return NotApplicable(
            f"{type(network).__name__} has no class targets, and cross-entropy needs classes"
        )
    if not task_named(recipe.data.load().task).has_classes:
        return NotApplicable("the targets are numbers, and cross-entropy needs classes")
    plain = network.with_plain_output()
    return recipe.but(loss=CrossEntropy(), network=network if isinstance(plain, str) else plain)


def _scale_targets(recipe: Recipe) -> Recipe | NotApplicable:
    scaled = getattr(recipe.data, "scale_target", None)
    if scaled is None or task_named(recipe.data.load().task).has_classes:
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
