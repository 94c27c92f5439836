"""Networks that pool over all places, where the places are what is asked for."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import final_loss_share, skill, valid_score
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History

POSSIBLE = 0.3  # skill that simple models gain by the places, which shows that these matter
NOTHING = 0.1  # skill of simple models that do not know the places: what is there tells nothing
REACHED = 0.5  # of the skill of simple models: with more a network has found another way


def places_pooled(history: History) -> Answer:
    """Find a network whose outputs know what its inputs hold, and not where, in a run far below
    simple models that know it; those that do not know it are no better."""
    facts = first_batch_fact(history, "pooled")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.pooled:
        return None
    data = history.data
    if data is None or data.best_score is None or data.score_without_places is None:
        return Unchecked("no pictures or series were kept together with their targets")
    with_places = skill(history, data.best_score)
    without = skill(history, data.score_without_places)
    reached = _reached(history)
    if with_places is None or without is None or reached is None:
        return Unchecked("it is not known how well the network and simple models do")
    gained = with_places - max(without, 0.0)
    if gained < POSSIBLE or without > NOTHING or reached > REACHED * with_places:
        return None
    at = f" ({facts.pooled_at})" if facts.pooled_at else ""
    return Finding(
        rule="places_pooled",
        sentence=(
            f"All outputs go through `{facts.pooled}`{at}, a pooling over all places: they know "
            "what an input holds, and not where. Here the places matter: simple models score "
            f"{data.best_score:.2g} with them and {data.score_without_places:.2g} without, and the "
            f"network has {max(reached, 0.0):.0%} of what can be learned. "
            "Flatten the map, or pool to a few places."
        ),
        evidence=(Evidence("skill that simple models gain by the places", gained, POSSIBLE),),
        strength=gained / POSSIBLE,
        grade="cause",
    )


def _reached(history: History) -> float | None:
    """Where the network is between guessing (0) and perfect predictions (1), by its score on
    validation data, else by its training loss; None where neither is known."""
    score, left = skill(history, valid_score(history)), final_loss_share(history)
    return score if score is not None or left is None else 1 - left


PLACES_POOLED = Rule(
    name="places_pooled",
    title="Places that a pooling takes away",
    find=places_pooled,
    explanation=(
        "The mean over a whole map says how much of a pattern there is. Where something is, such "
        "as the coordinates of a point, it says only as far as the margins of the map tell it."
    ),
    healthy="Global pooling where the same pattern means the same at every place.",
    source="Liu et al. 2018, An intriguing failing of convolutional neural networks and the "
    "CoordConv solution, arXiv 1807.03247; Lin, Chen, Yan 2014, arXiv 1312.4400, section 3.2",
    explains=(
        "behind_baseline",
        "plateau",
        "one_answer",
        "outputs_collapse",
        "underfitting",
        "dead_relu",
        *CONSEQUENCES,
    ),
    tasks=WITH_TARGETS,
    own_loops=True,
    change=(
        "self.pool = nn.AdaptiveAvgPool2d(4)  # a few places instead of one\n"
        "self.fc = nn.Linear(4 * 4 * channels, outputs)"
    ),
)
