"""Levels, noise, slopes, gains and rises of curves with known ones."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

import netwise as nw
from netwise.diagnosis import curves


def noisy(level: float, noise: float, count: int = 400, per_step: float = 0.0) -> nw.Series:
    """Normal values around a line, at irregular steps."""
    draw = random.Random(0)
    steps = sorted(draw.sample(range(10 * count), count))
    return nw.Series(
        tuple(steps), tuple(level + per_step * s + draw.gauss(0, noise) for s in steps)
    )


def epochs(*values: float) -> nw.Series:
    return nw.Series(tuple(range(9, 10 * len(values), 10)), values)


def test_the_level_at_the_end_is_no_single_value() -> None:
    assert curves.level_at_end(epochs(5, 4, 3, 1, 1, 9)) == 1
    assert curves.level_at_end(epochs(5.0)) == 5
    assert curves.level_at_end(epochs(math.nan)) is None
    assert curves.level_at_end(noisy(2.0, 0.1)) == pytest.approx(2.0, abs=0.05)


def test_noise_is_measured_around_the_trend() -> None:
    assert curves.noise_of(noisy(2.0, 0.1)) == pytest.approx(0.1, rel=0.15)
    assert curves.noise_of(epochs(4, 3, 2, 1)) == 0
    assert curves.noise_of(epochs(4, 3, 2)) is None


def test_a_slope_has_the_error_of_least_squares() -> None:
    line = curves.slope_of(epochs(6, 5, 4, 3, 2, 1))
    assert line is not None
    assert (line.per_step, line.error) == pytest.approx((-0.1, 0))
    assert line.change == pytest.approx(-5)
    exact = curves.Slope(-0.5, 0.0, -1.0)
    assert exact.falls == math.inf
    flat = curves.last_slope(noisy(2.0, 0.1))
    assert flat is not None
    assert abs(flat.falls) < 3
    falling = curves.last_slope(noisy(2.0, 0.1, per_step=-0.0002))
    assert falling is not None
    assert falling.falls > 5
    assert falling.per_step == pytest.approx(-0.0002, rel=0.3)
    assert curves.slope_of(epochs(2, 1)) is None


def test_a_line_goes_on_and_a_decay_slows_down() -> None:
    # Three more sixths of a line fall as far as the last three; those of an exponential decay fall
    # by ratio r of the last fall, then r² and r³.
    line = curves.expected_gain(epochs(*(100 - k for k in range(60))))
    assert line == pytest.approx(30, rel=0.1)
    decay = epochs(*(0.95**k for k in range(60)))
    gain, left = curves.expected_gain(decay), 0.95**59
    assert gain == pytest.approx(left * (1 - 0.95**30), rel=0.35)
    assert curves.expected_gain(epochs(*([1.0] * 30), *([2.0] * 30))) == 0
    assert curves.expected_gain(epochs(3, 2, 1)) is None


def test_a_rise_is_seen_through_noise() -> None:
    rise = curves.rise_since_lowest(epochs(9, 5, 2, 1.9, 2.1, 3, 4, 5, 5.1, 5))
    assert rise is not None
    assert (rise.step, rise.lowest, rise.end) == (29, 2, 5)
    assert rise.ratio == 2.5
    assert rise.place == pytest.approx(2 / 9)
    # The losses of a healthy run: the last one alone is high.
    values = (425, 219, 141, 161, 104, 95, 94, 119, 131, 96, 68, 117)
    rise = curves.rise_since_lowest(epochs(*values))
    assert rise is not None
    assert rise.deviations < 1
    assert curves.rise_since_lowest(epochs(2, 1)) is None


def test_spikes_and_swings() -> None:
    assert curves.spikes_of(epochs(1, 1, 1, 20, 1, 1, 1)) == (39,)
    assert curves.spikes_of(epochs(1, 1)) == ()
    assert curves.swings_of((1, 2, 1, 2, 1, 2)) == 1
    assert curves.swings_of((6, 5, 4, 3, 2, 1)) == 0
    assert curves.swings_of((1, 2)) is None
    assert curves.swings_of(noisy(0, 1).values) == pytest.approx(2 / 3, abs=0.05)


@pytest.mark.parametrize("period", [2, 6, 10])
def test_recurrence_of_a_swing_is_near_minus_one_half_a_period_apart(period: int) -> None:
    values = [3.0 + 0.01 * i + math.cos(2 * math.pi * i / period) for i in range(120)]
    series = nw.Series(tuple(range(0, 240, 2)), tuple(values))
    found = curves.recurrence_of(series)
    assert found is not None
    assert found.lowest == pytest.approx(-1, abs=0.06)
    assert (found.period // 2) % (2 * period) == period  # an odd multiple of half a period
    assert found.deviation == pytest.approx(
        np.std(np.cos(np.arange(120) / period * 2 * np.pi)), rel=0.05
    )


def test_recurrence_of_noise_is_that_of_numpy() -> None:
    values = np.random.default_rng(0).normal(size=200)
    found = curves.recurrence_of(nw.Series(tuple(range(200)), tuple(values.tolist())))
    assert found is not None
    steps = np.arange(200)
    rest = values - np.polyval(np.polyfit(steps, values, 1), steps)
    lags = [(rest[:-k] * rest[k:]).mean() / (rest**2).mean() for k in range(1, 51)]
    assert found.lowest == pytest.approx(min(lags))
    assert found.period == 2 * (1 + int(np.argmin(lags)))


def test_recurrence_needs_equal_distances_and_enough_values() -> None:
    values = tuple(math.sin(i) for i in range(40))
    assert curves.recurrence_of(nw.Series(tuple(i * i for i in range(40)), values)) is None
    assert curves.recurrence_of(nw.Series(tuple(range(10)), values[:10])) is None
    assert curves.recurrence_of(nw.Series(tuple(range(40)), (1.0,) * 40)) is None
