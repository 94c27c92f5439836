"""A word of the text that has the number of the padding."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import has_learned
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History

LIMIT = 0.05  # of the rows: a gap in a few may be one of the data


def padding_is_a_word(history: History) -> Answer:
    """Find an embedding whose `padding_idx` stands between other symbols, in a run that has not
    learned."""
    facts = first_batch_fact(history, "padding_inside")
    if isinstance(facts, Unchecked):
        return facts
    share, layer = facts.padding_inside or 0.0, facts.padding_of
    if share <= LIMIT or has_learned(history):
        return None
    return Finding(
        rule="padding_is_a_word",
        sentence=(
            f"In {100 * share:.0f} % of the rows of the first batch the padding symbol of "
            f"`{layer}` stands between other symbols: a word has the number of the padding, so "
            "its vector is always 0 and never learns, and padding is read as this word. Number "
            "the words from 1."
        ),
        layers=(layer,),
        evidence=(
            Evidence("rows with the padding symbol between others", share, LIMIT, True, True),
        ),
        strength=share / LIMIT,
        change=(
            "vocabulary = {word: number for number, word in enumerate(words, start=1)}\n"
            f"self.{layer} = nn.Embedding(len(vocabulary) + 1, width, padding_idx=0)"
        ),
    )


PADDING_IS_A_WORD = Rule(
    name="padding_is_a_word",
    title="A word with the number of the padding",
    find=padding_is_a_word,
    explanation=(
        "`padding_idx` keeps one row of an embedding at 0. If a word has that number, the network "
        "cannot tell it from nothing: most often it is the first word of the vocabulary, which is "
        "the most frequent one or the most telling."
    ),
    healthy="Padding only before the first or behind the last symbol of a row.",
    source="PyTorch documentation, torch.nn.Embedding: padding_idx",
    explains=("order_unseen", "behind_baseline", "plateau", "underfitting", *CONSEQUENCES),
    own_loops=True,
    exact=True,
)
