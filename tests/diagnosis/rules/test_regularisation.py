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
    assert found(run(5.0, 1e-2)).strength == regularisation.MOST_PULL  # nothing but decay
