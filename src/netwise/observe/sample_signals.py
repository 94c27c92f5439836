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
    above, below = ((each.sum(2, dtype=np.int32)) for each in (gradient > 0, gradient < 0))
    counts = above + below
    live = counts > 1
    shares = np.where(live, np.abs(above - below) / np.maximum(counts, 1), 0.0)
    numbers = live.sum(1)
    found = shares.sum(1) / np.maximum(numbers, 1)
    found[(numbers == 0) | np.isnan(gradient).any((1, 2))] = math.nan
    agreements: list[float] = found.tolist()
    return agreements


def sums_of_products(
    layers: Sequence[str], sizes: Sequence[int], a: Numbers, b: Numbers
) -> dict[str, Numbers]:
    """For each layer of two samples of the same matrices the sum of a·b in each step."""
    begins = np.cumsum((0, *sizes[:-1]))
    with np.errstate(all="ignore"):  # numbers of a run that diverges are not finite
        sums = np.add.reduceat(a * b, begins, axis=1)  # (steps, matrices)
    found: dict[str, Numbers] = {}
    for number, layer in enumerate(layers):
        part = sums[:, number]
        found[layer] = found[layer] + part if layer in found else part
    return found


def cosines(aa: Numbers, ab: Numbers, bb: Numbers) -> Numbers:
    """Of the angles between a and b; not a number where one of them is 0.

    >>> cosines(*np.array([[4.0, 0.0], [-2.0, 0.0], [4.0, 1.0]])).tolist()
    [-0.5, nan]
    """
    with np.errstate(all="ignore"):
        whole = np.sqrt(aa) * np.sqrt(bb)
        found: Numbers = np.where(whole > 0, ab / whole, math.nan)
    return found


def distances(aa: Numbers, ab: Numbers, bb: Numbers) -> Numbers:
    """|a - b| over the larger of |a| and |b|; 0 where both are 0.

    >>> distances(*np.array([[4.0, 1.0, 0.0], [4.0, 0.0, 0.0], [4.0, 0.0, 0.0]])).tolist()
    [0.0, 1.0, 0.0]
    """
    with np.errstate(all="ignore"):
        largest = np.maximum(aa, bb)
        found: Numbers = np.sqrt(np.maximum(aa - 2 * ab + bb, 0.0) / largest)
        found[largest == 0] = 0.0
    return found
