"""The Gaussian process over trials and the importance of axes, against known functions."""

from __future__ import annotations

import math

import numpy as np
import pytest

import netwise as nw


def test_expected_improvement_equals_its_integral() -> None:
    """By Monte Carlo."""
    space = nw.Space((nw.axes.Linear("x", 0.0, 1.0),))
    tried = [
        nw.TrialRecord(i, 0, {"x": x}, value=math.sin(6 * x))
        for i, x in enumerate(np.linspace(0, 1, 9))
    ]
    model = nw.surrogate(space, tried, ("x",), points=51)
    best = max(t.value for t in tried if t.value is not None)
    place = 17
    draws = np.random.default_rng(0).normal(model.mean[place], model.std[place], 400_000)
    assert model.improvement[place] == pytest.approx(np.maximum(draws - best, 0).mean(), abs=2e-3)
    assert abs(model.mean[model.mean.argmax()] - 1) < 0.05
    with pytest.raises(
        ValueError, match="too few for a model, which needs 4. Use the trials of a longer search"
    ):
        nw.surrogate(space, tried[:3], ("x",))


def test_importance_finds_the_axis_that_matters() -> None:
    space = nw.Space(
        (
            nw.axes.Log("a", 1e-3, 1.0),
            nw.axes.Linear("b", 0.0, 1.0),
            nw.axes.Choice("c", ("x", "y")),
        )
    )
    rng = np.random.default_rng(0)
    tried = []
    for i in range(60):
        point = {
            "a": float(10 ** rng.uniform(-3, 0)),
            "b": float(rng.random()),
            "c": str(rng.choice(["x", "y"])),
        }
        tried.append(
            nw.TrialRecord(i, 0, point, value=float(np.log10(point["a"]) + 0.1 * point["b"]))
        )
    found = nw.importance(space, tried)
    assert list(found)[0] == "a"
    assert found["a"] > 0.8
    assert sum(found.values()) == pytest.approx(1, abs=0.05)


def test_trials_without_information_have_no_importance() -> None:
    space = nw.Space((nw.axes.Linear("a", 0.0, 1.0),))
    records = [nw.TrialRecord(i, 0, {"a": i / 9}, value=1.0) for i in range(9)]
    assert nw.importance(space, records) == {}  # all have the same value
    assert nw.importance(space, records[:3]) == {}
    varied = [nw.TrialRecord(i, 0, {"a": i / 9}, value=float(i)) for i in range(9)]
    assert nw.importance(space, varied) == {"a": 1.0}  # the only axis explains everything
