"""Numbers that float32 cannot tell apart: kept apart until they are centred."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import netwise as nw
from netwise.data.encoding import encoder_from
from netwise.data.precision import keeping_differences
from netwise.data.preparation import unmarked

rng = np.random.default_rng(0)
NEAR = rng.normal(size=(200, 2))
FAR = NEAR * 50 + [1.7e9, 0]


@settings(max_examples=60, deadline=None)
@given(st.floats(-1e12, 1e12), st.floats(1e-3, 1e3))
def test_no_difference_is_lost_beyond_a_hundred_thousandth_of_the_range(
    offset: float, spread: float
) -> None:
    values = offset + spread * np.linspace(-1, 1, 11)
    kept = keeping_differences(values).numpy().astype(np.float64)
    assert np.abs(kept - values).max() <= 1e-5 * np.ptp(values)


@pytest.mark.parametrize("values", [NEAR, NEAR.astype(np.float32), np.arange(9), [[True], [False]]])
def test_other_numbers_are_float32(values: object) -> None:
    assert keeping_differences(values).dtype == torch.float32


def test_inputs_far_from_zero_are_those_of_their_distances() -> None:
    y = NEAR[:, 0] + NEAR[:, 1]
    far, near = (nw.data.arrays(X, y).load() for X in (FAR, NEAR * 50))
    moved = near.train.x - near.train.x.mean(0) * torch.tensor([1.0, 0.0])
    assert far.train.x.dtype == torch.float32
    torch.testing.assert_close(unmarked(far.train.x), unmarked(moved), atol=1e-4, rtol=0)
    encoder = encoder_from(json.loads(json.dumps(far.encoder.plain())))
    assert encoder == far.encoder
    assert np.array_equal(encoder.encode(FAR[:3]), far.encoder.encode(FAR[:3]))


def test_inputs_and_targets_far_from_zero_are_learned(tmp_path: Path) -> None:
    y = 1.7e9 + 50 * (NEAR[:, 0] - NEAR[:, 1])
    recipe = nw.Recipe(
        data=nw.data.arrays(FAR, y),
        preprocess=(nw.Standardise(),),
        network=nw.MLP((2, 1)),
        loss=nw.MeanSquaredError(),
        optimizer=nw.Adam(lr=0.05),
        epochs=40,
    )
    run = nw.fit(recipe, folder=tmp_path / "run")
    for each in (run, nw.load(tmp_path / "run")):
        predicted = each.predict(FAR)
        assert predicted.dtype == np.float64
        assert np.abs(predicted - y).mean() < 5


def test_an_own_part_of_one_row_keeps_its_difference() -> None:
    samples = nw.data.arrays(FAR, NEAR[:, 0], test=(FAR[:1], NEAR[:1, 0])).load()
    x = samples.encoder.encode(FAR[:1]).numpy()
    np.testing.assert_array_equal(samples.test.x.numpy(), x)
    assert abs(x[0, 0] - (FAR[0, 0] - FAR[:, 0].mean())) < 20


def test_targets_beyond_float32_are_scaled() -> None:
    samples = nw.data.arrays(NEAR, 1e300 * NEAR[:, 0]).load()
    assert float(samples.train.y.std()) == pytest.approx(1, abs=0.01)
