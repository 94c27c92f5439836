"""Conformal intervals hold as many true numbers as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise.scoring.conformal import conformal_reach


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("samples", [20, 99, 100, 1000])
def test_coverage_is_the_one_that_theory_gives(level: float, samples: int) -> None:
    """The coverage of one calibration set has the distribution Beta(rank, samples + 1 - rank)."""
    rank = int(np.ceil(np.round((samples + 1) * level, 9)))
    if rank > samples:
        with pytest.raises(
            nw.DataError, match=rf"needs \d+ validation samples, and there are {samples}"
        ):
            conformal_reach(np.ones((samples, 1)), level)
        return
    draw = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        reach = conformal_reach(np.abs(draw.standard_cauchy((samples, 1))), level)
        covered.append(2 / np.pi * np.arctan(reach[0]))  # the share of |Cauchy| below the reach
    a, b = rank, samples + 1 - rank
    error = np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)) / 400)
    assert np.mean(covered) == pytest.approx(a / (a + b), abs=4 * error)
    assert np.mean(covered) > level - 4 * error


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_the_reach_is_the_smallest_error_of_its_rank(errors: list[float], level: float) -> None:
    array = np.array(errors)[:, None]
    try:
        (reach,) = conformal_reach(array, level)
    except nw.DataError:
        assert (len(errors) + 1) * level > len(errors) - 1e-6
        return
    assert (array <= reach).sum() >= (len(errors) + 1) * level - 1e-6
    assert (array < reach).sum() < (len(errors) + 1) * level + 1e-6


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 95, float("nan")])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(nw.WrongValue, match=r"level.*between 0 and 1.*0\.95"):
        conformal_reach(np.ones((50, 1)), level)


def test_what_is_needed_for_a_level_is_said() -> None:
    with pytest.raises(nw.DataError, match=r"needs 19 .* there are 18: write level = 0\.947 at"):
        conformal_reach(np.ones((18, 1)), 0.95)
    assert conformal_reach(np.ones((19, 1)), 0.95) == 1
    assert conformal_reach(np.ones((18, 1)), 0.947) == 1
    with pytest.raises(nw.DataError, match="there are 0: train with a larger validation part"):
        conformal_reach(np.ones((0, 1)), 0.9)
