"""One answer for all samples of a batch."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.rows_alike import one_answer_for_batch

ALIKE = nw.FirstBatch(alike_since="expand to (25, 24)", alike_at="net.py:9", alike_shape=(25, 2))


def run(output: tuple[int, ...], facts: nw.FirstBatch = ALIKE) -> nw.History:
    term = nw.LossTerm("cross entropy", output_shape=output, target_shape=output[:1])
    return history().but(first_batch=facts, wiring=nw.Wiring(losses=(term,)))


def test_outputs_that_a_loss_compares_with_targets() -> None:
    finding = found(one_answer_for_batch(run((19, 2))))  # a last batch may be smaller
    assert "All 25 samples" in finding.sentence
    assert "(net.py:9)" in finding.sentence


def test_a_summary_of_the_batch_and_rows_that_differ() -> None:
    assert one_answer_for_batch(run((25, 8))) is None  # the loss is of other outputs
    assert one_answer_for_batch(run((25, 2), nw.FirstBatch(alike_since=""))) is None
    assert isinstance(one_answer_for_batch(run((25, 2), nw.FirstBatch())), nw.Unchecked)
