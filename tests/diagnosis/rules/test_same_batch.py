"""Steps that all have the same samples."""

from __future__ import annotations

from dataclasses import replace

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.same_batch import same_batch_again

DATA = nw.DataFacts(train_samples=50, batches_alike=True)
RUN = observed(loader_iterators=100).but(data=DATA)


def test_a_batch_that_is_met_again_and_again() -> None:
    finding = found(same_batch_again(RUN))
    assert finding.sentence.startswith("All 100 steps have the same 50 samples, and the loader")
    assert finding.grade == "cause"


def test_what_is_no_such_loop() -> None:
    assert same_batch_again(RUN.but(data=replace(DATA, batches_alike=False))) is None  # shuffled
    # One iterator for each epoch, or no loader: so few samples may be all there are.
    for made in (10, 0):
        assert same_batch_again(observed(loader_iterators=made).but(data=DATA)) is None
    assert isinstance(same_batch_again(observed()), nw.Unchecked)
