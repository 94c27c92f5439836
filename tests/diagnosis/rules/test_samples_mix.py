"""Samples that influence each other: certain causes always, others only without success."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.samples_mix import samples_mix


def run(final: float = 2.3, **facts: object) -> nw.History:
    return history(final=final).but(first_batch=nw.FirstBatch(**facts))  # type: ignore[arg-type]


@pytest.mark.parametrize("final", [2.3, 0.1], ids=["no", "learned"])
def test_a_view_is_a_cause_in_any_run(final: float) -> None:
    finding = found(
        samples_mix(
            run(
                final,
                samples_mix="view from (8, 5, 3) to (5, 8, 3)",
                mixed_by="view",
                mixed_at="net.py:9",
                mixed_share=2.0,
            )
        )
    )
    assert finding.grade == "cause"
    assert "(net.py:9)" in finding.sentence
    assert finding.change.startswith("x = x.permute(1, 0, 2)")


@pytest.mark.parametrize("by", ["softmax", "recurrence", "attention"])
def test_other_certain_causes(by: str) -> None:
    finding = found(samples_mix(run(samples_mix="x of (3, 3)", mixed_by=by, mixed_in="a.b")))
    assert (finding.grade, finding.layers) == ("cause", ("a.b",))
    assert "`a.b`" in finding.sentence


def test_statistics_are_a_suspicion_in_a_run_that_has_not_learned() -> None:
    facts = {"samples_mix": "mean of (3,)", "mixed_by": "statistics"}
    assert found(samples_mix(run(**facts))).grade == "suspect"
    assert samples_mix(run(0.1, **facts)) is None
    opposed = run(**facts).but(wiring=nw.Wiring(opponents=("Generator",)))
    assert samples_mix(opposed) is None


def test_separate_samples_and_what_is_meant() -> None:
    assert samples_mix(run(samples_mix="")) is None
    assert samples_mix(run(samples_mix="", mixed_by="norm")) is None


def test_reasons() -> None:
    assert isinstance(samples_mix(history()), nw.Unchecked)
    answer = samples_mix(run(not_known={"samples_mix": "the batch has one sample"}))
    assert answer == nw.Unchecked("the batch has one sample")
