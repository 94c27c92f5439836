"""How rules read what copies of a module showed on the first batch."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.first_batch import FirstBatch
from netwise.history import History

NOT_ASKED = (
    "no copy of the module was asked about its first batch: write `nw.watch(preflight=True)`, or "
    "call `nw.preflight(...)`"
)


def first_batch_fact(history: History, field: str) -> FirstBatch | Unchecked:
    """The facts of the first batch where this field of them is known; else the reason."""
    facts = history.first_batch
    if facts is None and history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    if facts is None:
        return Unchecked(NOT_ASKED)
    if getattr(facts, field) is None:
        return Unchecked(facts.not_known.get(field, NOT_ASKED))
    return facts
