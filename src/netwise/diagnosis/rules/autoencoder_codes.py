"""Codes of autoencoders: a copy of the input instead of a representation, units that carry no
information, a variational code that collapsed."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.history import History
from netwise.signals import CODE_DEAD, CODE_WIDTH, FOREIGN_R2, LATENT_KL, LATENT_UNUSED, OWN_R2
from netwise.tasks import RECONSTRUCTION

# R² on inputs whose values were permuted among the samples. Plain autoencoders on digits with a
# code at least as wide as the input have 0.9 and more; denoising and sparse ones of the same width,
# and all narrow ones, at most 0.6.
COPIED = 0.8
# Share of the code's units. Dense codes that work have none; wide ReLU codes, and those that keep a
# fifth of the units, up to 0.33; those that keep 2 % have 0.8.
MOST_DEAD = 0.5
MOST_UNUSED = 0.9  # a variational code of 20 units uses 6 to 20 of them on digits
LEAST_NATS = 1.0  # a variational code that is used carries 10 nats and more on digits


def identity_learned(history: History) -> Answer:
    """Find a code at least as wide as the input that reconstructs permuted inputs as well as real
    ones."""
    width, permuted, own = (history.of(name) for name in (CODE_WIDTH, FOREIGN_R2, OWN_R2))
    if width is None or permuted is None or own is None or not permuted.finite:
        return Unchecked(
            "no reconstruction of permuted inputs was recorded: train an Autoencoder with `fit`"
        )
    if width.last < 1 or permuted.last <= COPIED:
        return None
    return Finding(
        rule="identity_learned",
        sentence=(
            f"The code has {width.last:.1f} units per input, and the network reconstructs "
            f"{100 * permuted.last:.0f} % of the variance of permuted inputs "
            f"({100 * own.last:.0f} % of real ones): it copies its input."
        ),
        steps=(permuted.steps[0], permuted.steps[-1]),
        evidence=(
            Evidence(
                "reconstructed variance of permuted inputs", permuted.last, COPIED, percent=True
            ),
            Evidence("units of the code per input", width.last, 1.0),
        ),
        strength=permuted.last / COPIED,
    )


def dead_code(history: History) -> Answer:
    """Find units of the code that are the same for all samples."""
    dead = history.of(CODE_DEAD)
    if dead is None or not dead.finite:
        return Unchecked("no code was recorded: train an Autoencoder with `fit`")
    share = dead.finite[-1]
    if share <= MOST_DEAD:
        return None
    return Finding(
        rule="dead_code",
        sentence=f"{100 * share:.0f} % of the code's units are the same for all samples.",
        steps=(dead.steps[0], dead.steps[-1]),
        evidence=(
            Evidence(
                "units of the code that are the same for all samples",
                share,
                MOST_DEAD,
                percent=True,
            ),
        ),
        strength=share / MOST_DEAD,
    )


def posterior_collapse(history: History) -> Answer:
    """Find a variational code that carries next to no information about the inputs."""
    divergence, unused = history.of(LATENT_KL), history.of(LATENT_UNUSED)
    if divergence is None or unused is None or not divergence.finite or not unused.finite:
        if history.of(CODE_DEAD) is not None:
            return None  # a code that is not variational
        return Unchecked("no variational code was recorded: train a VariationalAutoencoder")
    nats, share = divergence.finite[-1], unused.finite[-1]
    if nats >= LEAST_NATS and share <= MOST_UNUSED:
        return None
    return Finding(
        rule="posterior_collapse",
        sentence=(
            f"The code carries {nats:.2g} nats of information about an input, and "
            f"{100 * share:.0f} % of its units carry none: the reconstruction is the mean of the "
            "data."
        ),
        steps=(0, divergence.steps[-1]),
        evidence=(
            Evidence("nats of information in the code", nats, LEAST_NATS, above=False),
            Evidence("units of the code without information", share, MOST_UNUSED, percent=True),
        ),
        strength=max(LEAST_NATS / max(nats, 1e-3), share / MOST_UNUSED),
    )


IDENTITY_LEARNED = Rule(
    name="identity_learned",
    title="Copy of the input as code",
    find=identity_learned,
    tasks=(RECONSTRUCTION,),
    explanation=(
        "A code with as many units as the input can hold a copy of it, and a copy has the lowest "
        "error. It is no representation of the data: noise is reconstructed as well. Corrupted "
        "inputs, a sparsity penalty or a narrower code prevent it."
    ),
    healthy="Permuted inputs are reconstructed much worse than real ones: R² of at most 0.6.",
    source="Vincent et al. 2010, section 2.2",
    remedies=("corrupt_inputs", "narrow_code"),
    change=(
        "corrupted = x * (torch.rand_like(x) > 0.3)  # 30 % of the inputs set to 0\n"
        "loss = F.mse_loss(model(corrupted), x)"
    ),
)
DEAD_CODE = Rule(
    name="dead_code",
    title="Dead code units",
    find=dead_code,
    tasks=(RECONSTRUCTION,),
    explanation=(
        "A unit of the code that is the same for all samples carries no information. Where it is a "
        "dead ReLU, or never among the largest units that are kept, it gets no gradient. Long "
        "steps, a strong sparsity penalty or very few kept units cause it."
    ),
    healthy="Units that differ between samples; where few are kept, up to a third may not.",
    source="Makhzani, Frey 2013, section 2.2",
    remedies=("narrow_code", "liven_code"),
    change=(
        "# at the end of the encoder, in place of nn.ReLU()\n"
        "nn.Linear(hidden, code), nn.LeakyReLU(0.01)"
    ),
)
POSTERIOR_COLLAPSE = Rule(
    name="posterior_collapse",
    title="Posterior collapse",
    find=posterior_collapse,
    tasks=(RECONSTRUCTION,),
    explanation=(
        "The KL divergence, which pulls the code towards N(0, 1), outweighs what the code saves in "
        "reconstruction error, so that an empty code has the lowest loss. Often the reconstruction "
        "error is a mean over the input and the divergence a sum over the code: they are parts of "
        "one bound only where both are sums."
    ),
    healthy="On digits the code carries 10 to 30 nats about an image, in most of its units.",
    source="Bowman et al. 2016, arXiv 1511.06349; Kingma, Welling 2013, arXiv 1312.6114, eq. 3",
    explains=("dead_code", "dead_relu", "vanishing_gradient", "not_learning", "underfitting"),
    remedies=("count_whole_inputs", "lower_beta"),
    change=(
        "error = F.mse_loss(output, x, reduction='sum') / len(x)  # sums over the input, like kl\n"
        "loss = error + min(1.0, step / 2000) * kl.sum(1).mean()  # weight of kl from 0 to 1"
    ),
)
