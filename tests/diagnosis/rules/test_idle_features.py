"""Features of a table that add nothing, in a run that has not learned."""

from __future__ import annotations

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.idle_features import idle_features


def run(final: float = 2.3, **facts: object) -> nw.History:
    return observed(final=final).but(data=nw.DataFacts(constant_features=0, **facts))  # type: ignore[arg-type]


def test_they_are_named_by_their_numbers() -> None:
    finding = found(idle_features(run(idle_features=(3, 5), equal_features=((0, 1),))))
    assert finding.sentence == (
        "Features 3 and 5 of the inputs have the same value in all rows that were seen. Features "
        "0 and 1 of the inputs are equal in all rows that were seen."
    )
    assert finding.grade == "suspect"
    assert "Feature 3 of the inputs has" in found(idle_features(run(idle_features=(3,)))).sentence


def test_not_in_a_run_that_learned_nor_without_any() -> None:
    assert idle_features(run(0.1, idle_features=(3,))) is None
    assert idle_features(run()) is None
    assert isinstance(idle_features(observed()), nw.Unchecked)
