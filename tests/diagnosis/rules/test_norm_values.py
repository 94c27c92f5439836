"""Batch norm of one value is a cause, of two or three a suspicion without success."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.norm_values import bn_with_one_sample, norm_momentum


def run(final: float = 2.3, **facts: object) -> nw.History:
    return history(final=final).but(first_batch=nw.FirstBatch(**facts))  # type: ignore[arg-type]


def test_one_value() -> None:
    finding = found(bn_with_one_sample(run(0.1, single_norms=("bn",), norm_values=1)))
    assert (finding.grade, finding.layers) == ("cause", ("bn",))


def test_few_values() -> None:
    assert found(bn_with_one_sample(run(single_norms=(), norm_values=3))).grade == "suspect"
    assert bn_with_one_sample(run(0.1, single_norms=(), norm_values=3)) is None
    assert bn_with_one_sample(run(single_norms=(), norm_values=4)) is None
    assert bn_with_one_sample(run(single_norms=())) is None


def test_unknown() -> None:
    assert isinstance(bn_with_one_sample(run()), nw.Unchecked)


def test_statistics_that_stand_still_are_a_cause() -> None:
    facts = {"still_norms": ("bn",), "norm_momentum": 0.0}
    finding = found(norm_momentum(run(0.1, **facts)))
    assert (finding.grade, finding.layers) == ("cause", ("bn",))
    assert "their running means" not in finding.sentence
    assert isinstance(norm_momentum(run()), nw.Unchecked)
    assert norm_momentum(run(still_norms=())) is None


def test_statistics_of_the_last_batch_are_a_suspicion_without_success() -> None:
    facts = {"still_norms": (), "eager_norms": ("a", "b"), "norm_momentum": 0.99}
    assert found(norm_momentum(run(**facts))).grade == "suspect"
    assert norm_momentum(run(0.1, **facts)) is None
    one = run(**facts).but(data=nw.DataFacts(batches_alike=True))
    assert norm_momentum(one) is None  # all rows in each batch
