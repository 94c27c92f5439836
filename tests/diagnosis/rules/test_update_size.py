"""Learning rate too high or too low: on histories made by hand."""

from __future__ import annotations

import math

import pytest

import netwise as nw
from histories import GUESS, flat, found, history, observed
from netwise import signals
from netwise.diagnosis.rules import update_size


def test_rate_too_high_and_too_low() -> None:
    far = history(
        {signals.UPDATE_RATIO: flat(0.01, 2.0), signals.GRADIENT_RATIO: flat(0.1, 0.1)},
        facts=nw.RunFacts(loss_of_guessing=GUESS, rate=30.0),
    )
    assert (
        found(update_size.rate_too_high(far)).sentence
        == "One step changes the weights of layer2 by 200 % of their norm (learning rate 30)."
    )
    assert update_size.rate_too_low(far) is None
    near = history({signals.UPDATE_RATIO: flat(1e-7, 1e-6), signals.GRADIENT_RATIO: flat(0.1, 0.1)})
    assert found(update_size.rate_too_low(near)).evidence[0].value == pytest.approx(1e-6)
    assert update_size.rate_too_high(near) is None
    sound = history(
        {signals.UPDATE_RATIO: flat(1e-3, 1e-2), signals.GRADIENT_RATIO: flat(0.1, 0.1)}
    )
    assert update_size.rate_too_high(sound) is None
    assert update_size.rate_too_low(sound) is None
    no_pull = history(
        {signals.UPDATE_RATIO: flat(1e-7, 1e-7), signals.GRADIENT_RATIO: flat(1e-5, 1e-5)}
    )
    assert update_size.rate_too_low(no_pull) is None  # it is the gradient that is small
    assert update_size.rate_too_high(history({signals.UPDATE_RATIO: flat(2.0)}, final=0.1)) is None
    broke = history(
        {signals.UPDATE_RATIO: [[50.0, 1e6]]}, ended=nw.RunEnd("diverged", "Diverged at step 3.", 2)
    )
    assert found(update_size.rate_too_high(broke)).evidence[0].value == 1e6
    assert isinstance(
        update_size.rate_too_high(history({signals.UPDATE_RATIO: flat(2.0)}, facts=nw.RunFacts())),
        nw.Unchecked,
    )


def test_weights_that_start_at_zero_take_long_steps() -> None:
    """The second factor of a low-rank adapter: of weights of 0 each step is infinitely long."""
    grown = [float("inf"), *(1 / k for k in range(1, 10))]
    usual = [0.01] * 10
    adapter = history(
        {signals.UPDATE_RATIO: [usual, grown], signals.GRADIENT_RATIO: flat(0.1, 0.1, steps=10)}
    )
    assert update_size.rate_too_high(adapter) is None
    grown = [0.5] * 10
    assert found(
        update_size.rate_too_high(history({signals.UPDATE_RATIO: [usual, grown]}))
    ).layers == ("layer2",)


def test_steps_after_a_value_that_is_not_finite_are_no_evidence() -> None:
    facts = nw.RunFacts(loss_of_guessing=GUESS, rate=0.1)
    changes = {signals.UPDATE_RATIO: [[1e-3, math.inf, math.nan, math.nan, math.nan, math.nan]]}
    assert found(update_size.rate_too_high(diverged(changes, facts))).strength > 1e30
    nan = diverged(changes, facts)
    at_10 = nan.but(wiring=nw.Wiring(not_finite="Sqrt at exactly 0", not_finite_step=10))
    assert update_size.rate_too_high(at_10) is None
    at_0 = nan.but(wiring=nw.Wiring(not_finite="Log of -0.367", not_finite_step=0))
    assert update_size.rate_too_high(at_0) is None
    late = nan.but(wiring=nw.Wiring(not_finite="overflow", not_finite_step=20))
    assert found(update_size.rate_too_high(late)).strength > 1e30


def diverged(by_layer: dict[str, list[list[float]]], facts: nw.RunFacts) -> nw.History:
    return history(by_layer, facts=facts, ended=nw.RunEnd("diverged", "Diverged.", 60))


STILL = {
    signals.WEIGHTS_MOVED: [0.0] * 6,
    signals.GRADIENT_ZERO: [0.0] * 6,
    signals.GRADIENT_CLEARED: [0.0] * 6,
}


def test_a_rate_that_is_0_in_every_step() -> None:
    finding = found(update_size.rate_too_low(observed({**STILL, signals.RATE: [0.0] * 6})))
    assert finding.sentence.startswith("The learning rate is 0 in all ")
    assert finding.grade == "cause"
    # Steps between those that were watched may have had another.
    rises = observed({**STILL, signals.RATE: [0.0] * 5 + [0.1]})
    assert not isinstance(update_size.rate_too_low(rises), nw.Finding)


def test_steps_that_are_lost_in_the_rounding_of_the_weights() -> None:
    whole = {**STILL, signals.RATE: [1e-6] * 6}
    finding = found(update_size.rate_too_low(observed(whole, facts=nw.RunFacts(rate=1e-6))))
    assert finding.sentence.startswith(
        "No weight changes in any of 6 watched steps: they are below the last digit of the weights "
        "(learning rate 1e-06)."
    )
    for other in (
        {signals.WEIGHTS_MOVED: [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]},
        {signals.GRADIENT_ZERO: [1.0] * 6},
        {signals.GRADIENT_CLEARED: [1.0] * 6},
    ):
        answer = update_size.rate_too_low(observed({**whole, **other}, facts=nw.RunFacts()))
        assert not isinstance(answer, nw.Finding)
    outside = update_size.rate_too_low(observed(whole, in_no_optimizer=("a.weight",)))
    assert not isinstance(outside, nw.Finding)


def test_weights_of_which_most_stay_as_they_were() -> None:
    def run(reached: float, final: float = 2.3, moved: float = 1e-4) -> nw.History:
        by_layer = {
            signals.UPDATE_RATIO: flat(moved, moved),
            signals.EFFECTIVE_RATE: flat(reached, reached),
        }
        facts = nw.RunFacts(loss_of_guessing=GUESS, rate=1e-5)
        rates = {signals.RATE: [1e-5] * 8}
        return history(by_layer, rates, facts=facts, final=final).but(wiring=nw.Wiring())

    finding = found(update_size.rate_too_low(run(0.0)))
    assert "below the last digit of the weights (learning rate 1e-05)" in finding.sentence
    for other in (run(1e-5), run(0.0, final=0.1), run(0.0, moved=0.0)):
        answer = update_size.rate_too_low(other)
        assert not isinstance(answer, nw.Finding) or "digit" not in answer.sentence


def test_the_steps_of_a_finding_are_ordered_where_the_first_step_is_the_last() -> None:
    """The gradients are not finite from step 1 on, so the changes end at step 0."""
    layer = nw.Layer("l0", "Linear", 3, 3)
    run = nw.History(
        {(signals.UPDATE_RATIO, "l0"): nw.Series((0, 1), (0.9, 0.0))},
        (layer,),
        nw.RunFacts(loss_of_guessing=2.3),
        nw.RunEnd("diverged", "x.", 5),
        wiring=nw.Wiring(not_finite="Log of 0", not_finite_step=1),
    )
    assert found(update_size.rate_too_high(run)).steps == (0, 0)


def moved(update: float, way: float, final: float = 2.3, first: float = GUESS) -> nw.History:
    """A run whose layers take steps of this size and have moved so far at the end."""
    return history(
        {
            signals.UPDATE_RATIO: flat(update, update),
            signals.GRADIENT_RATIO: flat(0.1, 0.1),
            signals.WEIGHT_DISTANCE: flat(way, way / 2),
        },
        {signals.LOSS: [first] * 8},
        final=final,
    )


def test_short_steps_count_where_the_weights_have_hardly_moved() -> None:
    finding = found(update_size.rate_too_low(moved(8e-4, 0.2)))
    assert "in 100 steps no layer has moved by more than 20 %" in finding.sentence
    assert update_size.rate_too_low(moved(8e-4, 0.5)) is None  # many steps make a long way
    assert update_size.rate_too_low(moved(3e-3, 0.2)) is None  # too few steps, not too short ones
    assert update_size.rate_too_low(moved(1e-5, 0.001, final=0.3)) is None
    # Weights that were trained before start far below the loss of guessing, and need move little.
    assert update_size.rate_too_low(moved(8e-4, 0.01, final=1.0, first=1.1)) is None


def test_a_step_after_which_units_died_was_too_long() -> None:
    layers = tuple(nw.Layer(f"layer{i}", "Linear", 30, 30, "ReLU") for i in range(1, 5))

    def run(step: float, dead: float, zeros: float = 0.5) -> nw.History:
        return history(
            {
                signals.WEIGHT_NORM: flat(5.0),
                signals.UPDATE_RATIO: [[0.01, step, *[0.01] * 6]],
                signals.DEAD_UNITS: flat(dead),
                signals.ACTIVATION_ZEROS: flat(zeros),
            },
            layers=layers,
        )

    finding = found(update_size.rate_too_high(run(0.25, 0.9)))
    assert "90 % of the units of layer1 died" in finding.sentence
    assert update_size.rate_too_high(run(0.05, 0.9)) is None  # they died of something else
    assert update_size.rate_too_high(run(0.25, 0.2)) is None
    assert update_size.rate_too_high(run(0.25, 0.9, zeros=0.97)) is None  # dead from the start


def test_a_long_step_after_which_the_loss_jumped() -> None:
    def run(step: float, highest: float, low: float = 2.0) -> nw.History:
        return history(
            {signals.WEIGHT_NORM: flat(5.0), signals.UPDATE_RATIO: [[step, *[0.01] * 7]]},
            {signals.LOSS: [2.0, highest, 3.0, 2.5, 2.4, 2.3, low]},
        )

    assert "rose to 3 times" in found(update_size.rate_too_high(run(2.0, 6.0))).sentence
    assert update_size.rate_too_high(run(2.0, 2.5)) is None
    assert update_size.rate_too_high(run(0.2, 6.0)) is None
    assert update_size.rate_too_high(run(2.0, 6.0, low=-3.0)) is None  # no measure of a jump


def test_a_loss_that_fell_and_stands_still_has_no_rate_that_is_too_low() -> None:
    """Noise that nobody can predict is left: more of the same steps would change nothing."""
    short = {(signals.UPDATE_RATIO, "layer1"): 5e-5, (signals.GRADIENT_RATIO, "layer1"): 0.1}
    steps = tuple(range(40))
    series = {key: nw.Series(steps, (value,) * 40) for key, value in short.items()}
    layers = (nw.Layer("layer1", "Linear", 4, 2, "Identity"),)
    facts = nw.RunFacts(loss_of_guessing=0.7)
    noise = [0.5 + 0.02 * (-1) ** i for i in range(40)]

    def of(losses: list[float]) -> nw.History:
        loss = {(signals.LOSS, ""): nw.Series(steps, tuple(losses))}
        return nw.History({**series, **loss}, layers, facts, nw.RunEnd("finished", "Done.", 40))

    assert isinstance(update_size.rate_too_low(of(noise)), nw.Finding)
    assert update_size.rate_too_low(of([2.0, 1.0, *noise[2:]])) is None


@pytest.mark.parametrize(("cosine", "is_found"), [(-0.95, True), (0.95, False), (-0.3, False)])
def test_steps_that_undo_each_other(cosine: float, is_found: bool) -> None:
    run = history(
        {signals.WEIGHT_NORM: flat(5.0), signals.UPDATE_RATIO: flat(0.15)},
        {signals.LOSS: [2.3, 2.31] * 6},
    )
    turning = nw.Series(tuple(range(12)), (0.0, *[cosine] * 11))
    key = (signals.UPDATE_COSINE, "layer1")
    answer = update_size.rate_too_high(run.but(series={**run.series, key: turning}))
    assert (answer is not None and "undoes" in found(answer).sentence) == is_found


def test_a_loss_that_rises_for_good() -> None:
    def run(*losses: float, step: float = 0.2) -> nw.History:
        return history(
            {signals.WEIGHT_NORM: flat(5.0), signals.UPDATE_RATIO: flat(step)},
            {signals.LOSS: [2.3, 2.0, 1.8, *losses]},
        )

    rising = (1.9, 2.0, 2.2, 2.6, 3.0, 3.3, 3.6, 3.9)
    assert "has risen from 1.9" in found(update_size.rate_too_high(run(*rising))).sentence
    assert update_size.rate_too_high(run(*rising, step=0.01)) is None
    assert update_size.rate_too_high(run(1.9, 1.8, 1.9, 1.8, 1.9, 1.8, 1.9)) is None


def test_one_unusual_batch_is_no_fault_of_the_rate() -> None:
    def run(*losses: float) -> nw.History:
        return history(
            {signals.WEIGHT_NORM: flat(5.0), signals.UPDATE_RATIO: [[0.5, *[0.01] * 7]]},
            {signals.LOSS: [2.3, 2.0, *losses, 2.0, 2.1, 2.0, 2.1]},
        )

    assert update_size.rate_too_high(run(1e9, 2.0)) is None
    assert "rose to" in found(update_size.rate_too_high(run(1e9, 2.9))).sentence


@pytest.mark.parametrize(("factor", "is_found"), [(1e-3, True), (0.5, False)])
def test_a_loss_that_is_multiplied_by_a_small_number(factor: float, is_found: bool) -> None:
    """Its gradients are as small, and would be large enough without it."""
    run = observed(
        by_layer={signals.UPDATE_RATIO: flat(1e-6, 1e-6), signals.GRADIENT_RATIO: flat(1e-4, 1e-4)},
        losses=(nw.LossTerm("cross entropy", factor=factor, place="train.py:7"),),
    )
    answer = update_size.rate_too_low(run)
    assert isinstance(answer, nw.Finding) == is_found
    if is_found:
        assert "multiplied by 0.001 before `backward` (train.py:7)" in found(answer).sentence
