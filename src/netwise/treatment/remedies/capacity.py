"""Remedies for the fit: dropout, weight decay, early stopping against overfitting; width and
lighter brakes against underfitting."""

from __future__ import annotations

from netwise.networks import GRU, LSTM, MLP, ConvNet, ElmanRNN
from netwise.parts.augment import Augment, Noise, Shift
from netwise.parts.optimizers import SGD, AdamW
from netwise.parts.penalties import L2
from netwise.parts.stopping import Patience
from netwise.recipe.recipe import Recipe
from netwise.treatment.remedies.definition import NotApplicable, Remedy
from netwise.treatment.remedies.initialization import fixed

BRAKES = (
    "dropout",
    "input_dropout",
    "head_dropout",
    "drop_connect",
    "auxiliary_dropout",
    "stochastic_depth",
)  # fields of networks


def _add_dropout(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    now = getattr(network, "dropout", None)
    if now is None:
        return NotApplicable(fixed(recipe, "dropout"))
    if now >= 0.5:
        return NotApplicable(f"dropout is {now:g} already")
    if isinstance(network, MLP) and len(network.widths) == 2:
        return NotApplicable("the network has no hidden layer to drop units of")
    return recipe.but(network=network.but(dropout=0.5))


def _add_weight_decay(recipe: Recipe) -> Recipe | NotApplicable:
    if isinstance(recipe.penalty, L2):
        return recipe.but(penalty=L2(strength=recipe.penalty.strength * 10))
    if recipe.penalty is not None:
        return NotApplicable(
            f"the weights have a price already, {type(recipe.penalty).__name__}; change its strength"
        )
    return recipe.but(penalty=L2(strength=1e-2))


def _stop_early(recipe: Recipe) -> Recipe | NotApplicable:
    if recipe.stopping.keeps_best:
        return NotApplicable("the run stops early already")
    if not getattr(recipe.data, "valid", 1.0):
        return NotApplicable("nothing is held out to watch; set data.valid")
    return recipe.but(stopping=Patience(10))


def _widen(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if isinstance(network, ConvNet):
        return recipe.but(
            network=network.but(channels=tuple(2 * channels for channels in network.channels))
        )
    if isinstance(network, LSTM | GRU | ElmanRNN):
        return recipe.but(network=network.but(units=2 * network.units))
    width = getattr(network, "width", None)
    if width is not None:
        return (
            recipe.but(network=network.but(width=min(2 * width, 16.0)))
            if width < 16
            else NotApplicable("the network is sixteen times as wide as published")
        )
    if not isinstance(network, MLP):
        return NotApplicable(fixed(recipe, "width"))
    ins, *hidden, outs = network.widths
    if not hidden:
        return recipe.but(network=network.but(widths=(ins, 64, outs)))
    return recipe.but(
        network=network.but(widths=(ins, *(max(4 * width, 32) for width in hidden), outs))
    )


def _lighten_brakes(recipe: Recipe) -> Recipe | NotApplicable:
    changed = recipe
    held = {name: 0.0 for name in BRAKES if getattr(recipe.network, name, 0.0)}
    if held:
        changed = changed.but(network=recipe.network.but(**held))
    if recipe.penalty is not None:
        changed = changed.but(penalty=None)
    if isinstance(recipe.optimizer, SGD | AdamW) and recipe.optimizer.weight_decay:
        changed = changed.but(optimizer=recipe.optimizer.but(weight_decay=0.0))
    return (
        changed
        if changed != recipe
        else NotApplicable("there is no dropout, penalty or decay to lighten")
    )


def _shrink(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if isinstance(network, ConvNet):
        return recipe.but(
            network=network.but(
                channels=tuple(max(1, channels // 2) for channels in network.channels)
            )
        )
    if isinstance(network, LSTM | GRU | ElmanRNN):
        return recipe.but(network=network.but(units=max(1, network.units // 2)))
    if getattr(network, "width", None) is not None:
        return recipe.but(network=network.but(width=network.width / 2))  # type: ignore[attr-defined]
    if not isinstance(network, MLP):
        return NotApplicable(fixed(recipe, "width"))
    ins, *hidden, outs = network.widths
    if not hidden:
        return NotApplicable("the network has no hidden layer to make smaller")
    if max(hidden) == 1:
        return NotApplicable("the hidden layers have one unit each: nothing is smaller")
    return recipe.but(
        network=network.but(widths=(ins, *(max(1, width // 4) for width in hidden), outs))
    )


def _more_data(recipe: Recipe) -> Recipe | NotApplicable:
    if recipe.augment:
        return NotApplicable("the samples are changed anew each time already")
    samples = recipe.data.load()
    if not samples.train.x.is_floating_point():
        return NotApplicable("characters have no changed copies")
    image = len(samples.shape) == 3
    change: Augment = Shift(pixels=1, fill="border") if image else Noise(std=0.1)
    return recipe.but(augment=(change,))


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
    "widen",
    "hidden layers four times as wide",
    ("underfitting", "not_learning"),
    _widen,
    "four times the units in each hidden layer",
    "note 000, claim T02",
)
SHRINK = Remedy(
    "shrink",
    "a smaller network: it has to find what samples have in common",
    ("overfitting",),
    _shrink,
    "a quarter of the units in each hidden layer",
    "note 004, claim G07; note 000, claim T03",
)
MORE_DATA = Remedy(
    "more_data",
    "changed copies of the samples: images moved by a pixel, noise on rows",
    ("overfitting",),
    _more_data,
    "change each batch anew before the network sees it: shifts, flips, noise",
    "note 004, claim G04; note 000, claims G01 and T03",
)
LIGHTEN_BRAKES = Remedy(
    "lighten_brakes",
    "no dropout, no penalty, no decay",
    ("brakes_too_strong", "underfitting", "not_learning"),
    _lighten_brakes,
    "take out nn.Dropout and weight_decay until the training part is learned",
    "note 000, claims D08 and T02",
)
