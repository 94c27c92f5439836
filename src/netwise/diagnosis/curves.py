"""What a curve of noisy values shows: level, noise, slope, expected gain, rise, spikes, swings.

All functions take a `Series` whose steps may lie at any distance from each other, and skip values
that are not finite. Where there are too few values they return None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import mul
from statistics import fmean, median

from netwise.history import Series

# Standard deviation of normal values over their median absolute deviation.
NORMAL = 1.4826
FEWEST_POINTS = 6  # for a slope with its error


@dataclass(frozen=True)
class Slope:
    """A straight line through a part of a curve.

    Args:
        per_step: change of the value with each step.
        error: standard error of `per_step`.
        change: change of the value over the whole part.
    """

    per_step: float
    error: float
    change: float

    @property
    def falls(self) -> float:
        """How many standard errors the slope lies below 0; negative where the curve rises."""
        if self.error == 0:
            return math.copysign(math.inf, -self.per_step) if self.per_step else 0.0
        return -self.per_step / self.error


@dataclass(frozen=True)
class Rise:
    """How far a curve has risen since its lowest smoothed value.

    Args:
        step: of the lowest smoothed value.
        place: where it is in the run: 0 at the first value, 1 at the last.
        lowest, end: smoothed values there and at the end.
        noise: standard deviation of the values around the smoothed curve.
    """

    step: int
    place: float
    lowest: float
    end: float
    noise: float

    @property
    def ratio(self) -> float:
        """The value at the end over the lowest, 1 where the lowest is not above 0."""
        return self.end / self.lowest if self.lowest > 0 else 1.0

    @property
    def deviations(self) -> float:
        """The rise in standard deviations of the noise; infinite without noise."""
        rise = self.end - self.lowest
        return rise / self.noise if self.noise > 0 else math.copysign(math.inf, rise) * bool(rise)


@dataclass(frozen=True)
class Recurrence:
    """How a curve comes back to what it was, after its straight trend is taken away.

    Args:
        lowest: the lowest autocorrelation: near 0 for independent noise, -1 for a curve that swings
            with one period, half of it apart.
        period: twice the distance in steps at which that is.
        deviation: standard deviation of the curve around its trend.
    """

    lowest: float
    period: int
    deviation: float


def finite_series(series: Series) -> Series:
    """The series without values that are not finite."""
    kept = [(s, v) for s, v in zip(series.steps, series.values, strict=True) if math.isfinite(v)]
    return Series(tuple(s for s, _ in kept), tuple(v for _, v in kept))


def part_of(series: Series, first: float, last: float = 1.0) -> Series:
    """The values between two places of the run, from 0 (its first step) to 1 (its last)."""
    if not len(series):
        return series
    start, length = series.steps[0], series.steps[-1] - series.steps[0]
    low, high = start + first * length, start + last * length
    kept = [(s, v) for s, v in zip(series.steps, series.values, strict=True) if low <= s <= high]
    return Series(tuple(s for s, _ in kept), tuple(v for _, v in kept))


def smoothed(series: Series) -> Series:
    """Medians of three or more neighbours: one unusual value does not move them.

    A window holds a tenth of the values, at least three. Curves of fewer than five values are
    returned as they are.
    """
    series = finite_series(series)
    if len(series) < 5:
        return series
    half = max(1, len(series) // 20)
    values = series.values
    medians = (median(values[max(0, i - half) : i + half + 1]) for i in range(len(values)))
    return Series(series.steps, tuple(medians))


def level_at_end(series: Series, share: float = 0.1, fewest: int = 3) -> float | None:
    """Median of the values in the last part of the run.

    Args:
        series: the curve.
        share: of the steps.
        fewest: values that are used at least, where there are as many.
    """
    series = finite_series(series)
    if not len(series):
        return None
    late = part_of(series, 1 - share).values
    return median(late if len(late) >= fewest else series.values[-fewest:])


def noise_of(series: Series) -> float | None:
    """Standard deviation of the values around their trend.

    From each value minus the mean of its two neighbours, whose standard deviation is √1.5 times
    that of independent noise. Robust: from the median of their magnitudes.
    """
    values = finite_series(series).values
    if len(values) < 4:
        return None
    apart = [
        abs(v - (before + after) / 2)
        for before, v, after in zip(values, values[1:], values[2:], strict=False)
    ]
    return NORMAL * median(apart) / math.sqrt(1.5)


def slope_of(series: Series) -> Slope | None:
    """The straight line through all values, by least squares."""
    series = finite_series(series)
    count = len(series)
    if count < FEWEST_POINTS or series.steps[-1] == series.steps[0]:
        return None
    scale = max(map(abs, series.values)) or 1.0  # squares of large values are no numbers
    values = [v / scale for v in series.values]
    middle_step, middle = fmean(series.steps), fmean(values)
    spread = sum((s - middle_step) ** 2 for s in series.steps)
    pairs = list(zip(series.steps, values, strict=True))
    per_step = sum((s - middle_step) * (v - middle) for s, v in pairs) / spread
    rest = sum((v - middle - per_step * (s - middle_step)) ** 2 for s, v in pairs)
    error = math.sqrt(rest / (count - 2) / spread) * scale
    per_step *= scale
    return Slope(per_step, error, per_step * (series.steps[-1] - series.steps[0]))


def last_slope(series: Series, share: float = 1 / 3) -> Slope | None:
    """The straight line through the last part of a curve, of at least six values."""
    series = finite_series(series)
    late = part_of(series, 1 - share)
    if len(late) < FEWEST_POINTS:
        late = Series(series.steps[-FEWEST_POINTS:], series.values[-FEWEST_POINTS:])
    return slope_of(late)


def expected_gain(series: Series) -> float | None:
    """How far the curve would fall in half as many steps again.

    The levels of the last three sixths of the run give two falls. Each further sixth is expected to
    fall less than the one before, in the ratio of these two and at most as far as the last: a curve
    that has slowed down goes on slowing down. Never negative.
    """
    series = finite_series(series)
    if len(series) < FEWEST_POINTS:
        return None
    parts = [part_of(series, k / 6, (k + 1) / 6).values for k in (3, 4, 5)]
    if min(map(len, parts)) == 0:
        return None
    first, second, third = (sum(v / len(part) for v in part) for part in parts)
    fell, falls = first - second, second - third
    if falls <= 0:
        return 0.0
    ratio = min(1.0, falls / fell) if 0 < fell < math.inf else 1.0
    return falls * (ratio + ratio**2 + ratio**3)


def rise_since_lowest(series: Series) -> Rise | None:
    """How far a curve has risen since its lowest value; None for fewer than five values."""
    series = finite_series(series)
    if len(series) < 5:
        return None
    smooth = smoothed(series)
    lowest = min(range(len(smooth)), key=lambda i: (smooth.values[i], i))
    end = level_at_end(series) or 0.0
    length = series.steps[-1] - series.steps[0]
    place = (series.steps[lowest] - series.steps[0]) / length if length else 1.0
    return Rise(series.steps[lowest], place, min(smooth.values), end, noise_of(series) or 0.0)


def spikes_of(series: Series, times: float = 8.0) -> tuple[int, ...]:
    """Steps at which the value is many times its smoothed neighbours, for positive curves."""
    series = finite_series(series)
    if len(series) < 5:
        return ()
    smooth = smoothed(series)
    return tuple(
        step
        for step, value, usual in zip(series.steps, series.values, smooth.values, strict=True)
        if usual > 0 and value > times * usual
    )


def swings_of(values: Sequence[float]) -> float | None:
    """Share of the turns among the changes of a curve: 0 for one that only falls, 1 for one that
    rises and falls in turn, about 0.67 for independent noise. None for fewer than six values."""
    changes = [after - before for before, after in pairwise(values)]
    if len(changes) < 5:
        return None
    turns = sum(1 for before, after in pairwise(changes) if before * after < 0)
    return turns / (len(changes) - 1)


def recurrence_of(series: Series) -> Recurrence | None:
    """The autocorrelation of a curve around its trend, at distances of up to a quarter of it.

    None for fewer than 20 values, and where these are not at equal distances.
    """
    series = finite_series(series)
    values, count = series.values, len(series)
    distances = {after - before for before, after in pairwise(series.steps)}
    if count < 20 or len(distances) != 1:
        return None
    line = slope_of(series)
    scale = max(map(abs, values))
    if line is None or scale == 0:
        return None
    middle, step = fmean(values), sum(series.steps) / count
    rest = [
        (v - middle - line.per_step * (s - step)) / scale
        for s, v in zip(series.steps, values, strict=True)
    ]
    variance = sum(r * r for r in rest) / count
    if variance <= 1e-24:  # rounding
        return None
    found = [
        (sum(map(mul, rest, rest[lag:])) / (count - lag) / variance, lag)
        for lag in range(1, count // 4 + 1)
    ]
    lowest, lag = min(found)
    return Recurrence(lowest, 2 * lag * distances.pop(), math.sqrt(variance) * scale)
