"""Marks of missing values among the inputs."""

from __future__ import annotations

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.missing_marks import missing_as_number


def test_a_mark_in_a_run_that_has_not_learned() -> None:
    data = nw.DataFacts(train_samples=600, missing_marks=(8, 0.04, 0.027))
    finding = found(missing_as_number(observed(final=2.3).but(data=data)))
    assert "In 8 features" in finding.sentence
    assert "4 % of the rows" in finding.sentence
    assert missing_as_number(observed(final=0.1).but(data=data)) is None
    none = nw.DataFacts(train_samples=600)
    assert missing_as_number(observed(final=2.3).but(data=none)) is None
    assert isinstance(missing_as_number(observed()), nw.Unchecked)
