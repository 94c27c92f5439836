"""Facts of a run equal what an independent computation gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.recipe.prepared import prepare
from netwise.training.facts import run_facts, versions
from netwise.training.fit import initialize
from netwise.training.run_setup import set_up
from netwise.training.run_state import state_at_start
from netwise.training.settings import RunOptions


def facts_of(recipe: nw.Recipe) -> nw.history.RunFacts:
    setup = set_up(recipe, prepare(recipe), RunOptions(), initialize)
    return run_facts(setup, state_at_start(setup), recipe.loss.build())


def test_the_loss_of_guessing_classes_is_their_entropy(small: nw.Recipe) -> None:
    facts = facts_of(small)
    counts = np.bincount(small.data.load().train.y.numpy())
    shares = counts / counts.sum()
    assert facts.loss_of_guessing == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-4)
    assert facts.least_loss == pytest.approx(0, abs=1e-3)
    assert facts.classes == 3


def test_the_loss_of_guessing_numbers_is_their_variance() -> None:
    g = np.random.default_rng(0)
    data = nw.data.arrays(g.normal(size=(80, 2)), g.normal(5, 3, size=80), scale_target=False)
    recipe = nw.Recipe(data=data, network=nw.MLP((2, 1)), loss=nw.MeanSquaredError())
    y = data.load().train.y
    assert facts_of(recipe).loss_of_guessing == pytest.approx(
        float(y.var(unbiased=False)), rel=1e-4
    )


def test_settings_of_the_recipe_are_facts(small: nw.Recipe) -> None:
    facts = facts_of(
        small.but(
            network=nw.MLP((4, 8, 3), dropout=0.3), optimizer=nw.AdamW(lr=0.02, weight_decay=0.05)
        )
    )
    assert (facts.dropout, facts.rate, facts.weight_decay) == (0.3, 0.02, 0.05)
    assert (facts.batch_size, facts.epochs, facts.optimizer) == (16, 4, "AdamW")
    assert facts.train_size == len(small.data.load().train)


def test_an_energy_model_has_no_loss_of_guessing() -> None:
    recipe = nw.Recipe(data=nw.data.digits(), network=nw.RBM(64, 8), loss=nw.PCD())
    assert facts_of(recipe).loss_of_guessing is None


def test_versions_are_those_that_compute() -> None:
    assert versions()["torch"] == torch.__version__
    assert set(versions()) == {"python", "torch", "netwise"}


def test_losses_to_compare_follow_the_classes_and_the_loss() -> None:
    rows = torch.arange(12)[:, None].float()
    two, three = (nw.data.arrays(rows, torch.arange(12) % n, valid=0.0, test=0.0) for n in (2, 3))
    recipe = nw.Recipe(data=two, network=nw.MLP((1, 3)), loss=nw.CrossEntropy())
    recipes = (recipe, recipe.but(data=three), recipe.but(loss=nw.Hinge()))
    found = [[facts_of(each).loss_of_guessing for _ in range(2)] for each in recipes]
    assert all(first == second for first, second in found)
    assert len({first for first, _ in found}) == 3
