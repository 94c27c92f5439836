"""Signals of samples of weights, their changes and gradients: of many steps in one go.

Rows of an array are steps, its columns the numbers of a sample. What a row gives does not depend on
the others, so that steps may be computed one by one or together, to the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from netwise import signals

Numbers = npt.NDArray[np.float64]
SMALL = 0.01  # of the root mean square of the weights: below it a weight is as good as 0
Found = dict[str, list[float]]  # a value for each step, by layer; nan where there is none


def columns_of(layers: Sequence[str], sizes: Sequence[int], numbers: Numbers) -> dict[str, Numbers]:
    """The columns of each layer; a layer may have several matrices.

    >>> {k: v.tolist() for k, v in columns_of(("a", "b", "a"), (1, 1, 1), np.eye(3)[:1]).items()}
    {'a': [[1.0, 0.0]], 'b': [[0.0]]}
    """
    found: dict[str, Numbers] = {}
    ends = np.cumsum(sizes)
    for layer, size, end in zip(layers, sizes, ends, strict=True):
        part = numbers[:, end - size : end]
        found[layer] = np.hstack((found[layer], part)) if layer in found else part
    return found


def small_shares(weights: dict[str, Numbers]) -> Iterator[tuple[str, str, list[float]]]:
    """For each layer the share of weights below `SMALL` times their root mean square."""
    for layer, w in weights.items():
        with np.errstate(all="ignore"):  # numbers of a run that diverges
            limit = SMALL * np.sqrt(np.mean(w * w, axis=1))
            shares = np.count_nonzero(np.abs(w) < limit[:, None], axis=1) / w.shape[1]
        shares[~(np.isfinite(limit) & (limit > 0))] = math.nan
        yield signals.WEIGHT_SMALL, layer, shares.tolist()


def effective_rates(
    update: dict[str, Numbers], gradient: dict[str, Numbers], loss_scales: Numbers
) -> Iterator[tuple[str, str, list[float]]]:
    """Lowest tenth, median and highest tenth of |change| / |gradient| of the weights of each layer,
    by their signals."""
    names = (signals.EFFECTIVE_RATE_LOW, signals.EFFECTIVE_RATE, signals.EFFECTIVE_RATE_HIGH)
    for layer, change in update.items():
        g = np.abs(gradient[layer])
        with np.errstate(all="ignore"):
            rates = np.abs(change) / g * loss_scales[:, None]
        rates[~((g > 0) & np.isfinite(rates))] = np.inf
        with np.errstate(over="ignore"):
            rates = rates.astype(np.float32)  # which are sorted in half the time
        counts = np.count_nonzero(np.isfinite(rates), axis=1).tolist()
        rates.sort(axis=1)
        for name, share in zip(names, (0.1, 0.5, 0.9), strict=True):
            places = [round(share * (count - 1)) if count else -1 for count in counts]
            values = rates[np.arange(len(rates)), places]
            yield name, layer, np.where(np.isfinite(values), values, math.nan).tolist()


def sign_agreements(gradient: Numbers) -> list[float]:
    """|positive - negative| over the number of gradients that are not 0, mean over the units.

    Args:
        gradient: (steps, units, numbers of a unit).
    """
    signs = np.sign(gradient)
    counts, sums = np.count_nonzero(signs, axis=2), np.abs(signs.sum(2))
    finite = np.isfinite(sums).all(1).tolist()
    found = []
    for count, total, is_finite in zip(counts, sums, finite, strict=True):
        live = count > 1
        known = is_finite and live.any()
        found.append(float(np.mean(total[live] / count[live])) if known else math.nan)
    return found


def products(
    layers: Sequence[str], sizes: Sequence[int], a: Numbers, b: Numbers
) -> dict[str, list[list[float]]]:
    """For each layer of two samples of the same matrices, and each step: a·a, a·b, b·b."""
    begins = np.cumsum((0, *sizes[:-1]))
    with np.errstate(all="ignore"):  # numbers of a run that diverges are not finite
        totals = [np.add.reduceat(rows, begins, axis=1) for rows in (a * a, a * b, b * b)]
    sums = np.stack(totals, 2)  # (steps, matrices, 3)
    found: dict[str, Numbers] = {}
    for number, layer in enumerate(layers):
        part = sums[:, number]
        found[layer] = found[layer] + part if layer in found else part
    return {layer: part.tolist() for layer, part in found.items()}


def cosine(aa: float, ab: float, bb: float) -> float:
    """Of the angle between a and b; not a number where one of them is 0.

    >>> cosine(4.0, -2.0, 4.0)
    -0.5
    """
    whole = math.sqrt(aa) * math.sqrt(bb) if aa >= 0 and bb >= 0 else math.nan
    return ab / whole if whole > 0 else math.nan


def distance(aa: float, ab: float, bb: float) -> float:
    """|a - b| over the larger of |a| and |b|; 0 where both are 0.

    >>> distance(4.0, 4.0, 4.0), distance(1.0, 0.0, 0.0)
    (0.0, 1.0)
    """
    largest = max(aa, bb)
    return math.sqrt(max(aa - 2 * ab + bb, 0.0) / largest) if largest > 0 else 0.0
