"""The images of L57 have what their tasks say; its criteria can fail both ways."""

from __future__ import annotations

import numpy as np
import pytest

from netwise.labs.convolution.pooling import (
    BACKGROUND,
    PHOTOGRAPHS,
    TEXTURE,
    PoolingSettings,
    lead_of_max,
    levelled,
    pooled,
    pooling_criteria,
    textured,
)
from netwise.labs.lab_definition import LabResult


def test_textures_differ_by_the_direction_of_crosses_and_not_in_level() -> None:
    x, y = textured(4000, 3, np.random.default_rng(0))
    assert x.shape == (4000, 1, 16, 16)
    levels = x.mean((1, 2, 3))
    assert levels[y == 1].mean() == pytest.approx(levels[y == 0].mean(), abs=0.01)
    beside = (x[..., :, 1:] * x[..., :, :-1]).mean((1, 2, 3))  # neighbours in a row
    assert beside[y == 0].mean() > beside[y == 1].mean() + 0.05


def test_backgrounds_differ_by_their_level() -> None:
    x, y = levelled(4000, 0.1, np.random.default_rng(0))
    assert x.dtype == np.float32
    assert x[y == 1].mean() - x[y == 0].mean() == pytest.approx(0.1, abs=0.01)


def test_arms_differ_by_pooling_alone() -> None:
    settings = PoolingSettings()
    most, mean = (pooled(BACKGROUND, pool, settings, 1) for pool in ("max", "mean"))
    assert most.network.but(pool="mean") == mean.network
    assert most.but(network=mean.network).hash == mean.hash


def test_criteria_can_fail_both_ways() -> None:
    above, below, near = (3.0, 1.0, 5.0), (-3.0, -5.0, -1.0), (0.5, -1.0, 2.0)
    as_claimed = pooling_criteria({TEXTURE: above, BACKGROUND: below, PHOTOGRAPHS: near})
    assert LabResult({}, as_claimed, "").verdict == "confirmed"
    assert as_claimed[-1].holds
    opposite = pooling_criteria({TEXTURE: below, BACKGROUND: above, PHOTOGRAPHS: above})
    assert LabResult({}, opposite, "").verdict == "refuted"
    assert not opposite[-1].holds
    scores = {(TEXTURE, "max"): [60.0, 71.0], (TEXTURE, "mean"): [50.0, 60.0]}
    assert lead_of_max(scores, TEXTURE)[0] == pytest.approx(10.5)
