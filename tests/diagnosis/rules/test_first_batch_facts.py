"""Facts of the first batch, or the reason why they are not known."""

from __future__ import annotations

import netwise as nw
from histories import history, observed
from netwise.diagnosis.rules.first_batch_facts import NOT_ASKED, first_batch_fact
from netwise.diagnosis.rules.observation import NOT_OBSERVED


def test_facts_and_reasons() -> None:
    assert first_batch_fact(history(), "samples_mix") == nw.Unchecked(NOT_OBSERVED)
    assert first_batch_fact(observed(), "samples_mix") == nw.Unchecked(NOT_ASKED)
    facts = nw.FirstBatch(samples_mix="", not_known={"narrowest": "one output"})
    run = history().but(first_batch=facts)
    assert first_batch_fact(run, "samples_mix") is facts
    assert first_batch_fact(run, "narrowest") == nw.Unchecked("one output")
    assert first_batch_fact(run, "noise_share") == nw.Unchecked(NOT_ASKED)
