"""Remedies for autoencoders: corrupted inputs, a narrower code, a livelier one, one bound for both
parts of a variational cost."""

from __future__ import annotations

from netwise.networks import Autoencoder, ConvAutoencoder, VariationalAutoencoder
from netwise.parts.activations import LeakyReLU, Sigmoid
from netwise.parts.augment import Mask
from netwise.parts.losses import SUM, BinaryCrossEntropy, MeanSquaredError, Quadratic
from netwise.recipe.checks import prepared
from netwise.recipe.recipe import Recipe
from netwise.treatment.remedies.definition import NotApplicable, Remedy

NARROW = 4  # a code of a quarter of the input


def _corrupt(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, Autoencoder | ConvAutoencoder):
        return NotApplicable(
            f"{type(network).__name__} is no autoencoder whose inputs can be corrupted"
        )
    if network.corrupt:
        return NotApplicable("the inputs are corrupted already")
    return recipe.but(network=network.but(corrupt=(Mask(share=0.25),)))


def _narrow(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, Autoencoder):
        return NotApplicable(f"{type(network).__name__} has no dense code of its own to narrow")
    width = max(1, network.widths[0] // NARROW)
    if network.widths[-1] <= width:
        return NotApplicable("the code is at most a quarter as wide as the input already")
    return recipe.but(
        network=network.but(widths=(*network.widths[:-1], width), top=min(network.top, width))
    )


def _liven(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, Autoencoder):
        return NotApplicable(f"{type(network).__name__} has no code whose activation can be chosen")
    if network.top:
        more = min(network.widths[-1], max(2 * network.top, network.widths[-1] // 5))
        return (
            recipe.but(network=network.but(top=more))
            if more > network.top
            else NotApplicable("all units of the code are kept already")
        )
    if network.sparsity:
        return recipe.but(network=network.but(sparsity=network.sparsity / 10))
    if isinstance(network.code or network.activation, LeakyReLU | Sigmoid):
        return NotApplicable("the code's activation passes gradients everywhere already")
    return recipe.but(network=network.but(activation=LeakyReLU(), code=None))


def _count_whole_inputs(recipe: Recipe) -> Recipe | NotApplicable:
    loss = recipe.loss
    if not isinstance(recipe.network, VariationalAutoencoder):
        return NotApplicable("its loss stands alone: there is no price on a code beside it")
    if isinstance(loss, MeanSquaredError):
        x = prepared(recipe, recipe.data.load())[0].train.x
        # Pixels from 0 to 1 differ too little for a normal density of spread 1, which half the sum
        # of squares is: the code would still not pay.
        return recipe.but(
            loss=BinaryCrossEntropy()
            if float(x.min()) >= 0 and float(x.max()) <= 1
            else Quadratic()
        )
    if not isinstance(loss, BinaryCrossEntropy | Quadratic) or loss.outputs == SUM:
        return NotApplicable("the loss counts whole inputs already, or has no other way to count")
    return recipe.but(loss=loss.but(outputs=SUM))


def _lower_beta(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, VariationalAutoencoder):
        return NotApplicable("there is no price on the code to lower")
    if network.beta <= 0.01:
        return NotApplicable(f"the price on the code is {network.beta:g} already")
    return recipe.but(network=network.but(beta=network.beta / 10))


CORRUPT = Remedy(
    "corrupt_inputs",
    "Set a quarter of the inputs to 0 in training, and ask for the clean ones",
    ("identity_learned",),
    _corrupt,
    "loss(decode(encode(x * (torch.rand_like(x) > 0.25))), x)",
    "Vincent et al. 2008; note 001, claim N16",
)
NARROW_CODE = Remedy(
    "narrow_code",
    "A code of a quarter of the input's numbers",
    ("identity_learned", "dead_code"),
    _narrow,
    "nn.Linear(inputs, inputs // 4)",
    "note 001, claim N17",
)
LIVEN_CODE = Remedy(
    "liven_code",
    "Let every unit of the code get gradients: a fifth of them kept, a tenth of the price, or a leaky rectifier",
    ("dead_code",),
    _liven,
    "h = F.leaky_relu(z), or keep more of the largest",
    "Maas, Hannun, Ng 2013; Makhzani, Frey 2013, section 2.2",
)
COUNT_WHOLE_INPUTS = Remedy(
    "count_whole_inputs",
    "Sum the reconstruction's error over an input, as the price is summed over the code",
    ("posterior_collapse",),
    _count_whole_inputs,
    "F.binary_cross_entropy_with_logits(y, x, reduction='sum') / len(x)",
    "Kingma, Welling 2013, eq. 3",
)
LOWER_BETA = Remedy(
    "lower_beta",
    "A tenth of the price on the code",
    ("posterior_collapse",),
    _lower_beta,
    "loss = reconstruction + 0.1 * kl",
    "Bowman et al. 2016; Higgins et al. 2017",
)
