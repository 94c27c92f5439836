"""Gains of pretraining: paired by seed, against scipy; the lab's numbers from made-up scores."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

import netwise as nw
from netwise.labs.features import pretraining
from netwise.labs.features.pretraining import (
    MACHINES,
    PretrainingSettings,
    classifier_recipe,
    paired_gains,
    pretraining_arms,
    pretraining_criteria,
    run_pretraining,
    starts,
)
from netwise.labs.lab_definition import LabResult


def test_all_starts_train_alike() -> None:
    recipes = pretraining_arms(MACHINES, PretrainingSettings(labels=(100, 1000)))
    assert len(recipes) == 6
    for labels in (100, 1000):
        sigmoid, relu = (
            recipes[f"{name}, {labels} labels"] for name in ("random, sigmoid", "random, ReLU")
        )
        pretrained = recipes[f"pretrained, {labels} labels"]
        assert nw.recipe_diff(pretrained, sigmoid).keys() == {"init"}
        assert nw.recipe_diff(sigmoid, relu).keys() == {"init", "network.activation"}
        assert (len(str(labels)), pretrained.epochs) in {(3, 200), (4, 60)}


def test_pretraining_has_the_seed_of_its_classifier() -> None:
    recipe = classifier_recipe(starts(MACHINES, 3)["pretrained"], 1000, 3)
    assert isinstance(recipe.init, nw.From)
    assert recipe.init.recipe == MACHINES.but(seed=3)
    assert recipe.seed == 3


def test_gains_are_paired_intervals() -> None:
    rng = np.random.default_rng(0)
    scores = {
        (name, 100): (90 + rng.normal(0, 1, 5)).tolist()
        for name in ("pretrained", "random, sigmoid", "random, ReLU")
    }
    gains = paired_gains(scores, (100,))
    for other in ("random, sigmoid", "random, ReLU"):
        test = stats.ttest_rel(scores["pretrained", 100], scores[other, 100])
        low, high = test.confidence_interval(0.95)
        mean = np.mean(scores["pretrained", 100]) - np.mean(scores[other, 100])
        assert gains[other, 100] == pytest.approx((mean, low, high))


def test_a_lab_gathers_the_scores_of_all_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []

    def scored(recipe: nw.Recipe) -> SimpleNamespace:
        trained.append(recipe)
        level = 0.95 if isinstance(recipe.init, nw.From) else 0.90
        return SimpleNamespace(score=SimpleNamespace(value=level + 0.001 * recipe.seed))

    monkeypatch.setattr(pretraining, "train_whole", scored)
    settings = PretrainingSettings(labels=(100, 1000))
    result = run_pretraining(MACHINES, settings, "Boltzmann machines")
    assert len(trained) == 5 * 3 * 2
    assert result.numbers["pretrained, 1000 labels: test accuracy, %"] == pytest.approx(95.2)
    assert result.numbers["gain over random, ReLU, 100 labels: mean, points"] == pytest.approx(5)
    assert result.verdict == "confirmed"
    assert result.recipes == {
        name: recipe.hash
        for name, recipe in pretraining_arms(
            MACHINES, PretrainingSettings(labels=(100, 1000))
        ).items()
    }
    assert "Pretraining by Boltzmann machines" in result.figure


def test_a_small_or_uncertain_gain_refutes_the_claim() -> None:
    def criteria(sigmoid: tuple[float, float, float]) -> LabResult:
        gains = {("random, sigmoid", 1000): sigmoid, ("random, ReLU", 1000): (1.0, -0.5, 2.5)}
        return LabResult({}, pretraining_criteria(gains, "machines"), "", {})

    assert criteria((3.0, 2.0, 4.0)).verdict == "confirmed"
    assert criteria((1.0, 0.5, 1.5)).verdict == "partly confirmed"
    assert criteria((1.0, -0.5, 2.5)).verdict == "refuted"
    assert not criteria((3.0, 2.0, 4.0)).criteria[-1].holds
