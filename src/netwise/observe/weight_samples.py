"""Small samples of weights, of their changes and of gradients: how far training has moved each
layer since its start, and whether it keeps its direction.

At most `MOST_SAMPLED` numbers of each weight matrix are read, always at the same places, so a
watched step costs microseconds and no second copy of a model is kept. The samples of a step stay on
their device until many steps are computed together (`netwise.observe.sample_signals`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from netwise import signals
from netwise.observe.kept_steps import MOST_WAITING, MOST_WAITING_NUMBERS
from netwise.observe.sample_signals import (
    Numbers,
    columns_of,
    cosines,
    distances,
    effective_rates,
    sign_agreements,
    small_shares,
    sums_of_products,
)

MOST_SAMPLED = 1024  # of one matrix
MOST_TOGETHER = 2**18  # of one model: very many matrices have smaller samples
FEWEST_SAMPLED = 16


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

    def parts(self) -> list[Numbers]:
        """The numbers of each matrix."""
        return np.split(self.numbers, np.cumsum(self.sizes[:-1]))


@dataclass(frozen=True, eq=False)
class RawSample:
    """The same as it was read, on its device.

    Args:
        layers, sizes: as in `Sample`.
        units: of each matrix, the rows that were read; 0 where it has one axis.
        values: all numbers.
    """

    layers: tuple[str, ...]
    sizes: tuple[int, ...]
    units: tuple[int, ...]
    values: Tensor

    @property
    def kind(self) -> Kind:
        """Equal for samples of the same matrices."""
        return self.layers, self.sizes, self.units


def raw_sample(matrices: Iterable[tuple[str, Tensor]], most: int = 0) -> RawSample | None:
    """A sample of dense real matrices; None without any.

    Args:
        matrices: each with the name of its layer.
        most: numbers of a matrix. Default: `MOST_SAMPLED`, and fewer of very many.
    """
    kept = [
        (layer, values)
        for layer, values in matrices
        if values.layout is torch.strided and not values.is_complex() and values.numel()
    ]
    if not kept:
        return None
    most = most or max(FEWEST_SAMPLED, min(MOST_SAMPLED, MOST_TOGETHER // len(kept)))
    parts, units = [], []
    for _, values in kept:
        shape, step = values.shape, 1
        if values.numel() > most:
            places = places_in(shape, most)
            values, step = values[places], places[0].step
        parts.append(values.reshape(-1))
        units.append(-(-shape[0] // step) if len(shape) > 1 else 0)
    if len({part.device for part in parts}) > 1:
        parts = [part.cpu() for part in parts]
    return RawSample(
        tuple([layer for layer, _ in kept]),
        tuple([part.shape[0] for part in parts]),
        tuple(units),
        torch.cat(parts),
    )


def sample_of(matrices: Iterable[tuple[str, Tensor]]) -> Sample | None:
    """The same as numbers in memory.

    Example:
        >>> sample = sample_of([("a", torch.zeros(3, 2)), ("b", torch.ones(4000, 1))])
        >>> sample.layers, sample.sizes
        (('a', 'b'), (6, 1000))
    """
    raw = raw_sample(matrices)
    return None if raw is None else _in_memory([raw])[0]


def _in_memory(samples: list[RawSample]) -> list[Sample]:
    """The numbers of samples, in one transfer per device."""
    on_cpu: dict[int, Tensor] = {}
    devices: dict[torch.device, list[RawSample]] = {}
    for each in samples:
        devices.setdefault(each.values.device, []).append(each)
    for device, members in devices.items():
        parts = [each.values for each in members]
        if device.type != "cpu":
            parts = list(torch.cat(parts).cpu().split([len(part) for part in parts]))
        on_cpu.update((id(each), part) for each, part in zip(members, parts, strict=True))
    # Squares of tiny gradients are 0 in 32 bits.
    return [
        Sample(each.layers, each.sizes, on_cpu[id(each)].to(torch.float64).numpy())
        for each in samples
    ]


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


@dataclass(frozen=True, eq=False)
class _Step:
    """A watched step whose signals are not computed yet.

    Args:
        row: they are written into.
        layers: whose signals are written.
        loss_scale: by which the loss, and so the gradients, were multiplied.
        samples: weights after the step, those before it minus these, gradients, and gradients where
            these have too few of each matrix.
    """

    row: dict[str, float]
    layers: frozenset[str]
    loss_scale: float
    samples: tuple[RawSample | None, ...]


# Layers, sizes and units of samples.
Kind = tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]]
# The start, the last update and the last gradient, and steps whose rows wait.
WeightSnapshot = tuple[Sample | None, Sample | None, Sample | None, tuple[_Step, ...]]


class WeightSamples:
    """Samples of a module's weights at the start, and of the last watched step.

    An observer calls `gradients` after a backward pass, `write` after a step of the optimizer; or
    `write_steps` with the samples of many steps.

    Args:
        later: rows are completed by `complete`, many together. Default: each by `write`.
    """

    def __init__(self, later: bool = False) -> None:
        self._later = later
        self._start: Sample | None = None
        self._update: Sample | None = None
        self._gradient: Sample | None = None  # of the last watched step
        self._new_gradient: RawSample | None = None
        self._signs: RawSample | None = None
        self._waiting: list[_Step] = []

    def gradients(self, matrices: Iterable[tuple[str, Tensor]]) -> None:
        """Keep a sample of the gradients of the watched step."""
        self._new_gradient, self._signs = gradient_samples(matrices)

    def write(
        self,
        row: dict[str, float],
        weights: Iterable[tuple[str, Tensor]],
        changes: Iterable[tuple[str, Tensor]],
        layers: Collection[str],
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
        now, update = raw_sample(weights), raw_sample(changes)
        samples = (now, update, self._new_gradient, self._signs)
        self._waiting.append(_Step(row, frozenset(layers), loss_scale, samples))
        self.forget()
        numbers = 0 if now is None else len(now.values) * len(self._waiting)
        if not self._later or len(self._waiting) >= MOST_WAITING or numbers > MOST_WAITING_NUMBERS:
            self.complete()

    def complete(self) -> None:
        """Write the signals of all steps that wait."""
        steps, self._waiting = self._waiting, []
        raw = {id(each): each for step in steps for each in step.samples if each is not None}
        known = dict(zip(raw, _in_memory(list(raw.values())), strict=True))

        def kinds(step: _Step) -> tuple[Kind | None, ...]:
            return tuple(None if each is None else each.kind for each in step.samples)

        for (layers, given), group in groupby(steps, key=lambda each: (each.layers, kinds(each))):
            members = list(group)
            by_sample = zip(*(step.samples for step in members), strict=True)
            arrays = [
                np.stack([known[id(each)].numbers for each in those])
                for those in by_sample
                if those[0] is not None
            ]
            scales = np.array([step.loss_scale for step in members])
            self.write_steps([step.row for step in members], arrays, layers, given, scales)

    def write_steps(
        self,
        rows: Sequence[dict[str, float]],
        samples: Sequence[Numbers],
        layers: Container[str],
        kinds: Sequence[Kind | None],
        loss_scales: Numbers | None = None,
    ) -> None:
        """Write the signals of steps one after the other, with samples of the same matrices.

        Args:
            rows: of the steps.
            samples: (steps, numbers) of each sample that there is: of weights, updates, gradients
                and gradients for signs.
            layers: whose signals are written.
            kinds: of each of the four samples; None for one that there is not.
            loss_scales: by which the losses were multiplied. Default: 1.
        """
        found = iter(samples)
        now, update, gradient, signs = (
            None if kind is None else _Samples(kind, next(found)) for kind in kinds
        )
        loss_scales = np.ones(len(rows)) if loss_scales is None else loss_scales
        columns = _Columns(rows, layers)
        if now is not None:
            self._begin(now, update)
            assert self._start is not None
            start = self._start.numbers[None]
            squares, mixed, first = (
                now.times(now.numbers),
                now.times(start),
                now.products(start, start),
            )
            for layer, aa in squares.items():
                columns.put(
                    signals.WEIGHT_DISTANCE, layer, distances(aa, mixed[layer], first[layer])
                )
            for signal, layer, values in small_shares(columns_of(*now.kind[:2], now.numbers)):
                columns.put(signal, layer, values)
        of_gradient = {} if gradient is None else gradient.times(gradient.numbers)
        if update is not None:
            of_update = update.times(update.numbers)
            columns.cosines(
                signals.UPDATE_COSINE, of_update, *update.with_those_before(of_update, self._update)
            )
            if gradient is not None and update.kind[:2] == gradient.kind[:2]:
                both = update.times(gradient.numbers)
                columns.cosines(signals.STEP_DESCENT, of_update, both, of_gradient)
                changes, slopes = (
                    columns_of(*each.kind[:2], each.numbers) for each in (update, gradient)
                )
                for signal, layer, values in effective_rates(changes, slopes, loss_scales):
                    columns.put(signal, layer, values)
            self._update = update.last()
        if gradient is not None:
            columns.cosines(
                signals.GRADIENT_COSINE,
                of_gradient,
                *gradient.with_those_before(of_gradient, self._gradient),
            )
            self._gradient = gradient.last()
        if signs is not None:
            for layer, values in _agreements(signs).items():
                columns.put(signals.GRADIENT_SIGN, layer, values)

    def _begin(self, now: _Samples, update: _Samples | None) -> None:
        """Note the weights before the first of these steps, where other matrices trained so far."""
        if self._start is not None and now.fits(self._start):
            return
        before = now.numbers[0]
        if update is not None and update.kind[:2] == now.kind[:2]:
            with np.errstate(all="ignore"):  # numbers of a run that diverges
                before = before + update.numbers[0]
        self._start = _carried(Sample(*now.kind[:2], before), self._start)

    def forget(self) -> None:
        """Drop what was kept of a step that has not ended."""
        self._new_gradient = self._signs = None

    def snapshot(self) -> WeightSnapshot:
        """For `restore`: what is known between two watched steps, and steps whose rows wait."""
        return self._start, self._update, self._gradient, tuple(self._waiting)

    def restore(self, snapshot: WeightSnapshot) -> None:
        """Go back to a snapshot. Steps that have waited since then get no signals any more."""
        self._start, self._update, self._gradient, waiting = snapshot
        self._waiting = list(waiting)
        self.forget()

    @property
    def kept(self) -> tuple[Sample | None, Sample | None, Sample | None]:
        """What is known between two watched steps: the start, and the last update and gradient."""
        self.complete()
        return self._start, self._update, self._gradient

    @kept.setter
    def kept(self, samples: tuple[Sample | None, Sample | None, Sample | None]) -> None:
        self._start, self._update, self._gradient = samples
        self._waiting = []
        self.forget()


@dataclass(frozen=True, eq=False)
class _Samples:
    """Samples of the same matrices in several steps.

    Args:
        kind: of the matrices.
        numbers: (steps, numbers).
    """

    kind: Kind
    numbers: Numbers

    def fits(self, other: Sample | None) -> bool:
        """Whether the other one is of the same matrices."""
        return other is not None and self.kind[:2] == (other.layers, other.sizes)

    def products(self, a: Numbers, b: Numbers) -> dict[str, Numbers]:
        """The sums of a·b of each layer."""
        return sums_of_products(*self.kind[:2], a, b)

    def times(self, others: Numbers) -> dict[str, Numbers]:
        """The sums of the products with others of the same matrices."""
        return self.products(self.numbers, others)

    def with_those_before(
        self, squares: dict[str, Numbers], before: Sample | None
    ) -> tuple[dict[str, Numbers], dict[str, Numbers]]:
        """The sums of the products with the sample of the step before, and the squares of that one;
        not numbers where it does not fit.

        Args:
            squares: of these steps.
            before: the sample before the first of them.
        """
        first = np.full_like(self.numbers[:1], math.nan)
        if before is not None and self.fits(before):
            first = before.numbers[None]
        mixed = self.times(np.concatenate((first, self.numbers[:-1])))
        old = self.products(first, first)
        return mixed, {
            layer: np.concatenate((old[layer], each[:-1])) for layer, each in squares.items()
        }

    def last(self) -> Sample:
        return Sample(*self.kind[:2], self.numbers[-1])


class _Columns:
    """Signals of several steps, which go into their rows.

    Args:
        rows: of the steps.
        layers: whose signals are written.
    """

    def __init__(self, rows: Sequence[dict[str, float]], layers: Container[str]) -> None:
        self._rows, self._layers = rows, layers

    def put(self, signal: str, layer: str, values: Numbers | list[float]) -> None:
        """Write a value into each row, where it is a number and was asked for."""
        if layer in self._layers:
            name = f"{signal}|{layer}"
            numbers = values if isinstance(values, list) else values.tolist()
            for row, value in zip(self._rows, numbers, strict=True):
                if math.isfinite(value):
                    row[name] = value

    def cosines(
        self, signal: str, aa: dict[str, Numbers], ab: dict[str, Numbers], bb: dict[str, Numbers]
    ) -> None:
        """Write the cosines of angles, from sums of products of each layer."""
        for layer in ab:
            self.put(signal, layer, cosines(aa[layer], ab[layer], bb[layer]))


def gradient_samples(
    matrices: Iterable[tuple[str, Tensor]],
) -> tuple[RawSample | None, RawSample | None]:
    """A sample of gradients, and one for signs, which takes more of each of very many matrices."""
    kept = list(matrices)
    sample = raw_sample(kept)
    if len(kept) * MOST_SAMPLED > MOST_TOGETHER:
        return sample, raw_sample(kept, MOST_SAMPLED)
    return sample, sample


def _agreements(samples: _Samples) -> dict[str, list[float]]:
    """How far the gradients of units agree in sign, for each layer and step."""
    found: dict[str, list[float]] = {}
    (layers, sizes, units), numbers = samples.kind, samples.numbers
    for layer, size, end, rows in zip(layers, sizes, np.cumsum(sizes), units, strict=True):
        if rows and not all(map(math.isfinite, found.get(layer, (math.nan,)))):
            new = sign_agreements(numbers[:, end - size : end].reshape(len(numbers), rows, -1))
            old = found.get(layer, new)  # the first matrix of a layer that has signs counts
            found[layer] = [x if math.isfinite(x) else y for x, y in zip(old, new, strict=True)]
    return found


def _carried(new: Sample, old: Sample | None) -> Sample:
    """The start of matrices that were not all there before: of those that were, the old one."""
    if old is None:
        return new
    known = dict(zip(zip(old.layers, old.sizes, strict=True), old.parts(), strict=True))
    keys = zip(new.layers, new.sizes, strict=True)
    parts = [known.get(key, part) for key, part in zip(keys, new.parts(), strict=True)]
    return Sample(new.layers, new.sizes, np.concatenate(parts))
