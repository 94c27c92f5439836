"""Remedies for autoencoders: corrupted inputs, a narrower code, gradients for all of its units, and
both parts of a variational loss on one scale."""

from __future__ import annotations

from netwise.networks import Autoencoder, ConvAutoencoder, VariationalAutoencoder
from netwise.parts.activations import LeakyReLU, Sigmoid
from netwise.parts.augment import Mask
from netwise.parts.losses import SUM, BinaryCrossEntropy, MeanSquaredError, Quadratic
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.treatment.remedies.definition import NotApplicable, Remedy

NARROW = 4  # inputs per unit of a narrow code


def _corrupt_inputs(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, Autoencoder | ConvAutoencoder):
        return NotApplicable(
            f"{type(network).__name__} cannot corrupt its inputs: this is for autoencoders"
        )
    if network.corrupt:
        return NotApplicable("the inputs are corrupted already")
    return recipe.but(network=network.but(corrupt=(Mask(share=0.25),)))


def _narrow_code(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, Autoencoder):
        return NotApplicable(f"{type(network).__name__} has no dense code to narrow")
    width = max(1, network.widths[0] // NARROW)
    if network.widths[-1] <= width:
        return NotApplicable("the code is at most a quarter as wide as the input already")
    return recipe.but(
        network=network.but(widths=(*network.widths[:-1], width), top=min(network.top, width))
    )


def _liven_code(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, Autoencoder):
        return NotApplicable(
            f"{type(network).__name__} has no field for the activation of its code"
        )
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
        return NotApplicable(
            "this is for variational autoencoders: other losses have no KL divergence beside them"
        )
    if isinstance(loss, MeanSquaredError):
        x = prepare(recipe).samples.train.x
        # Half the sum of squares is the density of a normal distribution with standard deviation
        # 1. Pixels from 0 to 1 vary much less, so the code would still stay unused.
        return recipe.but(
            loss=BinaryCrossEntropy()
            if float(x.min()) >= 0 and float(x.max()) <= 1
            else Quadratic()
        )
    if not isinstance(loss, BinaryCrossEntropy | Quadratic) or loss.outputs == SUM:
        return NotApplicable("the loss is summed over an input already, or cannot be")
    return recipe.but(loss=loss.but(outputs=SUM))


def _lower_beta(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, VariationalAutoencoder):
        return NotApplicable(
            "this is for variational autoencoders: there is no KL divergence to weigh less"
        )
    if network.beta <= 0.01:
        return NotApplicable(f"the weight of the KL divergence is {network.beta:g} already")
    return recipe.but(network=network.but(beta=network.beta / 10))


CORRUPT_INPUTS = Remedy(
    name="corrupt_inputs",
    title="Denoising: a quarter of the inputs set to 0, the clean ones as targets",
    apply=_corrupt_inputs,
    by_hand="loss(decode(encode(x * (torch.rand_like(x) > 0.25))), x)",
    source="Vincent et al. 2008; Vincent et al. 2010",
)
NARROW_CODE = Remedy(
    name="narrow_code",
    title="Code with a quarter as many units as inputs",
    apply=_narrow_code,
    by_hand="nn.Linear(inputs, inputs // 4) as the layer that computes the code",
    source="Goodfellow, Bengio, Courville 2016, section 14.1",
)
LIVEN_CODE = Remedy(
    name="liven_code",
    title="Gradients for all units of the code: more of them kept, less sparsity, or leaky ReLU",
    apply=_liven_code,
    by_hand="h = F.leaky_relu(z), or keep more of the largest activations",
    source="Maas, Hannun, Ng 2013; Makhzani, Frey 2013, section 2.2",
)
COUNT_WHOLE_INPUTS = Remedy(
    name="count_whole_inputs",
    title="Reconstruction error summed over an input, as the KL divergence is over the code",
    apply=_count_whole_inputs,
    by_hand="F.binary_cross_entropy_with_logits(y, x, reduction='sum') / len(x)",
    source="Kingma, Welling 2013, arXiv 1312.6114, eq. 3",
)
LOWER_BETA = Remedy(
    name="lower_beta",
    title="A tenth of the weight of the KL divergence",
    apply=_lower_beta,
    by_hand="loss = reconstruction + 0.1 * kl",
    source="Bowman et al. 2016, arXiv 1511.06349; Higgins et al. 2017",
)
