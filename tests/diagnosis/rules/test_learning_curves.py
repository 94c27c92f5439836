"""Overfitting, underfitting, and no learning: on curves made by hand."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import GUESS, found, history
from netwise import signals
from netwise.diagnosis.rules import learning_curves


def curve(train: list[float], valid: list[float], **facts: float) -> nw.History:
    return history(
        whole={signals.TRAIN_LOSS: train, signals.VALID_LOSS: valid},
        facts=nw.RunFacts(loss_of_guessing=GUESS, **facts),
    )


def test_overfitting() -> None:
    falling, rising = (
        [2 * 0.7**i for i in range(20)],
        [1.5, 1.0, 0.8, 0.7, *(0.7 + 0.05 * i for i in range(16))],
    )
    finding = found(learning_curves.overfitting(curve(falling, rising)))
    assert finding.sentence.startswith(
        "The validation loss was lowest in epoch 4 of 20 and has risen 2.07 times since"
    )
    assert learning_curves.overfitting(curve(falling, [1.0] * 20)) is None
    assert (
        learning_curves.overfitting(curve([0.9] * 20, rising)) is None
    )  # training did not fall far below it
    assert (
        learning_curves.overfitting(curve([v / 100 for v in falling], [v / 100 for v in rising]))
        is None
    )  # as good as done
    assert isinstance(learning_curves.overfitting(curve(falling[:3], rising[:3])), nw.Unchecked)


def test_underfitting_and_not_learning() -> None:
    still = [2.0, 1.8, 1.7, *[1.65] * 20]
    assert found(learning_curves.underfitting(curve(still, still))).evidence[
        0
    ].value == pytest.approx(1.65 / GUESS)
    assert (
        learning_curves.underfitting(curve([2.2 - 0.02 * i for i in range(30)], still)) is None
    )  # still on its way
    assert learning_curves.underfitting(curve([0.5] * 20, [0.5] * 20)) is None
    assert (
        learning_curves.underfitting(curve([2.4] * 20, [2.4] * 20)) is None
    )  # nothing learned at all: that is another finding
    assert found(learning_curves.not_learning(curve([2.4] * 20, [2.4] * 20))).evidence[
        0
    ].value == pytest.approx(2.4 / GUESS)
    assert learning_curves.not_learning(curve(still, still)) is None
    grey = history(
        whole={signals.TRAIN_LOSS: [0.52] * 20},
        facts=nw.RunFacts(loss_of_guessing=0.69, least_loss=0.5),
    )
    assert learning_curves.underfitting(grey) is None  # the best that can be had is 0.5
    diverged = history(ended=nw.RunEnd("diverged", "Diverged at step 3: nan.", 2))
    assert found(learning_curves.not_learning(diverged)).sentence == "Diverged at step 3: nan."
