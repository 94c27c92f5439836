"""Data are read once, preprocessed once and passed on."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.recipe.prepared import excerpt, prepare
from netwise.tasks import DENSITY, RECONSTRUCTION
from tools.runtime import preparations

DIGITS = nw.Recipe(
    data=nw.data.digits(), preprocess=(nw.Standardise(),), network=nw.MLP((64, 30, 10)), epochs=1
)


def test_the_train_command_reads_fits_and_diagnoses_once() -> None:
    counts = preparations()
    assert counts["read"] == 1
    assert counts["fits"] == counts["whole"] == 1
    assert counts["diagnoses"] == 1


def test_preprocessing_is_fitted_on_the_training_part_alone() -> None:
    prepared = prepare(DIGITS)
    x = DIGITS.data.load().train.x
    assert float(prepared.fitted[0]["mean"]) == pytest.approx(float(x.mean()))
    assert float(prepared.samples.train.x.mean()) == pytest.approx(0, abs=1e-5)
    assert abs(float(prepared.samples.valid.x.mean())) > 1e-4
    assert torch.equal(prepared.loaded.train.x, x)


def test_training_on_prepared_data_equals_training_from_the_recipe() -> None:
    whole, given = nw.fit(DIGITS), nw.fit(DIGITS, prepared=prepare(DIGITS))
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, given.module.state_dict()[name])
    assert whole.score == given.score


def test_checks_find_the_same_in_prepared_data() -> None:
    for recipe in (
        DIGITS,
        DIGITS.but(network=nw.MLP((60, 30, 10))),
        DIGITS.but(preprocess=(nw.Scale(100.0),)),
        DIGITS.but(network=nw.RBM(64, 10), loss=nw.PCD()),
    ):
        alone, given = nw.check(recipe), nw.check(recipe, prepared=prepare(recipe))
        assert [(p.subject, p.grade) for p in given] == [(p.subject, p.grade) for p in alone]


def test_targets_follow_what_the_network_learns() -> None:
    samples = DIGITS.data.load()
    assert nw.MLP((64, 10)).with_targets(samples) is samples
    inputs = nw.Autoencoder((64, 10)).with_targets(samples)
    assert inputs.task == RECONSTRUCTION
    assert torch.equal(inputs.train.y, samples.train.x.flatten(1))
    none = nw.RBM(64, 10).with_targets(samples)
    assert none.task == DENSITY
    assert none.train.y.shape == (len(samples.train), 0)


def test_an_excerpt_is_spread_over_the_training_part() -> None:
    samples = DIGITS.data.load()
    few = excerpt(samples, rows=10)
    step = len(samples.train) // 10
    assert torch.equal(few.train.x, samples.train.x[::step][:10])
    assert len(few.valid) == len(few.test) == 0
