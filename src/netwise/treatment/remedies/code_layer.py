"""Remedies for autoencoders: corrupted inputs, a narrower code, gradients for all of its units, and
both parts of a variational loss on one scale."""

from __future__ import annotations

from netwise.parts.augment import Mask
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.treatment.remedies.definition import NotApplicable, Remedy, with_network


def _corrupt_inputs(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    corruption = getattr(network, "corrupt", None)
    if corruption is None:
        return NotApplicable(
            f"{type(network).__name__} cannot corrupt its inputs: this is for autoencoders"
        )
    if corruption:
        return NotApplicable("the inputs are corrupted already")
    return recipe.but(network=network.but(corrupt=(Mask(share=0.25),)))


def _narrow_code(recipe: Recipe) -> Recipe | NotApplicable:
    return with_network(recipe, recipe.network.with_narrower_code())


def _liven_code(recipe: Recipe) -> Recipe | NotApplicable:
    return with_network(recipe, recipe.network.with_livelier_code())


def _count_whole_inputs(recipe: Recipe) -> Recipe | NotApplicable:
    if not recipe.network.has_code_prior:
        return NotApplicable(
            "this is for variational autoencoders: other losses have no KL divergence beside them"
        )
    x = prepare(recipe).samples.train.x
    summed = recipe.loss.summed_over_outputs(float(x.min()), float(x.max()))
    if summed is None:
        return NotApplicable("the loss is summed over an input already, or cannot be")
    return recipe.but(loss=summed)


def _lower_beta(recipe: Recipe) -> Recipe | NotApplicable:
    return with_network(recipe, recipe.network.with_weaker_prior())


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
