"""Networks that pool over all places where these are asked for."""

from __future__ import annotations

from typing import Any

import netwise as nw
from histories import GUESS, found, observed
from netwise import signals
from netwise.diagnosis.rules.pooled_places import places_pooled

FACTS = nw.RunFacts(loss_of_guessing=GUESS)


def run(left: float = 1.0, pooled: str | None = "mean of (8, 4, 6, 6)", **facts: Any) -> nw.History:
    """A run that ends with this share of the loss of guessing."""
    known: dict[str, Any] = {"train_samples": 400, "class_targets": False, "chance_score": 0.0}
    data = nw.DataFacts(**{**known, "linear_score": 0.95, "score_without_places": 0.0, **facts})
    first = nw.FirstBatch(pooled=pooled, pooled_at="net.py:9")
    ended = observed({signals.LOSS: [left * GUESS] * 20}, facts=FACTS)
    return ended.but(data=data, first_batch=first)


def test_a_network_that_does_not_know_where() -> None:
    finding = found(places_pooled(run()))
    assert "`mean of (8, 4, 6, 6)` (net.py:9)" in finding.sentence
    assert finding.grade == "cause"


def test_no_finding_where_places_do_not_matter_or_the_network_learns() -> None:
    assert places_pooled(run(0.2)) is None
    assert places_pooled(run(score_without_places=0.3)) is None
    assert places_pooled(run(pooled="")) is None
    assert isinstance(places_pooled(run(pooled=None)), nw.Unchecked)
    assert isinstance(places_pooled(run(score_without_places=None)), nw.Unchecked)
