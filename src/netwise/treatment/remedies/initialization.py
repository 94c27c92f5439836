"""Remedies for the start and the flow of gradients: activation, initializer, normalisation,
inputs."""

from __future__ import annotations

from itertools import pairwise

from netwise.networks import MLP, CIFARResNet, ConvNet, CustomNetwork, ResNet
from netwise.networks.energy.units import BINARY
from netwise.networks.network import ITSELF
from netwise.parts.activations import Activation, Identity, LeakyReLU, ReLU
from netwise.parts.initializers import Glorot, He
from netwise.parts.losses import BinaryCrossEntropy
from netwise.parts.preprocess import Standardise
from netwise.recipe.recipe import Recipe
from netwise.treatment.remedies.definition import NotApplicable, Remedy

OWN = "the network is the user's own module: see by_hand"


def _hidden_activation(recipe: Recipe) -> Activation | None:
    found = getattr(recipe.network, "activation", None)
    return found if isinstance(found, Activation) else None


def fixed(recipe: Recipe, what: str) -> str:
    """Why a network's field cannot be changed: it is the user's own, or a published form that has
    none."""
    return (
        OWN
        if isinstance(recipe.network, CustomNetwork)
        else f"{type(recipe.network).__name__} has no {what} to change: it is what was published"
    )


def _use_relu(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    activation = _hidden_activation(recipe)
    if activation is None:
        return NotApplicable(fixed(recipe, "activation"))
    if isinstance(network, MLP) and len(network.widths) == 2:
        return NotApplicable("the network has no hidden layer; give it one first")
    if activation == ReLU():
        return NotApplicable("the hidden layers are ReLU already")
    return recipe.but(network=network.but(activation=ReLU()), init=He())


def _use_fitting_init(recipe: Recipe) -> Recipe | NotApplicable:
    activation = _hidden_activation(recipe)
    if activation is None:
        return NotApplicable(fixed(recipe, "activation"))
    init = Glorot() if activation.saturates or isinstance(activation, Identity) else He()
    if recipe.init == init:
        return NotApplicable(f"the start is {type(init).__name__} already")
    return recipe.but(init=init)


def _use_batch_norm(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if isinstance(network, ConvNet):
        if "B" in network.block.upper():
            return NotApplicable("the network has batch norm already")
        return recipe.but(network=network.but(block=network.block.replace("C", "CB")))
    has = getattr(network, "batch_norm", None)
    if has is None:
        return NotApplicable(
            OWN
            if isinstance(network, CustomNetwork)
            else f"{type(network).__name__} has no place for batch norm: use an MLP, or another network"
        )
    if has:
        return NotApplicable("the network has batch norm already")
    if isinstance(network, MLP) and len(network.widths) == 2:
        return NotApplicable("the network has no hidden layer to normalise")
    if recipe.batch_size == 1:
        return NotApplicable("batch norm cannot learn from a batch of one; raise batch_size first")
    return recipe.but(network=network.but(batch_norm=True))


def _use_leaky_relu(recipe: Recipe) -> Recipe | NotApplicable:
    activation = _hidden_activation(recipe)
    if activation is None:
        return NotApplicable(fixed(recipe, "activation"))
    if not isinstance(activation, ReLU):
        return NotApplicable(
            f"the hidden layers are {type(activation).__name__}, which does not die as ReLU does"
        )
    return recipe.but(network=recipe.network.but(activation=LeakyReLU()))


def _use_residual(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if isinstance(network, ResNet | CIFARResNet):
        return (
            recipe.but(network=network.but(plain=False))
            if network.plain
            else NotApplicable("the network has shortcuts already")
        )
    if not isinstance(network, MLP):
        return NotApplicable(fixed(recipe, "place for shortcuts"))
    if network.residual:
        return NotApplicable("the network has shortcuts already")
    if not any(a == b for a, b in pairwise(network.widths[:-1])):
        return NotApplicable(
            "no two hidden layers next to each other are equally wide, so nothing can be added"
        )
    return recipe.but(network=network.but(residual=True))


def _standardise_inputs(recipe: Recipe) -> Recipe | NotApplicable:
    if not recipe.data.load().train.x.is_floating_point():
        return NotApplicable("the inputs are places in an alphabet, which have no scale")
    if Standardise() in recipe.preprocess:
        return NotApplicable("the inputs are standardised already")
    network = recipe.network
    binary = network.is_energy_model and getattr(network, "visible_units", BINARY) == BINARY
    if (
        binary
        or network.is_memory
        or (network.learns == ITSELF and isinstance(recipe.loss, BinaryCrossEntropy))
    ):
        return NotApplicable(
            f"{type(network).__name__} learns inputs from 0 to 1 here, and standardised ones go below 0"
        )
    return recipe.but(preprocess=(*recipe.preprocess, Standardise()))


USE_RELU = Remedy(
    "use_relu",
    "ReLU in the hidden layers, with He's start",
    ("no_nonlinearity", "vanishing_gradient", "saturation", "not_learning"),
    _use_relu,
    "nn.ReLU() for nn.Sigmoid() or nn.Tanh(), and nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')",
    "note 000, claim T01; He, Zhang, Ren, Sun 2015",
)
USE_FITTING_INIT = Remedy(
    "use_fitting_init",
    "the start that fits the activation (He for ReLU, Glorot for sigmoid and tanh)",
    (
        "start_symmetric",
        "vanishing_gradient",
        "exploding_gradient",
        "saturation",
        "dead_relu",
        "not_learning",
    ),
    _use_fitting_init,
    "nn.init.kaiming_normal_(layer.weight) for ReLU, nn.init.xavier_uniform_(layer.weight) for sigmoid and tanh, zero biases",
    "note 000, claims I05 and I06; Glorot, Bengio 2010",
)
USE_BATCH_NORM = Remedy(
    "use_batch_norm",
    "batch norm before each hidden activation",
    ("vanishing_gradient", "exploding_gradient", "saturation", "dead_relu", "not_learning"),
    _use_batch_norm,
    "nn.BatchNorm1d(width) (BatchNorm2d for maps) between each layer and its activation; batches of 8 or more",
    "note 000, claims I08 and T01; Ioffe, Szegedy 2015, arXiv 1502.03167",
)
USE_LEAKY_RELU = Remedy(
    "use_leaky_relu",
    "leaky ReLU in the hidden layers: no unit is without a gradient",
    ("dead_relu",),
    _use_leaky_relu,
    "nn.LeakyReLU(0.01) for nn.ReLU()",
    "note 000, claims A04 and T01; Maas, Hannun, Ng 2013",
)
USE_RESIDUAL = Remedy(
    "use_residual",
    "shortcuts around the hidden layers: y = x + F(x)",
    ("vanishing_gradient", "not_learning"),
    _use_residual,
    "x = x + layer(x) in forward, for layers that keep the width",
    "note 001, claim N08; note 000, claim T01; He, Zhang, Ren, Sun 2015",
)
STANDARDISE_INPUTS = Remedy(
    "standardise_inputs",
    "inputs of mean 0 and spread 1",
    ("inputs_not_normalised",),
    _standardise_inputs,
    "x = (x - x_train.mean(0)) / x_train.std(0), with the training part's numbers for all parts",
    "note 001, claims P01 and P02",
)
