"""A loss of distances that draws unlike samples together and pushes like ones apart."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History

REVERSED = 0.3  # probability that a pair that is drawn together is nearer; 0.5 at random
NOT_LEARNED = 0.6  # the same of outputs: far below what a loss that can be learned reaches


def pairs_reversed(history: History) -> Answer:
    """Find a loss of distances that draws together what is unlike by its inputs, and pushes apart
    what is alike, and does not come to it.

    Pairs that were chosen because they are hard may be unlike; a network that learns them draws
    them together.
    """
    wiring = observed(history, "optimizers", "pair forces")
    if isinstance(wiring, Unchecked):
        return wiring
    if not wiring.pairs_nearer:
        return None
    inputs, outputs = wiring.pairs_nearer
    if inputs > REVERSED or outputs > NOT_LEARNED:
        return None
    return Finding(
        rule="pairs_reversed",
        sentence=(
            "The loss draws together what is unlike and pushes apart what is alike: pairs that it "
            f"draws together are nearer by their inputs than the others in {100 * inputs:.0f} % of "
            f"the comparisons, and by their outputs at the end in {100 * outputs:.0f} %. Labels of "
            "pairs, or the second and third argument of a triplet loss, are the wrong way round."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("pairs drawn together that are nearer", inputs, REVERSED, False, True),),
        strength=REVERSED / max(inputs, 0.01),
        grade="cause",
    )


PAIRS_REVERSED = Rule(
    name="pairs_reversed",
    title="Pairs of a loss of distances the wrong way round",
    find=pairs_reversed,
    explanation=(
        "Some contrastive losses take 0 for a pair that is alike, others 1; a triplet loss takes "
        "the anchor, then the sample like it, then the other one. The wrong way round, samples of "
        "a class are driven apart."
    ),
    healthy="Pairs that are drawn together are nearer than the others, in half the cases or more.",
    source="Hadsell, Chopra, LeCun 2006, Dimensionality reduction by learning an invariant mapping "
    "(0 for a like pair); Schroff, Kalenichenko, Philbin 2015, FaceNet",
    explains=("plateau", "outputs_collapse", "embeddings_collapse", *CONSEQUENCES),
    own_loops=True,
    at_end=True,
    change=(
        "loss = F.triplet_margin_loss(anchor, positive, negative)  # in this order\n"
        "loss = (alike * d**2 + (1 - alike) * (margin - d).clamp(min=0) ** 2).mean()"
    ),
)
