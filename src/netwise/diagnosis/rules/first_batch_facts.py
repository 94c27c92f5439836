"""How rules read what copies of a module showed on the first batch."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Unchecked
from netwise.first_batch import FirstBatch
from netwise.history import History

NOT_ASKED = "no copy of the module was asked about a batch: call `nw.preflight(...)`"


def first_batch_fact(history: History, field: str) -> FirstBatch | Unchecked:
    """The facts of the first batch where this field of them is known; else the reason."""
    facts = history.first_batch
    if facts is None:
        return Unchecked(NOT_ASKED)
    if getattr(facts, field) is None:
        return Unchecked(facts.not_known.get(field, NOT_ASKED))
    return facts
