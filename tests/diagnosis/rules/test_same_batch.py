"""Steps that all have the same samples."""

from __future__ import annotations

from dataclasses import replace

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.same_batch import same_batch_again

DATA = nw.DataFacts(
    train_samples=50,
    evaluated_rows=400,
    batches_alike=True,
    answers=((25, 25, 25), (25, 25, 25)),
    evaluation_answers=((200, 200, 150), (200, 200, 150)),
)


def test_a_batch_that_is_met_again_and_again() -> None:
    finding = found(same_batch_again(observed().but(data=DATA)))
    assert (
        "All 100 steps have the same 50 samples, and 400 others are evaluated" in finding.sentence
    )


def test_what_is_no_such_loop() -> None:
    for other in (
        replace(DATA, batches_alike=False),
        replace(DATA, train_samples=500),  # the whole training part in each step
        replace(DATA, evaluated_rows=None),  # one batch is learned by heart on purpose
        replace(DATA, evaluation_answers=((200, 200, 200), (200, 200, 200))),
    ):
        assert same_batch_again(observed().but(data=other)) is None
    assert isinstance(same_batch_again(observed()), nw.Unchecked)
