"""Remedies for the fit: dropout, weight decay, early stopping against overfitting; width and lighter brakes against underfitting."""

from __future__ import annotations

from netwise.networks import MLP
from netwise.optimizers import SGD, AdamW
from netwise.penalties import L2
from netwise.recipe.recipe import Recipe
from netwise.remedies.change import Remedy, Unfit
from netwise.remedies.start import OWN
from netwise.stopping import Patience


def _add_dropout(recipe: Recipe) -> Recipe | Unfit:
    network = recipe.network
    if not isinstance(network, MLP):
        return Unfit(OWN)
    if network.dropout >= 0.5:
        return Unfit(f"dropout is {network.dropout:g} already")
    if len(network.widths) == 2:
        return Unfit("the network has no hidden layer to drop units of")
    return recipe.but(network=network.but(dropout=0.5))


def _add_weight_decay(recipe: Recipe) -> Recipe | Unfit:
    if isinstance(recipe.penalty, L2):
        return recipe.but(penalty=L2(strength=recipe.penalty.strength * 10))
    if recipe.penalty is not None:
        return Unfit(f"the weights have a price already, {type(recipe.penalty).__name__}; change its strength")
    return recipe.but(penalty=L2(strength=1e-2))


def _stop_early(recipe: Recipe) -> Recipe | Unfit:
    if recipe.stopping.keeps_best:
        return Unfit("the run stops early already")
    if not getattr(recipe.data, "valid", 1.0):
        return Unfit("nothing is held out to watch; set data.valid")
    return recipe.but(stopping=Patience(10))


def _widen(recipe: Recipe) -> Recipe | Unfit:
    network = recipe.network
    if not isinstance(network, MLP):
        return Unfit(OWN)
    ins, *hidden, outs = network.widths
    if not hidden:
        return recipe.but(network=network.but(widths=(ins, 64, outs)))
    return recipe.but(network=network.but(widths=(ins, *(max(4 * width, 32) for width in hidden), outs)))


def _lighten_brakes(recipe: Recipe) -> Recipe | Unfit:
    changed = recipe
    if isinstance(recipe.network, MLP) and recipe.network.dropout:
        changed = changed.but(network=recipe.network.but(dropout=0.0))
    if recipe.penalty is not None:
        changed = changed.but(penalty=None)
    if isinstance(recipe.optimizer, SGD | AdamW) and recipe.optimizer.weight_decay:
        changed = changed.but(optimizer=recipe.optimizer.but(weight_decay=0.0))
    return changed if changed != recipe else Unfit("there is no dropout, penalty or decay to lighten")


ADD_DROPOUT = Remedy(
    "add_dropout",
    "half of the hidden units dropped in training",
    ("overfitting",),
    _add_dropout,
    "nn.Dropout(0.5) after each hidden activation",
    "note 004, claims Y09 and T03; Srivastava et al. 2014",
)
ADD_WEIGHT_DECAY = Remedy(
    "add_weight_decay",
    "a price on large weights (L2)",
    ("overfitting",),
    _add_weight_decay,
    "weight_decay=1e-2 in the optimizer, for weights and not for biases",
    "note 004, claims C06 and L04",
)
STOP_EARLY = Remedy(
    "stop_early",
    "stop after ten epochs without a new best, and keep the best",
    ("overfitting",),
    _stop_early,
    "keep the weights of the best validation loss; stop when ten epochs bring no better one",
    "note 000, claims S04 and T03",
)
WIDEN = Remedy(
    "widen", "hidden layers four times as wide", ("underfitting", "not_learning"), _widen, "four times the units in each hidden layer", "note 000, claim T02"
)
LIGHTEN_BRAKES = Remedy(
    "lighten_brakes",
    "no dropout, no penalty, no decay",
    ("brakes_too_strong", "underfitting", "not_learning"),
    _lighten_brakes,
    "take out nn.Dropout and weight_decay until the training part is learned",
    "note 000, claims D08 and T02",
)
