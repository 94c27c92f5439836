"""Remedies against overfitting (dropout, weight decay, early stopping, augmentation, a smaller
network) and against underfitting (a larger network, less regularisation)."""

from __future__ import annotations

from netwise.parts.augment import Augment, Noise, Shift
from netwise.parts.optimizers import SGD, AdamW
from netwise.parts.penalties import L2
from netwise.parts.stopping import Patience
from netwise.recipe.recipe import Recipe
from netwise.treatment.remedies.definition import NotApplicable, Remedy, with_network

MOST_EPOCHS = 1_000_000


def _add_dropout(recipe: Recipe) -> Recipe | NotApplicable:
    return with_network(recipe, recipe.network.with_dropout(0.5))


def _add_weight_decay(recipe: Recipe) -> Recipe | NotApplicable:
    if isinstance(recipe.penalty, L2):
        return recipe.but(penalty=L2(strength=recipe.penalty.strength * 10))
    if recipe.penalty is not None:
        return NotApplicable(
            f"the penalty is {type(recipe.penalty).__name__} already: change its strength"
        )
    return recipe.but(penalty=L2(strength=1e-2))


def _stop_early(recipe: Recipe) -> Recipe | NotApplicable:
    if recipe.stopping.keeps_best:
        return NotApplicable("the run stops early already")
    if not getattr(recipe.data, "valid", 1.0):
        return NotApplicable("there is no validation part to measure: set data.valid")
    return recipe.but(stopping=Patience(10))


def _widen(recipe: Recipe) -> Recipe | NotApplicable:
    return with_network(recipe, recipe.network.widened())


def _deepen(recipe: Recipe) -> Recipe | NotApplicable:
    return with_network(recipe, recipe.network.deepened())


def _more_epochs(recipe: Recipe) -> Recipe | NotApplicable:
    if recipe.network.is_memory:
        return NotApplicable("a memory stores its patterns at once, in no epochs")
    if recipe.epochs >= MOST_EPOCHS:
        return NotApplicable(f"the recipe has {recipe.epochs} epochs already")
    return recipe.but(epochs=min(3 * recipe.epochs, MOST_EPOCHS))


def _larger_batch(recipe: Recipe) -> Recipe | NotApplicable:
    rows = len(recipe.data.load().train)
    if recipe.network.is_memory or recipe.batch_size >= rows:
        return NotApplicable("a batch has all training samples already")
    return recipe.but(batch_size=min(4 * recipe.batch_size, rows))


def _lighten_brakes(recipe: Recipe) -> Recipe | NotApplicable:
    changed = recipe.but(network=recipe.network.without_regularisation())
    if recipe.penalty is not None:
        changed = changed.but(penalty=None)
    if isinstance(recipe.optimizer, SGD | AdamW) and recipe.optimizer.weight_decay:
        changed = changed.but(optimizer=recipe.optimizer.but(weight_decay=0.0))
    return (
        changed
        if changed != recipe
        else NotApplicable("the recipe has no dropout, penalty or weight decay")
    )


def _shrink(recipe: Recipe) -> Recipe | NotApplicable:
    return with_network(recipe, recipe.network.narrowed())


def _more_data(recipe: Recipe) -> Recipe | NotApplicable:
    if recipe.augment:
        return NotApplicable("the recipe augments its samples already")
    samples = recipe.data.load()
    if not samples.train.x.is_floating_point():
        return NotApplicable("symbols have no noisy or shifted copies")
    image = len(samples.shape) == 3
    augmentation: Augment = Shift(pixels=1, fill="border") if image else Noise(std=0.1)
    return recipe.but(augment=(augmentation,))


ADD_DROPOUT = Remedy(
    name="add_dropout",
    title="Dropout of half of the hidden units",
    apply=_add_dropout,
    by_hand="nn.Dropout(0.5) after each hidden activation",
    source="Srivastava et al. 2014",
)
ADD_WEIGHT_DECAY = Remedy(
    name="add_weight_decay",
    title="L2 penalty on the weights",
    apply=_add_weight_decay,
    by_hand="weight_decay=1e-2 in the optimizer, for weights and not for biases",
    source="Nielsen 2015, Neural Networks and Deep Learning, chapter 3",
)
STOP_EARLY = Remedy(
    name="stop_early",
    title="Early stopping: ten epochs without a lower validation loss, best weights kept",
    apply=_stop_early,
    by_hand=(
        "keep a copy of the weights with the lowest validation loss; stop after ten epochs "
        "without a lower one"
    ),
    source="Prechelt 1998, Early stopping - but when?",
)
WIDEN = Remedy(
    name="widen",
    title="Wider hidden layers",
    apply=_widen,
    by_hand="four times as many units in each hidden layer",
    source="Goodfellow, Bengio, Courville 2016, section 5.2",
)
DEEPEN = Remedy(
    name="deepen",
    title="One more hidden layer",
    apply=_deepen,
    by_hand="one more hidden layer of the width of the last one, with its activation",
    source="Goodfellow, Bengio, Courville 2016, section 6.4.1",
)
MORE_EPOCHS = Remedy(
    name="more_epochs",
    title="Three times as many epochs",
    apply=_more_epochs,
    by_hand="for epoch in range(3 * epochs):",
    source="Nielsen 2015, Neural Networks and Deep Learning, chapter 3",
)
LARGER_BATCH = Remedy(
    name="larger_batch",
    title="Four times as many samples in a batch",
    apply=_larger_batch,
    by_hand="DataLoader(..., batch_size=4 * batch_size)",
    source="Nielsen 2015, Neural Networks and Deep Learning, chapter 3",
)
SHRINK = Remedy(
    name="shrink",
    title="Narrower hidden layers",
    apply=_shrink,
    by_hand="a quarter of the units in each hidden layer",
    source="Nielsen 2015, Neural Networks and Deep Learning, chapter 3",
)
MORE_DATA = Remedy(
    name="more_data",
    title="Data augmentation: images shifted by a pixel, noise added to rows",
    apply=_more_data,
    by_hand="random shifts, flips or noise on each batch before it goes into the network",
    source="Simard, Steinkraus, Platt 2003; Nielsen 2015, chapter 3",
)
LIGHTEN_BRAKES = Remedy(
    name="lighten_brakes",
    title="No dropout, no penalty, no weight decay",
    apply=_lighten_brakes,
    by_hand="remove nn.Dropout and weight_decay until the training loss falls",
    source="Goodfellow, Bengio, Courville 2016, section 5.2",
)
