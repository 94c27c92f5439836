"""Small samples of weights, of their changes and of gradients: how far training has moved each
layer since its start, and whether it keeps its direction.

At most `MOST_SAMPLED` numbers of each weight matrix are read, always at the same places, so a
watched step costs microseconds and no second copy of a model is kept.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from netwise import signals

Numbers = npt.NDArray[Any]
MOST_SAMPLED = 1024  # of one matrix
MOST_TOGETHER = 2**18  # of one model: very many matrices have smaller samples
FEWEST_SAMPLED = 16
SMALL = 0.01  # of the root mean square of the weights: below it a weight is as good as 0


@dataclass(frozen=True, eq=False)
class Sample:
    """Numbers of some matrices, one after the other.

    Args:
        layers: the layer of each matrix.
        sizes: how many numbers each has.
        numbers: all of them.
    """

    layers: tuple[str, ...]
    sizes: tuple[int, ...]
    numbers: Numbers

    def fits(self, other: Sample | None) -> bool:
        """Whether the other one is of the same matrices."""
        return other is not None and (self.layers, self.sizes) == (other.layers, other.sizes)

    def parts(self) -> list[Numbers]:
        """The numbers of each matrix."""
        return np.split(self.numbers, np.cumsum(self.sizes[:-1]))


def sample_of(matrices: Iterable[tuple[str, Tensor]]) -> Sample | None:
    """A sample of dense real matrices; None without any.

    Args:
        matrices: each with the name of its layer.

    Example:
        >>> sample = sample_of([("a", torch.zeros(3, 2)), ("b", torch.ones(4000, 1))])
        >>> sample.layers, sample.sizes
        (('a', 'b'), (6, 1000))
    """
    kept = [
        (layer, values)
        for layer, values in matrices
        if values.layout is torch.strided and not values.is_complex() and values.numel()
    ]
    if not kept:
        return None
    most = max(FEWEST_SAMPLED, min(MOST_SAMPLED, MOST_TOGETHER // len(kept)))
    parts = [_some(values, most) for _, values in kept]
    return Sample(
        tuple(layer for layer, _ in kept),
        tuple(map(len, parts)),
        np.concatenate(parts).astype(np.float64),  # squares of tiny gradients are 0 in 32 bits
    )


def _some(values: Tensor, most: int) -> Numbers:
    """At most `most` numbers at places that depend on the shape alone."""
    if values.numel() > most:
        values = values[places_in(tuple(values.shape), most)]
    if not values.is_cpu:
        values = values.cpu()
    if values.dtype is not torch.float32:
        values = values.to(torch.float64)
    return values.numpy().ravel()


@lru_cache(maxsize=1024)
def places_in(shape: tuple[int, ...], most: int) -> tuple[slice, ...]:
    """Slices of an array that leave at most `most` numbers: the longest axis is halved first.

    >>> places_in((100, 10), 100)
    (slice(None, None, 16), slice(None, None, 1))
    """
    counts, steps = list(shape), [1] * len(shape)
    while math.prod(counts) > most:
        axis = counts.index(max(counts))
        counts[axis], steps[axis] = -(-counts[axis] // 2), 2 * steps[axis]
    return tuple(slice(None, None, step) for step in steps)


class WeightSamples:
    """Samples of a module's weights at the start, and of the last watched step.

    An observer calls `gradients` after a backward pass, `write` after a step of the optimizer.
    """

    def __init__(self) -> None:
        self._start: Sample | None = None
        self._update: Sample | None = None
        self._gradient: Sample | None = None  # of the last watched step
        self._new_gradient: Sample | None = None
        self._agreement: dict[str, float] = {}  # of the signs of the new gradient, by layer

    def gradients(self, matrices: Iterable[tuple[str, Tensor]]) -> None:
        """Keep a sample of the gradients of the watched step."""
        kept = list(matrices)
        self._new_gradient = sample_of(kept)
        self._agreement = sign_agreements(kept)

    def write(
        self,
        row: dict[str, float],
        weights: Iterable[tuple[str, Tensor]],
        changes: Iterable[tuple[str, Tensor]],
        layers: Container[str],
        loss_scale: float = 1.0,
    ) -> None:
        """Write the signals of a step into a row.

        Args:
            row: of the step.
            weights: the matrices after the step, each with its layer.
            changes: the same matrices before the step, minus those after it.
            layers: whose signals are written.
            loss_scale: by which the loss, and so the gradients, were multiplied.
        """
        now, update, gradient = sample_of(weights), sample_of(changes), self._new_gradient
        pairs: list[tuple[str, Sample, Sample]] = []
        if now is not None and update is not None:
            if self._start is None or not now.fits(self._start):
                with np.errstate(all="ignore"):  # numbers of a run that diverges
                    before = now.numbers + update.numbers if now.fits(update) else now.numbers
                self._start = _carried(Sample(now.layers, now.sizes, before), self._start)
            pairs.append((signals.WEIGHT_DISTANCE, now, self._start))
        if update is not None and self._update is not None and update.fits(self._update):
            pairs.append((signals.UPDATE_COSINE, update, self._update))
        if update is not None and gradient is not None and update.fits(gradient):
            pairs.append((signals.STEP_DESCENT, update, gradient))
        if gradient is not None and self._gradient is not None and gradient.fits(self._gradient):
            pairs.append((signals.GRADIENT_COSINE, gradient, self._gradient))
        for signal, a, b in pairs:
            measure = distance if signal == signals.WEIGHT_DISTANCE else cosine
            for layer, sums in products(a, b).items():
                value = measure(*sums)
                if math.isfinite(value) and layer in layers:
                    row[f"{signal}|{layer}"] = value
        found: dict[str, dict[str, float]] = {signals.GRADIENT_SIGN: self._agreement}
        if now is not None:
            found[signals.WEIGHT_SMALL] = small_shares(now)
        if update is not None and gradient is not None and update.fits(gradient):
            found |= effective_rates(update, gradient, loss_scale)
        for signal, values in found.items():
            for layer, value in values.items():
                if layer in layers:
                    row[f"{signal}|{layer}"] = value
        if update is not None:
            self._update = update
        if gradient is not None:
            self._gradient = gradient
        self._new_gradient = None

    def forget(self) -> None:
        """Drop what was kept of a step that has not ended."""
        self._new_gradient, self._agreement = None, {}

    @property
    def kept(self) -> tuple[Sample | None, Sample | None, Sample | None]:
        """What is known between two watched steps: the start, and the last update and gradient."""
        return self._start, self._update, self._gradient

    @kept.setter
    def kept(self, samples: tuple[Sample | None, Sample | None, Sample | None]) -> None:
        self._start, self._update, self._gradient = samples
        self.forget()


def by_layer(sample: Sample) -> dict[str, Numbers]:
    """The numbers of each layer."""
    found: dict[str, Numbers] = {}
    for layer, part in zip(sample.layers, sample.parts(), strict=True):
        found[layer] = np.concatenate((found[layer], part)) if layer in found else part
    return found


def small_shares(weights: Sample) -> dict[str, float]:
    """For each layer the share of weights below `SMALL` times their root mean square."""
    shares = {}
    for layer, w in by_layer(weights).items():
        with np.errstate(all="ignore"):  # numbers of a run that diverges
            limit = SMALL * math.sqrt(float(np.mean(w * w)))
        if math.isfinite(limit) and limit > 0:
            shares[layer] = float(np.count_nonzero(np.abs(w) < limit)) / len(w)
    return shares


def effective_rates(
    update: Sample, gradient: Sample, loss_scale: float = 1.0
) -> dict[str, dict[str, float]]:
    """Median, lowest and highest tenth of |change| / |gradient| of the weights of each layer, by
    their signals."""
    names = (signals.EFFECTIVE_RATE_LOW, signals.EFFECTIVE_RATE, signals.EFFECTIVE_RATE_HIGH)
    found: dict[str, dict[str, float]] = {name: {} for name in names}
    changes, gradients = by_layer(update), by_layer(gradient)
    for layer, change in changes.items():
        g = np.abs(gradients[layer])
        with np.errstate(all="ignore"):
            rates = np.abs(change[g > 0]) / g[g > 0] * loss_scale
        rates = rates[np.isfinite(rates)]
        if not len(rates):
            continue
        places = [round(share * (len(rates) - 1)) for share in (0.1, 0.5, 0.9)]
        ordered = np.partition(rates, places)
        for name, place in zip(names, places, strict=True):
            found[name][layer] = float(ordered[place])
    return found


def sign_agreements(matrices: Iterable[tuple[str, Tensor]]) -> dict[str, float]:
    """For the first matrix of each layer, whose rows are its units: |positive - negative| over the
    number of gradients that are not 0, mean over the units."""
    found: dict[str, float] = {}
    for layer, values in matrices:
        usable = values.layout is torch.strided and not values.is_complex() and values.numel()
        if layer in found or not usable or values.dim() < 2:
            continue
        places = places_in(tuple(values.shape), MOST_SAMPLED)
        signs = np.sign(_some(values[places], MOST_SAMPLED))
        signs = signs.reshape(-(-values.shape[0] // (places[0].step or 1)), -1)
        counts = np.count_nonzero(signs, axis=1)
        if (counts > 1).any() and np.isfinite(signs).all():
            live = counts > 1
            found[layer] = float(np.mean(np.abs(signs[live].sum(1)) / counts[live]))
    return found


def _carried(new: Sample, old: Sample | None) -> Sample:
    """The start of matrices that were not all there before: of those that were, the old one."""
    if old is None:
        return new
    known = dict(zip(zip(old.layers, old.sizes, strict=True), old.parts(), strict=True))
    keys = zip(new.layers, new.sizes, strict=True)
    parts = [known.get(key, part) for key, part in zip(keys, new.parts(), strict=True)]
    return Sample(new.layers, new.sizes, np.concatenate(parts))


def products(a: Sample, b: Sample) -> dict[str, tuple[float, float, float]]:
    """For each layer of two samples of the same matrices: a·a, a·b, b·b."""
    begins = np.cumsum((0, *a.sizes[:-1]))
    with np.errstate(all="ignore"):  # numbers of a run that diverges are not finite
        rows = np.stack([a.numbers * a.numbers, a.numbers * b.numbers, b.numbers * b.numbers])
        totals = np.add.reduceat(rows, begins, axis=1).T.tolist()
    found: dict[str, tuple[float, float, float]] = {}
    for layer, sums in zip(a.layers, totals, strict=True):
        before = found.get(layer, (0.0, 0.0, 0.0))
        found[layer] = (before[0] + sums[0], before[1] + sums[1], before[2] + sums[2])
    return found


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
