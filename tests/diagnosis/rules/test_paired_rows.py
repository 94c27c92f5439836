"""Pairs of a contrastive loss at the wrong rows."""

from __future__ import annotations

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.paired_rows import pairs_misplaced


def run(*pairs: object) -> nw.History:
    return observed().but(data=nw.DataFacts(paired_rows=pairs or None))  # type: ignore[arg-type]


def test_pairs() -> None:
    finding = found(pairs_misplaced(run(0.5, 0.05, "neighbours")))
    assert (
        "side by side, where 5 % are; the loss looks for them in the two halves" in finding.sentence
    )
    assert "two halves of the batch" in found(pairs_misplaced(run(0.5, 0.05, "halves"))).sentence
    assert pairs_misplaced(run(0.5, 0.45, "halves")) is None  # views that are not alike
    assert pairs_misplaced(run(0.05, 0.5, "halves")) is None
    assert pairs_misplaced(run()) is None
