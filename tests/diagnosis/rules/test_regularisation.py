"""Too much regularisation: dropout, weight decay and penalties on both sides of their limits."""

from __future__ import annotations

import math

import pytest

import netwise as nw
from histories import GUESS, flat, found, history
from netwise import signals
from netwise.diagnosis.rules import regularisation


def test_each_kind_of_regularisation_is_found() -> None:
    assert (
        found(
            regularisation.brakes_too_strong(
                history(facts=nw.RunFacts(loss_of_guessing=GUESS, dropout=0.95))
            )
        )
        .evidence[0]
        .value
        == 0.95
    )
    assert (
        regularisation.brakes_too_strong(
            history(facts=nw.RunFacts(loss_of_guessing=GUESS, dropout=0.5))
        )
        is None
    )
    decayed = history(
        {signals.GRADIENT_RATIO: flat(0.01, 0.02)},
        facts=nw.RunFacts(loss_of_guessing=GUESS, weight_decay=1.0),
    )
    assert found(regularisation.brakes_too_strong(decayed)).evidence[0].value == pytest.approx(50)
    priced = history(whole={signals.PENALTY: [9.0] * 6, signals.LOSS: [10.0] * 6})
    assert (
        found(regularisation.brakes_too_strong(priced)).sentence
        == "The penalty is 90 % of the loss."
    )


def test_the_decay_of_adamw_is_compared_with_its_steps_and_not_with_the_gradient() -> None:
    """It shrinks the weights by rate * decay; here the gradient is small, as Adam does not mind."""

    def run(decay: float, step: float) -> nw.Finding | nw.Unchecked | None:
        facts = nw.RunFacts(
            loss_of_guessing=GUESS, optimizer="AdamW", rate=2e-3, weight_decay=decay
        )
        by_layer = {
            signals.GRADIENT_RATIO: flat(0.01, 0.02),
            signals.UPDATE_RATIO: flat(step, step),
        }
        return regularisation.brakes_too_strong(history(by_layer, facts=facts))

    assert run(0.1, 1e-2) is None
    assert found(run(5.0, 1.1e-2)).evidence[0].value == pytest.approx(10 / math.sqrt(21))
    assert found(run(5.0, 1e-2)).evidence[0].value == regularisation.MOST_PULL  # only decay


def shrinking(
    last: float,
    valid: float = 2.3,
    decay: float = 0.0,
    gradient: float = 0.1,
    facts: nw.RunFacts | None = None,
) -> nw.History:
    """Weights that shrink to this share, with a penalty of most of the loss at first."""
    losses = [20.0, 9.0, 4.0, 3.0, 2.6, 2.4]
    return history(
        {signals.WEIGHT_NORM: [[5.0, 5 * last]] * 4, signals.GRADIENT_RATIO: [[gradient] * 6] * 4},
        {
            signals.LOSS: losses,
            signals.VALID_LOSS: [2.3, 2.3, 2.3, 2.3, valid],
            **({} if decay else {signals.PENALTY: [v - 2.3 for v in losses]}),
        },
        facts=facts or nw.RunFacts(loss_of_guessing=GUESS, weight_decay=decay),
    )


def test_weights_that_a_penalty_has_shrunk() -> None:
    finding = found(regularisation.brakes_too_strong(shrinking(0.01)))
    assert "the penalty has shrunk the weights to 1 % of their norm" in finding.sentence
    assert "penalty" in finding.change
    assert "shrunk" not in found(regularisation.brakes_too_strong(shrinking(0.6))).sentence


def test_where_guessing_is_unknown_weights_must_shrink_and_the_data_not_be_learned() -> None:
    unknown = nw.RunFacts()
    assert found(regularisation.brakes_too_strong(shrinking(0.01, facts=unknown)))
    for run in (shrinking(0.6, facts=unknown), shrinking(0.01, valid=1.0, facts=unknown)):
        assert isinstance(regularisation.brakes_too_strong(run), nw.Unchecked)


def test_a_decay_without_any_gradient_is_no_fault_of_the_decay() -> None:
    assert found(regularisation.brakes_too_strong(shrinking(0.01, decay=1e-3)))
    assert regularisation.brakes_too_strong(shrinking(0.01, decay=1e-3, gradient=0.0)) is None
    cleared = {("gradient.cleared", ""): nw.Series((0, 1), (1.0, 1.0))}
    run = shrinking(0.01, decay=1e-3)
    run = run.but(series={**run.series, **cleared})
    assert regularisation.brakes_too_strong(run) is None


def test_a_penalty_is_compared_with_the_loss_of_its_own_step() -> None:
    run = history(whole={signals.LOSS: [10.0, 100.0, 10.0]})
    penalty = nw.Series((0, 20), (9.0, 8.0))  # of the first and the third loss
    run = run.but(series={**run.series, (signals.PENALTY, ""): penalty})
    assert found(regularisation.brakes_too_strong(run)).evidence[0].value == pytest.approx(0.9)


def test_dropout_of_a_whole_layer() -> None:
    """Half of three units is a usual rate, and leaves an eighth of the samples without any."""

    def run(share: float, final: float = 2.3) -> object:
        facts = nw.RunFacts(loss_of_guessing=GUESS, dropout=0.5, emptied_by_dropout=share)
        return regularisation.brakes_too_strong(history({}, final=final, facts=facts))

    assert "for 12 % of the samples" in found(run(0.125)).sentence
    assert run(0.5**5) is None
    assert run(0.125, final=0.1) is None  # it learned
