"""Underfitting, told from noise by what simple models reach."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import GUESS, found, history, observed
from netwise import signals
from netwise.diagnosis.rules import underfitting

STILL = [2.0, 1.8, 1.7, *[1.65] * 20]
FACTS = nw.RunFacts(loss_of_guessing=GUESS, classes=10, class_targets=True)


def curve(train: list[float], valid: list[float]) -> nw.History:
    return history(whole={signals.TRAIN_LOSS: train, signals.VALID_LOSS: valid}, facts=FACTS)


def test_a_loss_that_stands_still_far_from_zero() -> None:
    finding = found(underfitting.underfitting(curve(STILL, STILL)))
    assert finding.evidence[0].value == pytest.approx(1.65 / GUESS)
    falls = [2.2 - 0.02 * i for i in range(30)]
    assert underfitting.underfitting(curve(falls, STILL)) is None
    assert underfitting.underfitting(curve([0.5] * 20, [0.5] * 20)) is None
    nothing = curve([2.4] * 20, [2.4] * 20)
    assert underfitting.underfitting(nothing) is None  # that is another finding
    grey = history(
        whole={signals.TRAIN_LOSS: [0.52] * 20},
        facts=nw.RunFacts(loss_of_guessing=0.69, least_loss=0.5),
    )
    assert underfitting.underfitting(grey) is None  # the best that can be had is 0.5


def test_what_is_left_may_be_noise() -> None:
    def loop(simple: float | None) -> nw.History:
        accuracy = [0.3, *[0.4] * 22]
        run = observed({signals.TRAIN_LOSS: STILL, signals.VALID_ACCURACY: accuracy}, facts=FACTS)
        data = nw.DataFacts(
            evaluation_samples=400, evaluation_chance_score=0.1, evaluation_linear_score=simple
        )
        return run.but(data=data)

    assert "scores 0.9" in found(underfitting.underfitting(loop(0.9))).sentence
    assert underfitting.underfitting(loop(0.4)) is None
    assert isinstance(underfitting.underfitting(loop(None)), nw.Unchecked)
