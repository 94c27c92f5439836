"""Sizes of a run's weights and steps, layer by layer: what several rules compare."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean

from netwise.diagnosis.rules.outcome import finite_median, series_by_layer
from netwise.history import History, Series
from netwise.signals import RATE, UPDATE_COSINE, UPDATE_RATIO, WEIGHT_DISTANCE, WEIGHT_NORM

TABLES = ("Embedding", "EmbeddingBag")
# Layers with factors and frequencies beside their matrix, which are in the norm too.
OF_SEVERAL = ("MemberLinear", "PeriodicEmbedding")
USUAL_GAIN = 0.1  # below it a layer starts so small that any first step is long
FEWEST_STAIRS = 5  # values of a rate, below which a rise is one of a few jumps


def gains(history: History) -> dict[str, float]:
    """rms(w) * sqrt(fan_in) of each trained layer before the first step, by which it multiplies the
    size of its inputs: 0.58 as torch initializes layers, 1 by Xavier, 1.4 by He.

    Left out: tables of embeddings, whose rows are no sums over inputs, layers whose norm is of more
    than one matrix, and layers that start at 0.
    """
    found = {}
    for layer in history.layers:
        series = history.of(WEIGHT_NORM, layer.name)
        if (
            series is None
            or not series.values
            or series.steps[0] > 0
            or layer.kind in (*TABLES, *OF_SEVERAL)
        ):
            continue
        gain = series.values[0] / math.sqrt(max(layer.fan_out, 1))
        if math.isfinite(gain) and gain > 0:
            found[layer.name] = gain
    return found


def norm_changes(history: History) -> dict[str, float]:
    """The norm of each layer's weights at the last watched step over that at the first; those that
    start at 0 are left out."""
    found = {}
    for name, series in series_by_layer(history, WEIGHT_NORM).items():
        finite = series.finite
        if len(finite) > 1 and finite[0] > 0:
            found[name] = finite[-1] / finite[0]
    return found


def updates_of(history: History) -> dict[str, Series]:
    """|step| / |w| of each layer."""
    return series_by_layer(history, UPDATE_RATIO)


def usual_updates(history: History) -> dict[str, float]:
    """The median of |step| / |w| of each layer, over the steps that changed it."""
    return {
        name: finite_median(ratio for ratio in series.values if ratio > 0) or 0.0
        for name, series in series_by_layer(history, UPDATE_RATIO).items()
    }


def farthest(history: History) -> float | None:
    """How far the layer that moved most is from its start at the end, over the larger norm of both;
    None where it was not recorded."""
    ends = [series.finite[-1] for series in _finite(history, WEIGHT_DISTANCE).values()]
    return max(ends, default=None)


def largest_update(history: History, early: int) -> tuple[str, float]:
    """The layer and the size of the longest step among the first watched ones, over the norm of its
    weights. Layers that start near 0 are left out, as any first step of theirs is long."""
    start, best = gains(history), ("", 0.0)
    for name, series in _finite(history, UPDATE_RATIO).items():
        if series.steps[0] == 0 and start.get(name, 0.0) < USUAL_GAIN:
            continue
        size = max(v for v in series.values[:early] if math.isfinite(v))
        if size > best[1]:
            best = (name, size)
    return best


def reversal(history: History) -> tuple[str, float]:
    """The layer whose steps reverse the one before most, and how much, over the last half of the
    run: 1 where each step undoes the last, near 0 for independent steps.

    The cosine of two steps at an even distance is then 1, and at an odd distance -1.
    """
    best = ("", 0.0)
    for name, series in series_by_layer(history, UPDATE_COSINE).items():
        signed = [
            (after - before, cosine * (-1) ** (after - before))
            for before, after, cosine in zip(
                series.steps, series.steps[1:], series.values[1:], strict=False
            )
            if math.isfinite(cosine)
        ]
        late = signed[len(signed) // 2 :]
        # At even distances alone, steps to and fro look like steps straight on.
        if sum(gap % 2 for gap, _ in late) < max(2, len(late) // 4) or len(late) < 5:
            continue
        turned = fmean(cosine for _, cosine in late)
        if turned > best[1]:
            best = (name, turned)
    return best


def still_rises(history: History) -> bool:
    """Whether the learning rate never fell and is several times its first value at the end: a
    warm-up that has not ended."""
    rates = history.of(RATE)
    if rates is None or len(rates.finite) < 5 or len(rates.finite) < len(rates):
        return False
    values = rates.values
    if values[-1] < max(values) or values[-1] <= 3 * values[0]:
        return False
    pairs = list(pairwise(values))
    return sum(b > a for a, b in pairs) > 0.9 * len(pairs) or climbs_stairs(rates)


def climbs_stairs(rates: Series) -> bool:
    """Whether a rate that never falls rises after equal numbers of steps, as by a schedule that is
    called once an epoch: it has not stayed at its last value for much longer than at others."""
    starts = [rates.steps[0]]
    for (_, before), (step, after) in pairwise(zip(rates.steps, rates.values, strict=True)):
        if after < before:
            return False
        if after > before:
            starts.append(step)
    if len(starts) < FEWEST_STAIRS:
        return False
    longest = max(b - a for a, b in pairwise(starts))
    return rates.steps[-1] - starts[-1] <= 1.5 * longest


def _finite(history: History, signal: str) -> dict[str, Series]:
    """The series of layers that begin with a finite value."""
    found = series_by_layer(history, signal)
    return {n: s for n, s in found.items() if s.finite and math.isfinite(s.values[0])}
