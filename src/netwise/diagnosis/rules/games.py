"""Two networks that play against each other, as in a GAN: a game that is none, and samples that are
all alike."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.history import History

NO_GAME = "no module was seen that makes samples for another one to judge"
FEWEST = 10  # watched steps
ALIKE = 0.9  # of them; where both networks play against each other it is near 0
# Spread of made samples over that of others. Sound games end between 0.5 and 2.
NARROW, WIDE = 0.1, 10.0
FALLEN = 3.0  # the largest spread over the last


def networks_agree(history: History) -> Answer:
    """Find a generator whose loss asks its judge for what the judge's own loss asks for."""
    wiring = history.wiring
    if wiring is None:
        return Unchecked(NOT_OBSERVED)
    if wiring.judged_steps < FEWEST:
        return Unchecked(NO_GAME)
    share = wiring.judged_alike / wiring.judged_steps
    if share < ALIKE:
        return None
    judge = " and ".join(wiring.opponents) or "the other network"
    return Finding(
        rule="networks_agree",
        sentence=(
            f"The generator ({wiring.module}) and its judge ({judge}) do not play against each "
            "other: both losses push the judge's answer to made samples the same way, in "
            f"{wiring.judged_alike} of {wiring.judged_steps} watched steps. Give the generator's "
            "loss the other label or the other sign."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("steps in which both losses agree", share, ALIKE, percent=True),),
    )


def generator_collapse(history: History) -> Answer:
    """Find a generator whose samples differ much less, or much more, than those that its judge gets
    beside them."""
    wiring = history.wiring
    if wiring is None:
        return Unchecked(NOT_OBSERVED)
    if len(wiring.made_spread) != 2:
        return Unchecked(NO_GAME)
    most, last = wiring.made_spread
    if NARROW <= last <= WIDE or (last < NARROW and most < FALLEN * last):
        return None  # also where it has not begun to make different ones
    if last > WIDE:
        what = f"{last:,.3g} times as much from each other as the others that its judge gets: they "
        what += "have run away to where the judge teaches nothing"
    else:
        what = f"{100 * last:.2g} % as much from each other as the others that its judge gets: it "
        what += "answers all noise with nearly the same"
    limit = WIDE if last > WIDE else NARROW
    return Finding(
        rule="generator_collapse",
        sentence=f"The samples of {wiring.module} differ {what}.",
        steps=(0, history.ended.step),
        evidence=(
            Evidence("spread of made samples / others", last, limit, last > WIDE, percent=True),
        ),
        strength=max(last / WIDE, NARROW / max(last, 1e-6)),
    )


NETWORKS_AGREE = Rule(
    name="networks_agree",
    title="Networks that do not play against each other",
    find=networks_agree,
    explanation=(
        "A judge learns to tell made samples from real ones, and the generator to make it fail. "
        "Where both losses have the same label for made samples, the generator learns to be "
        "recognised: both losses fall to 0, and the samples are of no use."
    ),
    healthy="Gradients of opposite sign at the judge's answer to made samples.",
    source="Goodfellow et al. 2014, arXiv 1406.2661, section 3",
    explains=("generator_collapse", "one_answer", "one_class", "rate_too_low", "rate_too_high"),
    own_loops=True,
    exact=True,
    change=(
        "loss_g = bce(D(fake), torch.ones(len(fake), 1))  # the label of real samples\n"
        "loss_d = bce(D(real), ones) + bce(D(fake.detach()), zeros)"
    ),
)
GENERATOR_COLLAPSE = Rule(
    name="generator_collapse",
    title="Generator whose samples are alike",
    find=generator_collapse,
    explanation=(
        "A generator that finds one sample which its judge accepts has no reason to make others; a "
        "judge that learns too slowly, or not at all, never notices. Samples that run away show a "
        "judge whose answers no longer depend on them."
    ),
    healthy="Samples that differ from each other half to twice as much as real ones.",
    source="Goodfellow 2016, arXiv 1701.00160, section 5.1; Salimans et al. 2016, arXiv 1606.03498",
    explains=("one_answer", "outputs_collapse"),
    own_loops=True,
    change=(
        "torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))  # both networks alike\n"
        "torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))  # and D not slower"
    ),
)
