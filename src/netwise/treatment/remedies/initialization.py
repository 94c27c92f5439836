"""Remedies for initialization and gradient flow: activation, initializer, batch normalization,
residual connections, scale of the inputs."""

from __future__ import annotations

from netwise.parts.activations import Identity, LeakyReLU, ReLU
from netwise.parts.initializers import Glorot, He
from netwise.parts.preprocess import Standardise
from netwise.recipe.recipe import Recipe
from netwise.treatment.remedies.definition import NotApplicable, Remedy, with_network


def _use_relu(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    activation = recipe.network.hidden_activation
    if activation is None:
        return NotApplicable(recipe.network.lacks("activation"))
    if not network.has_hidden_layers:
        return NotApplicable("the network has no hidden layer: add one first")
    if activation == ReLU():
        return NotApplicable("the hidden layers are ReLU already")
    return recipe.but(network=network.but(activation=ReLU()), init=He())


def _use_fitting_init(recipe: Recipe) -> Recipe | NotApplicable:
    activation = recipe.network.hidden_activation
    if activation is None:
        return NotApplicable(recipe.network.lacks("activation"))
    init = Glorot() if activation.saturates or isinstance(activation, Identity) else He()
    if recipe.init == init:
        return NotApplicable(f"the weights start from {type(init).__name__} already")
    return recipe.but(init=init)


def _use_batch_norm(recipe: Recipe) -> Recipe | NotApplicable:
    changed = recipe.network.with_batch_norm()
    if not isinstance(changed, str) and recipe.batch_size == 1:
        return NotApplicable(
            "batch normalization needs at least two samples in a batch: raise batch_size first"
        )
    return with_network(recipe, changed)


def _use_leaky_relu(recipe: Recipe) -> Recipe | NotApplicable:
    activation = recipe.network.hidden_activation
    if activation is None:
        return NotApplicable(recipe.network.lacks("activation"))
    if not isinstance(activation, ReLU):
        return NotApplicable(
            f"the hidden layers are {type(activation).__name__}, whose units do not die"
        )
    return recipe.but(network=recipe.network.but(activation=LeakyReLU()))


def _use_residual(recipe: Recipe) -> Recipe | NotApplicable:
    return with_network(recipe, recipe.network.with_shortcuts())


def _standardise_inputs(recipe: Recipe) -> Recipe | NotApplicable:
    if not recipe.data.load().train.x.is_floating_point():
        return NotApplicable("the inputs are symbol numbers, which have no scale")
    if Standardise() in recipe.preprocess:
        return NotApplicable("the inputs are standardised already")
    network = recipe.network
    if network.needs_inputs_from_0_to_1(recipe.loss):
        return NotApplicable(
            f"{type(network).__name__} models inputs from 0 to 1, and standardised ones go below 0"
        )
    return recipe.but(preprocess=(*recipe.preprocess, Standardise()))


USE_RELU = Remedy(
    name="use_relu",
    title="ReLU in the hidden layers, with He initialization",
    apply=_use_relu,
    by_hand=(
        "nn.ReLU() instead of nn.Sigmoid() or nn.Tanh(), and "
        "nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')"
    ),
    source="Glorot, Bordes, Bengio 2011; He, Zhang, Ren, Sun 2015, arXiv 1502.01852",
)
USE_FITTING_INIT = Remedy(
    name="use_fitting_init",
    title="Initialization that fits the activation: He for ReLU, Glorot for sigmoid and tanh",
    apply=_use_fitting_init,
    by_hand=(
        "nn.init.kaiming_normal_(layer.weight) for ReLU, nn.init.xavier_uniform_(layer.weight) "
        "for sigmoid and tanh, nn.init.zeros_(layer.bias)"
    ),
    source="Glorot, Bengio 2010; He, Zhang, Ren, Sun 2015, arXiv 1502.01852",
)
USE_BATCH_NORM = Remedy(
    name="use_batch_norm",
    title="Batch normalization before each hidden activation",
    apply=_use_batch_norm,
    by_hand=(
        "nn.BatchNorm1d(width), or nn.BatchNorm2d(channels), between each layer and its "
        "activation; batches of at least 8 samples"
    ),
    source="Ioffe, Szegedy 2015, arXiv 1502.03167",
)
USE_LEAKY_RELU = Remedy(
    name="use_leaky_relu",
    title="Leaky ReLU in the hidden layers, so that every unit gets a gradient",
    apply=_use_leaky_relu,
    by_hand="nn.LeakyReLU(0.01) instead of nn.ReLU()",
    source="Maas, Hannun, Ng 2013",
)
USE_RESIDUAL = Remedy(
    name="use_residual",
    title="Residual connections around the hidden layers: y = x + F(x)",
    apply=_use_residual,
    by_hand="x = x + layer(x) in forward, for layers with as many outputs as inputs",
    source="He, Zhang, Ren, Sun 2015, arXiv 1512.03385",
)
STANDARDISE_INPUTS = Remedy(
    name="standardise_inputs",
    title="Inputs scaled to mean 0 and standard deviation 1",
    apply=_standardise_inputs,
    by_hand=(
        "x = (x - x_train.mean(0)) / x_train.std(0), with the numbers of the training part for "
        "the validation and test part too"
    ),
    source="LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.3",
)
