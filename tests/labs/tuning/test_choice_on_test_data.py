"""Optimism of a choice on test data: by hand, in expectation, and on exchanged parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.tuning.choice_on_test_data import (
    ChoiceSettings,
    SwappedParts,
    choice_arms,
    choice_criteria,
    early_stopping_recipe,
    optimism,
    optimism_of_settings,
)


def test_parts_are_exchanged_and_training_samples_stay() -> None:
    plain = nw.data.iris().load()
    swapped = SwappedParts(data=nw.data.iris()).load()
    assert torch.equal(swapped.valid.x, plain.test.x)
    assert torch.equal(swapped.test.y, plain.valid.y)
    assert torch.equal(swapped.train.x, plain.train.x)
    assert swapped.fingerprint != plain.fingerprint


def test_a_run_on_exchanged_parts_has_the_same_weights(small: nw.Recipe) -> None:
    plain, swapped = nw.fit(small), nw.fit(small.but(data=SwappedParts(data=nw.data.iris())))
    for mine, theirs in zip(plain.module.parameters(), swapped.module.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert plain.score is not None
    assert swapped.history.of("valid.accuracy").last == pytest.approx(plain.score.value)


def test_recipes_differ_in_their_data_alone() -> None:
    diff = nw.recipe_diff(early_stopping_recipe(False), early_stopping_recipe(True))
    assert diff.keys() == {"data"}
    assert choice_arms(ChoiceSettings())["1,000 images"] == early_stopping_recipe(False)


def test_optimism_is_the_best_minus_the_chosen() -> None:
    valid, test = np.array([0.1, 0.9, 0.5]), np.array([0.8, 0.6, 0.7])
    assert optimism(valid, test) == pytest.approx(20)
    assert optimism(test, test) == 0


def test_optimism_of_independent_choices_has_its_expectation() -> None:
    """Where validation says nothing, the chosen setting is a random one."""
    rng = np.random.default_rng(0)
    valid, test = rng.uniform(size=4000), rng.uniform(size=4000)
    found = optimism_of_settings(valid, test, 9, rng, 4000)
    assert found == pytest.approx(100 * (9 / 10 - 1 / 2), abs=2)  # max of 9 uniform: 9 / 10
    assert optimism_of_settings(valid, valid, 9, rng, 50) == 0


def test_l77_is_refuted_where_no_choice_looks_better_than_it_is() -> None:
    assert all(c.holds for c in choice_criteria((0.3, 0.1, 0.5), {30: 0.4}))
    uncertain = choice_criteria((0.3, -0.1, 0.7), {30: 0.4})
    assert LabResult({}, uncertain, "", {}).verdict == "partly confirmed"
    none = choice_criteria((0.0, -0.1, 0.1), {30: 0.0})
    assert LabResult({}, none, "", {}).verdict == "refuted"
    assert not none[-1].holds
