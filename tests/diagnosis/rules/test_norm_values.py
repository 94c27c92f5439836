"""Batch norm of one value is a cause, of two or three a suspicion without success."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.norm_values import bn_with_one_sample


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
