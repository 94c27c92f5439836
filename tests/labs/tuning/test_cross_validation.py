"""Choosing by one fold and by five: regrets by hand, and the table of runs."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.runs import signal_values
from netwise.labs.tuning import cross_validation
from netwise.labs.tuning.cross_validation import (
    cross_validation_criteria,
    fold_recipe,
    regrets,
    train_settings,
)
from netwise.signals import VALID_ACCURACY


def test_regret_is_what_the_choice_loses_on_test_data() -> None:
    valid = np.array([[0.9, 0.5, 0.5], [0.8, 0.8, 0.8], [0.1, 0.7, 0.7]])
    test = np.array([0.6, 0.75, 0.8])
    one, all_folds = regrets(valid, test)
    assert one == pytest.approx(20)  # chose the first setting
    assert all_folds == pytest.approx(5)  # chose the second


def test_a_recipe_is_one_setting_on_one_fold() -> None:
    recipe = fold_recipe(500, 3, (0.1, 16), 2)
    assert (recipe.seed, recipe.epochs) == (3, 20)
    assert recipe.network == nw.MLP((784, 16, 10))
    assert isinstance(recipe.data, nw.data.Fold)
    assert (recipe.data.number, recipe.data.repeat) == (2, 3)
    assert fold_recipe(10_000, 0, (0.1, 16), 0).epochs == 2


def test_accuracies_are_in_the_order_of_settings_and_folds(
    small: nw.Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tiny(
        rows: int, draw: int, setting: tuple[float, int], fold: int, epochs: int = 2
    ) -> nw.Recipe:
        samples = nw.data.Fold(data=nw.data.iris(), number=fold, repeat=draw)
        rate, width = setting
        return small.but(
            data=samples, network=nw.MLP((4, width, 3)), optimizer=nw.SGD(lr=rate), epochs=epochs
        )

    monkeypatch.setattr(cross_validation, "SETTINGS", ((0.01, 3), (0.3, 8)))
    monkeypatch.setattr(cross_validation, "fold_recipe", tiny)
    monkeypatch.setattr(cross_validation, "fit_many", partial(nw.fit_many, jobs=1))
    valid, test = train_settings(100, 0, epochs=2)
    assert valid.shape == (2, 5)
    assert test.shape == (2,)
    runs = [nw.fit(tiny(100, 0, (0.3, 8), fold)) for fold in range(5)]
    assert valid[1].tolist() == [signal_values(run, VALID_ACCURACY)[-1] for run in runs]
    scores = [run.score.value for run in runs if run.score is not None]
    assert test[1] == pytest.approx(np.mean(scores))


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        ((0.5, 0.1, 0.9), "confirmed"),
        ((0.5, -0.1, 1.1), "partly confirmed"),
        ((-0.5, -1.0, 0.0), "refuted"),
    ],
)
def test_l62_can_be_refuted(gain: tuple[float, float, float], verdict: str) -> None:
    criteria = cross_validation_criteria({500: gain, 10_000: (0.3, 0.2, 0.4)})
    assert LabResult({}, criteria, "", {}).verdict == verdict
    assert not criteria[-1].holds
