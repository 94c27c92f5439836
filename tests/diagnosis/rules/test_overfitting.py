"""Overfitting and states that were better, on curves made by hand."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import GUESS, found, history
from netwise import signals
from netwise.diagnosis.rules import overfitting

FALLING = [2 * 0.7**i for i in range(20)]
RISING = [1.5, 1.0, 0.8, 0.7, *(0.7 + 0.05 * i for i in range(16))]
CLASSES = nw.RunFacts(loss_of_guessing=GUESS, classes=10, class_targets=True)
NUMBERS = nw.RunFacts(loss_of_guessing=1.0, loss_kind="squared error", class_targets=False)


def curve(
    train: list[float],
    valid: list[float],
    accuracy: list[float] | None = None,
    facts: nw.RunFacts = CLASSES,
) -> nw.History:
    whole = {signals.TRAIN_LOSS: train, signals.VALID_LOSS: valid}
    if accuracy is not None:
        whole[signals.VALID_ACCURACY] = accuracy
    return history(whole=whole, facts=facts)


def test_a_validation_loss_that_rises() -> None:
    finding = found(overfitting.overfitting(curve(FALLING, RISING)))
    assert finding.sentence.startswith("The validation loss was lowest in epoch 4 of 20 and has")
    assert finding.evidence[0].value == pytest.approx(1.4 / 0.7)
    assert overfitting.overfitting(curve(FALLING, [1.0] * 20)) is None
    assert overfitting.overfitting(curve([0.9] * 20, RISING)) is None  # training is not far below
    small = curve([v / 100 for v in FALLING], [v / 100 for v in RISING])
    assert overfitting.overfitting(small) is None  # as good as done
    assert isinstance(overfitting.overfitting(curve(FALLING[:3], RISING[:3])), nw.Unchecked)


def test_a_rise_is_weighed_by_what_is_lost() -> None:
    stands = [0.5, 0.8, 0.9, *[0.95] * 17]
    assert overfitting.overfitting(curve(FALLING, RISING, stands)) is None
    falls = [0.5, 0.8, 0.9, 0.95, *(0.95 - 0.005 * i for i in range(16))]
    assert found(overfitting.overfitting(curve(FALLING, RISING, falls)))


def test_one_high_value_at_the_end_of_a_noisy_curve_is_no_rise() -> None:
    valid = [4.25, 2.19, 1.41, 1.61, 1.04, 0.95, 0.94, 1.19, 1.31, 0.96, 0.68, 1.17]
    accuracy = [0.79, 0.88, 0.92, 0.93, 0.95, 0.95, 0.94, 0.94, 0.96, 0.95, 0.97, 0.94]
    assert overfitting.overfitting(curve(FALLING[:12], valid, accuracy)) is None
    assert overfitting.overfitting(curve(FALLING[:12], valid)) is None


def test_rows_learned_by_heart_also_where_the_best_state_was_kept() -> None:
    valid = [1.5, 1.2, 1.0, 0.95, 0.94, 0.95]
    low = [0.5, 0.6, 0.7, 0.76, 0.77, 0.773]
    train = [1.5, 0.8, 0.3, 0.1, 0.05, 0.02]
    finding = found(overfitting.overfitting(curve(train, valid, low)))
    assert finding.evidence[0].value == pytest.approx(1 - 0.77, abs=0.01)
    near = [0.5, 0.7, 0.8, 0.86, 0.87, 0.87]
    low_losses = [v / 4 for v in valid]
    assert overfitting.overfitting(curve(train, low_losses, near)) is None
    high = [1.5, 1.3, 1.1, 1.0, 0.95, 0.94]
    assert overfitting.overfitting(curve(high, valid, low)) is None  # nothing is known by heart
    other = [-v for v in valid]
    assert overfitting.overfitting(curve(train, valid, [5 * v for v in other])) is None


def test_a_ceiling_of_noise_is_no_overfitting() -> None:
    run = curve([1.5, 0.8, 0.3, 0.1, 0.05, 0.02], [1.5] * 6, [0.5, 0.6, 0.7, 0.76, 0.77, 0.77])
    chance = nw.DataFacts(evaluation_chance_score=0.1, inside_evaluation_score=0.76)
    assert overfitting.overfitting(run.but(data=chance)) is None
    more = nw.DataFacts(evaluation_chance_score=0.1, inside_evaluation_score=0.95)
    assert found(overfitting.overfitting(run.but(data=more)))


def test_numbers_learned_by_heart() -> None:
    few = curve([0.5, 0.2, 0.05, 0.01, 0.001], [0.9, 0.7, 0.5, 0.5, 0.5], facts=NUMBERS)
    assert found(overfitting.overfitting(few)).evidence[0].value == pytest.approx(0.5, abs=0.01)
    many = curve([0.5, 0.2, 0.05, 0.01, 0.001], [0.6, 0.3, 0.2, 0.2, 0.2], facts=NUMBERS)
    assert overfitting.overfitting(many) is None


def test_a_state_that_was_better() -> None:
    def scores(*values: float) -> nw.History:
        return history(whole={signals.VALID_ACCURACY: list(values)}, facts=CLASSES)

    lost = scores(0.5, 0.8, 0.9, 0.9, 0.9, 0.6, 0.4, 0.3, 0.3, 0.3)
    finding = found(overfitting.best_was_earlier(lost))
    assert finding.evidence[0].value == pytest.approx(0.6 / 0.9)
    assert overfitting.best_was_earlier(scores(0.5, 0.8, 0.9, 0.9, 0.88, 0.91, 0.89)) is None
    noisy = scores(0.5, 0.9, 0.3, 0.9, 0.2, 0.8, 0.3, 0.9, 0.3)
    assert overfitting.best_was_earlier(noisy) is None
    assert isinstance(overfitting.best_was_earlier(scores(0.5, 0.3)), nw.Unchecked)


@pytest.mark.parametrize(
    ("train", "valid", "accuracy", "is_found"),
    [
        (0.0067, 0.53, 0.88, True),  # Nielsen 2015, chapter 3: a thousand images
        (0.0067, 0.53, 0.95, False),  # as good an answer as others of the same data
        (0.0067, 0.20, 0.90, False),  # what is left in sound runs
        (0.2, 0.53, 0.88, False),  # there is more to learn in training
    ],
)
def test_losses_that_are_far_apart(
    train: float, valid: float, accuracy: float, is_found: bool
) -> None:
    answer = overfitting.overfitting(curve([train] * 8, [valid] * 8, [accuracy] * 8))
    assert (answer is not None) == is_found
    if is_found:
        assert found(answer).sentence.startswith("The training loss has fallen to 0.0067, and the")
