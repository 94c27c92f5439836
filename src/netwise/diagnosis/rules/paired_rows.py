"""Pairs of a contrastive loss that are no pairs."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History

AT_RANDOM = 0.4  # share of the other rows that are nearer than the pair; 0.5 for any two rows
ALIKE = 0.25  # the same of the pairs of another order


def pairs_misplaced(history: History) -> Answer:
    """Find a loss of similarities whose pairs are no more alike than any two rows, while those of
    another order are: views that are side by side, or in two halves."""
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    data = history.data
    if data is None:
        return Unchecked("no batches of training were kept")
    if data.paired_rows is None:
        return None
    own, other, where = data.paired_rows
    if own < AT_RANDOM or other > ALIKE:
        return None
    by_sides = where == "neighbours"
    return Finding(
        rule="pairs_misplaced",
        sentence=(
            "The rows that the loss takes as pairs are no more alike than any others: of all other "
            f"rows {100 * own:.0f} % are nearer. The two views of a sample are "
            f"{'side by side' if by_sides else 'in the two halves of the batch'}, where "
            f"{100 * other:.0f} % are; the loss looks for them "
            f"{'in the two halves' if by_sides else 'side by side'}."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("rows that are nearer than the pair", own, AT_RANDOM, percent=True),
            Evidence("the same, in the other order", other, ALIKE, above=False, percent=True),
        ),
        strength=own / AT_RANDOM,
        grade="cause",
        change=(
            "views = torch.cat([first, second])  # not stack(...).flatten(0, 1)"
            if by_sides
            else "views = torch.stack([first, second], 1).flatten(0, 1)  # not cat"
        ),
    )


PAIRS_MISPLACED = Rule(
    name="pairs_misplaced",
    title="Pairs of a contrastive loss at the wrong rows",
    find=pairs_misplaced,
    explanation=(
        "A contrastive loss draws the two views of a sample together and all others apart. Where "
        "the numbers of the rows are those of another order, it draws views of different samples "
        "together, and those of one sample apart."
    ),
    healthy="Pairs that are nearer to each other than most other rows, by their inputs.",
    source="Chen, Kornblith, Norouzi, Hinton 2020, arXiv 2002.05709, algorithm 1",
    explains=("plateau", "outputs_collapse", "embeddings_collapse", *CONSEQUENCES),
    own_loops=True,
)
