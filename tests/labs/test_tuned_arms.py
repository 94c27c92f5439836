"""Arms that differ in their activation: rates are chosen by validation accuracy, seeds are
paired."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.labs import tuned_arms
from netwise.labs.tuned_arms import (
    TunedSettings,
    best_rate,
    mean_training_loss,
    paired_numbers,
    tune_and_train,
)

RECIPE = nw.Recipe(
    data=nw.data.digits(), network=nw.MLP((64, 5, 10)), optimizer=nw.SGD(lr=0.1), epochs=2
)


def test_the_best_of_the_rates_is_chosen() -> None:
    assert best_rate(RECIPE, (1e-6, 0.3)) == 0.3


def test_a_lone_rate_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(tuned_arms, "train_whole")
    assert best_rate(RECIPE, (1e-6,)) == 1e-6


def test_arms_are_trained_from_the_same_seeds_at_their_rate() -> None:
    arm = tune_and_train({"small": RECIPE}, (0.3,), seeds=(4, 5))["small"]
    assert [run.recipe.seed for run in arm.runs] == [4, 5]
    assert {run.recipe.optimizer.lr for run in arm.runs} == {arm.rate} == {0.3}
    losses = arm.values(mean_training_loss)
    assert losses[0] == pytest.approx(sum(arm.runs[0].history.of("train.loss").values) / 2)  # type: ignore[union-attr]


def test_differences_are_paired() -> None:
    numbers = paired_numbers("a - b", [3.0, 13.0, 23.0], [2.0, 12.0, 22.0])
    assert numbers == {"a - b": 1.0, "a - b, low": 1.0, "a - b, high": 1.0}


def test_no_rates_is_an_error() -> None:
    with pytest.raises(nw.WrongValue, match=r"rates = \[\].*\[0.1\]"):
        TunedSettings(rates=())
