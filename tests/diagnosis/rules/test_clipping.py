"""Gradients that are clipped to nearly nothing, on both sides of the limits."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, observed
from netwise import signals
from netwise.diagnosis.rules.clipping import clipped_away


def run(
    factor: float, update: float = 1e-5, optimizer: str = "SGD", final: float = 2.3
) -> nw.History:
    return observed(
        {signals.GRADIENT_FACTOR: [factor] * 10},
        by_layer={
            signals.UPDATE_RATIO: [[update] * 10] * 4,
            signals.GRADIENT_RMS: [[0.01] * 10] * 4,
        },
        final=final,
        optimizers=(optimizer,),
    )


def test_a_clip_that_leaves_a_thousandth() -> None:
    finding = found(clipped_away(run(0.001)))
    assert finding.evidence[0].value == 0.001
    # Of 4 layers with 900 numbers each the norm is 0.01 * sqrt(3600).
    assert "from a norm of about 0.6 to 0.0006" in finding.sentence
    assert "max_norm=1)" in finding.change


@pytest.mark.parametrize(
    "sound",
    [
        run(0.2),
        run(1.0),
        run(0.001, update=0.01),  # a large rate makes up for it
        run(0.001, optimizer="AdamW"),
        run(0.001, final=0.1),
        run(0.0),  # the gradients were cleared, which is another fault
    ],
    ids=["mild", "none", "long steps", "adaptive", "learned", "cleared"],
)
def test_clips_that_are_no_fault(sound: nw.History) -> None:
    assert clipped_away(sound) is None


def test_what_a_clip_leaves_drowns_in_the_constant_of_adam() -> None:
    assert found(clipped_away(run(1e-7, optimizer="Adam"))).rule == "clipped_away"
    assert clipped_away(run(1e-4, optimizer="Adam")) is None


def test_clips_in_few_steps_are_no_fault() -> None:
    history = run(0.001)
    some = nw.Series(tuple(range(10)), (1.0, 1.0, *[0.001] * 8))
    series = {**history.series, (signals.GRADIENT_FACTOR, ""): some}
    assert clipped_away(history.but(series=series)) is None
    assert isinstance(clipped_away(run(0.001).but(facts=nw.RunFacts())), nw.Unchecked)
