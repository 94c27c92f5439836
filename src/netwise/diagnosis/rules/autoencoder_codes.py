"""Autoencoders: a copy in the place of a code, units of the code that say nothing, a variational
code that collapsed."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.history import History
from netwise.signals import CODE_DEAD, CODE_WIDTH, FOREIGN_R2, LATENT_KL, LATENT_UNUSED, OWN_R2
from netwise.tasks import RECONSTRUCTION

# Plain autoencoders on digits whose code is at least as wide as the input give back 0.9 and more of
# data whose inputs were dealt out anew;
# denoising and sparse ones of the same width, and all narrow ones, at most 0.6.
COPIED = 0.8
# healthy dense codes have none; wide rectified ones, and those that keep a fifth of the units, up
# to 0.33; those that keep 2 % 0.8
MOST_DEAD = 0.5
MOST_UNUSED = 0.9  # a variational code of 20 uses 6 to 20 of them on digits
LEAST_NATS = 1.0  # on digits a code that is used tells 10 nats and more


def identity_learned(history: History) -> Answer:
    """Find a code as wide as the input that gives back foreign data as well as its own."""
    width, foreign, own = (history.of(name) for name in (CODE_WIDTH, FOREIGN_R2, OWN_R2))
    if width is None or foreign is None or own is None or not foreign.finite:
        return Unchecked("it was not tried what the network does to foreign data")
    if width.last < 1 or foreign.last <= COPIED:
        return None
    return Finding(
        rule="identity_learned",
        sentence=(
            f"The code has {width.last:.1f} numbers for each of the input, and gives back {100 * foreign.last:.0f} % of data unlike its own "
            f"({100 * own.last:.0f} % of its own): it copies."
        ),
        steps=(foreign.steps[0], foreign.steps[-1]),
        evidence=(
            Evidence("share of variance given back of data dealt out anew", foreign.last, COPIED),
            Evidence("numbers in the code for each of the input", width.last, 1.0),
        ),
        strength=foreign.last / COPIED,
    )


def dead_code(history: History) -> Answer:
    """Find units of the code that are the same for all samples."""
    dead = history.of(CODE_DEAD)
    if dead is None or not dead.finite:
        return Unchecked("no code was heard")
    share = dead.finite[-1]
    if share <= MOST_DEAD:
        return None
    return Finding(
        rule="dead_code",
        sentence=f"{100 * share:.0f} % of the code's units are the same for all samples.",
        steps=(dead.steps[0], dead.steps[-1]),
        evidence=(
            Evidence("share of the code that hardly differs between samples", share, MOST_DEAD),
        ),
        strength=share / MOST_DEAD,
    )


def posterior_collapse(history: History) -> Answer:
    """Find a variational code that tells next to nothing of the inputs."""
    told, unused = history.of(LATENT_KL), history.of(LATENT_UNUSED)
    if told is None or unused is None or not told.finite or not unused.finite:
        return Unchecked("no variational code was heard") if history.of(CODE_DEAD) is None else None
    nats, share = told.finite[-1], unused.finite[-1]
    if nats >= LEAST_NATS and share <= MOST_UNUSED:
        return None
    return Finding(
        rule="posterior_collapse",
        sentence=f"The code tells {nats:.2g} nats of an input, and {100 * share:.0f} % of its units tell nothing: what is decoded is the mean of the data.",
        steps=(0, told.steps[-1]),
        evidence=(
            Evidence("nats that the code tells of an input", nats, LEAST_NATS, above=False),
            Evidence("share of its units that tell nothing", share, MOST_UNUSED),
        ),
        strength=max(LEAST_NATS / max(nats, 1e-3), share / MOST_UNUSED),
    )


IDENTITY_LEARNED = Rule(
    name="identity_learned",
    title="Identity learned",
    find=identity_learned,
    tasks=(RECONSTRUCTION,),
    explanation=(
        "A code with as many numbers as the input can hold a copy of it, and a copy has the least error. It is no representation of the data: it gives back "
        "noise as well. Corrupted inputs, a price on the code or a narrower one ask for what the data are like."
    ),
    healthy="Foreign data come back much worse than the network's own: by at most half of their variance.",
    source="Vincent et al. 2010, section 2.2; note 001, claims N16 and N17",
    remedies=("corrupt_inputs", "narrow_code"),
)
DEAD_CODE = Rule(
    name="dead_code",
    title="Dead code units",
    find=dead_code,
    tasks=(RECONSTRUCTION,),
    explanation=(
        "A unit of the code that gives the same for all samples carries nothing and, where it is a silent rectifier or is never among the largest, gets no "
        "gradient. Large steps, a strong price on the code, or very few kept units push units there."
    ),
    healthy="All units of the code differ between samples; where only the largest are kept, a few in ten may rest.",
    source="Makhzani, Frey 2013, section 2.2, on dead hidden units; note 001, claim N17",
    remedies=("narrow_code", "liven_code"),
)
POSTERIOR_COLLAPSE = Rule(
    name="posterior_collapse",
    title="Posterior collapse",
    find=posterior_collapse,
    tasks=(RECONSTRUCTION,),
    explanation=(
        "The price that pulls the code towards N(0, 1) outweighs what the code saves in reconstruction, so the cheapest code is none. Mostly the "
        "reconstruction is a mean over the inputs while the price is a sum over the code; the two belong to one bound only where both are sums."
    ),
    healthy="On digits the code tells 10 to 30 nats of an image, by most of its units.",
    source="Bowman et al. 2016, arXiv 1511.06349; Kingma, Welling 2013, eq. 3",
    explains=("dead_code", "dead_relu", "vanishing_gradient", "not_learning", "underfitting"),
    remedies=("count_whole_inputs", "lower_beta"),
)
