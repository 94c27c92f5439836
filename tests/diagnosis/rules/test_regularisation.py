"""Too much regularisation: dropout, weight decay and penalties on both sides of their limits."""

from __future__ import annotations

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
