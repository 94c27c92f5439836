"""Stopping rules by their definitions, and in runs."""

from __future__ import annotations

import math

import pytest

import netwise as nw

DIGITS = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), epochs=40)


def stops_at(rule: nw.Stopping, endings: list[nw.EpochResult]) -> int | None:
    state = rule.init()
    for ending in endings:
        why, state = rule.next(state, ending)
        if why is not None:
            assert len(why) > 15
            return ending.epoch
    return None


def test_patience_by_accuracy_counts_no_ties() -> None:
    scores = [0.5, 0.6, 0.6, 0.6, 0.7]
    endings = [nw.EpochResult(e, loss=1.0 - e / 10, quality=q) for e, q in enumerate(scores)]
    assert stops_at(nw.Patience(2, by="accuracy"), endings) == 3
    assert stops_at(nw.Patience(3, by="accuracy"), endings) is None
    assert stops_at(nw.Patience(2), endings) is None  # the loss falls all the while


def test_train_down_valid_up_is_the_textbooks_rule() -> None:
    def endings(pairs: list[tuple[float, float]]) -> list[nw.EpochResult]:
        return [
            nw.EpochResult(e, loss=valid, train_loss=train)
            for e, (train, valid) in enumerate(pairs)
        ]

    assert stops_at(nw.TrainDownValidUp(), endings([(1.0, 1.0), (0.9, 0.95), (0.8, 0.97)])) == 2
    assert (
        stops_at(nw.TrainDownValidUp(), endings([(1.0, 1.0), (1.1, 1.2), (1.2, 1.3)])) is None
    )  # both rise
    pairs = [(1.0, 1.0), (0.9, 1.1), (0.8, 1.0), (0.7, 1.1), (0.6, 1.2)]
    assert stops_at(nw.TrainDownValidUp(2), endings(pairs)) == 4


def test_a_target_and_a_budget_end_a_run() -> None:
    run = nw.fit(DIGITS.but(stopping=nw.TargetReached(0.8)))
    scores = run.history.of("valid.accuracy")
    assert scores is not None
    assert run.history.ended.how == "stopped early"
    assert scores.values[-1] >= 0.8 > max(scores.values[:-1])
    short = nw.fit(DIGITS.but(stopping=nw.TimeBudget(1e-6)))
    assert "Stopped after epoch 1 of 40: the budget of" in short.history.ended.sentence


def test_the_first_of_two_rules_ends_the_run_and_keeps_what_the_first_keeps() -> None:
    rule = nw.FirstOf(nw.Patience(5), nw.TargetReached(0.5))
    assert rule.keeps_best
    run = nw.fit(DIGITS.but(stopping=rule))
    assert "has reached 0.5" in run.history.ended.sentence
    assert not nw.FirstOf(nw.Never(), nw.TimeBudget(1.0)).keeps_best


@pytest.mark.parametrize("by", ["loss", "accuracy"])
def test_the_best_weights_are_those_of_the_best_epoch_by_the_chosen_measure(by: str) -> None:
    recipe = DIGITS.but(
        optimizer=nw.Adam(lr=0.05), batch_size=8, epochs=15, stopping=nw.Patience(14, by=by)
    )
    run = nw.fit(recipe)
    losses, scores = run.history.of("valid.loss"), run.history.of("valid.accuracy")
    assert losses is not None
    assert scores is not None
    samples = recipe.data.load()
    right = float((run.module(samples.valid.x).argmax(1) == samples.valid.y).float().mean())
    best = (
        scores.values.index(max(scores.values))
        if by == "accuracy"
        else losses.values.index(min(losses.values))
    )
    assert right == pytest.approx(scores.values[best], abs=1e-6)


def test_patience_waits_and_a_tie_is_no_improvement() -> None:
    rule = nw.Patience(3)
    state, stopped = rule.init(), None
    for epoch, loss in enumerate([1.0, 0.9, 0.9, 0.9, 0.9]):
        why, state = rule.next(state, nw.EpochResult(epoch, loss))
        if why and stopped is None:
            stopped = epoch
    assert stopped == 4
    assert rule.next(rule.init(), nw.EpochResult(0, math.nan))[0] is None
