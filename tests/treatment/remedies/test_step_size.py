"""Remedies for the size of a step."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.history import FINISHED

DIGITS = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD(lr=0.1))


def test_the_searched_rate_has_the_lowest_loss_by_brute_force() -> None:
    recipe = nw.gallery.sick["rate_too_low"].recipe
    treated = nw.remedy("search_rate").apply(recipe)
    assert isinstance(treated, nw.Recipe)
    losses = {}
    for decade in range(-6, 7):
        rate = recipe.optimizer.lr * 10.0**decade
        short = nw.with_learning_rate(recipe, rate).but(epochs=4)  # 60 steps, at 17 an epoch
        history = nw.fit(short, test=False).history
        if history.ended.how == FINISHED:
            losses[rate] = history.of("train.loss").last
    assert treated.optimizer.lr == pytest.approx(min(losses, key=lambda rate: losses[rate]))


def test_a_rate_that_is_the_best_is_kept() -> None:
    found = nw.remedy("search_rate").apply(nw.gallery.sick["rate_too_low"].recipe)
    assert isinstance(found, nw.Recipe)
    again = nw.remedy("search_rate").apply(found)
    assert isinstance(again, nw.NotApplicable)
    assert "has the lowest loss already" in again.reason


def test_a_network_that_diverges_at_every_rate_has_another_fault() -> None:
    answer = nw.remedy("search_rate").apply(DIGITS.but(init=nw.He(gain=1e30)))
    assert isinstance(answer, nw.NotApplicable)
    assert "at every rate: the cause is another" in answer.reason


def test_a_tenth_of_the_rate() -> None:
    assert nw.remedy("lower_rate").apply(DIGITS) == DIGITS.but(optimizer=nw.SGD(lr=0.1 / 10))
    both = DIGITS.but(optimizer=nw.SwitchOptimizer())
    lowered = nw.remedy("lower_rate").apply(both)
    assert isinstance(lowered, nw.Recipe)
    assert lowered.optimizer.first.lr == both.optimizer.first.lr / 10  # type: ignore[attr-defined]


def test_adam_replaces_other_optimizers_alone() -> None:
    assert nw.remedy("use_adam").apply(DIGITS) == DIGITS.but(optimizer=nw.Adam())
    for optimizer in (nw.Adam(lr=1.0), nw.AdamW()):
        answer = nw.remedy("use_adam").apply(DIGITS.but(optimizer=optimizer))
        assert answer == nw.NotApplicable("the optimizer is Adam already")


def test_clipping_is_added_where_there_is_none() -> None:
    assert nw.remedy("clip_gradient").apply(DIGITS) == DIGITS.but(clip=nw.Clip(1.0))
    answer = nw.remedy("clip_gradient").apply(DIGITS.but(clip=nw.Clip(5.0)))
    assert answer == nw.NotApplicable("the gradient is clipped already")
