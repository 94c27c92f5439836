"""Rates that are wrong by themselves, on histories made by hand whose loss of guessing is not
known."""

from __future__ import annotations

import math

import netwise as nw
from histories import LAYERS, flat, found, history
from netwise import signals
from netwise.diagnosis.rules import own_trend, update_size

UNKNOWN = nw.RunFacts(rate=1.0)
NORM = math.sqrt(30.0)  # of weights at a usual size


def run(
    updates: tuple[float, ...],
    losses: list[float],
    gradients: list[list[float]] | None = None,
    way: float = 0.5,
    norm: float = NORM,
) -> nw.History:
    return history(
        {
            signals.UPDATE_RATIO: flat(*updates),
            signals.WEIGHT_NORM: flat(*[norm] * 4),
            signals.GRADIENT_RATIO: gradients or flat(*[0.1] * 4),
            signals.WEIGHT_DISTANCE: flat(*[way] * 4),
        },
        {signals.LOSS: losses},
        facts=UNKNOWN,
        ended=nw.RunEnd("finished", "Done.", 200),
    )


HIGH = (9.0, 3.0, 3.0, 2.0)
FLAT = [1.0, 1.1] * 10
FALLING = [1.0 - 0.04 * i for i in range(20)]


def test_a_start_that_nothing_is_left_of() -> None:
    finding = found(update_size.rate_too_high(run(HIGH, FLAT)))
    assert "those of layer4 by 2 times (learning rate 1)" in finding.sentence
    jumped = found(update_size.rate_too_high(run(HIGH, [1.0, 50.0, *FALLING])))
    assert jumped.sentence.endswith("the loss rose to 50 times the first one.")
    died = run(HIGH, FALLING, gradients=[[0.1] * 5 + [0.0] * 3] * 4)
    assert "gradients have died" in found(update_size.rate_too_high(died)).sentence
    assert found(update_size.rate_too_high(run(HIGH, FLAT))).grade == "cause"


def test_long_steps_that_did_no_harm() -> None:
    for sound in (
        run(HIGH, FALLING),  # the loss has come down
        run((9.0, 3.0, 3.0, 0.5), FLAT),  # one layer is as it was
        run((2.0, 2.0, 2.0, 2.0), FLAT),
        run(HIGH, FLAT, norm=0.01),  # any step is long beside a start near 0
        run(HIGH, [-1.0] * 20),  # of losses below 0 multiples mean nothing
    ):
        assert isinstance(update_size.rate_too_high(sound), nw.Unchecked)
    one = history(
        {signals.UPDATE_RATIO: flat(9.0), signals.WEIGHT_NORM: flat(NORM)},
        {signals.LOSS: FLAT},
        layers=LAYERS[:1],
        facts=UNKNOWN,
    )
    assert isinstance(update_size.rate_too_high(one), nw.Unchecked)


def test_weights_that_have_not_moved() -> None:
    low = (1e-7, 1e-6, 1e-6, 1e-7)
    finding = found(update_size.rate_too_low(run(low, FLAT, way=1e-4)))
    assert "no layer has moved by more than 0.01 % of its weights' norm" in finding.sentence
    assert isinstance(update_size.rate_too_low(run(low, FALLING, way=1e-4)), nw.Unchecked)
    assert isinstance(update_size.rate_too_low(run(low, FLAT, way=0.1)), nw.Unchecked)
    no_pull = run(low, FLAT, gradients=flat(*[1e-5] * 4), way=1e-4)
    assert isinstance(update_size.rate_too_low(no_pull), nw.Unchecked)
    assert own_trend.weights_at_start(run((1e-3,) * 4, FLAT, way=1e-4)) is None
