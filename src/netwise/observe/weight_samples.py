"""Small samples of weights, of their changes and of gradients: how far training has moved each
layer since its start, and whether it keeps its direction.

At most `MOST_SAMPLED` numbers of each weight matrix are read, always at the same places, so a
watched step costs microseconds and no second copy of a model is kept. The samples of a step stay on
their device until many steps are computed together (`netwise.observe.sample_signals`).
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from netwise import signals
from netwise.observe.sample_signals import (
    Numbers,
    columns_of,
    cosine,
    distance,
    effective_rates,
    products,
    sign_agreements,
    small_shares,
)

MOST_SAMPLED = 1024  # of one matrix
MOST_TOGETHER = 2**18  # of one model: very many matrices have smaller samples
FEWEST_SAMPLED = 16
MOST_WAITING, MOST_WAITING_NUMBERS = 64, 2**20  # steps, and numbers of their weights, in memory


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
        now, update, gradient: weights after the step, those before it minus these, gradients.
        signs: the gradients where `gradient` has too few of each matrix.
    """

    row: dict[str, float]
    layers: Container[str]
    loss_scale: float
    now: RawSample | None
    update: RawSample | None
    gradient: RawSample | None
    signs: RawSample | None


# The start, the last update and the last gradient, and steps whose rows wait.
WeightSnapshot = tuple[Sample | None, Sample | None, Sample | None, tuple[_Step, ...]]


class WeightSamples:
    """Samples of a module's weights at the start, and of the last watched step.

    An observer calls `gradients` after a backward pass, `write` after a step of the optimizer.

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
        kept = list(matrices)
        self._new_gradient = self._signs = raw_sample(kept)
        if len(kept) * MOST_SAMPLED > MOST_TOGETHER:
            self._signs = raw_sample(kept, MOST_SAMPLED)

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
        now, update = raw_sample(weights), raw_sample(changes)
        gradient, signs = self._new_gradient, self._signs
        self._waiting.append(_Step(row, layers, loss_scale, now, update, gradient, signs))
        self.forget()
        numbers = 0 if now is None else len(now.values) * len(self._waiting)
        if not self._later or len(self._waiting) >= MOST_WAITING or numbers > MOST_WAITING_NUMBERS:
            self.complete()

    def complete(self) -> None:
        """Write the signals of all steps that wait."""
        steps, self._waiting = self._waiting, []
        if not steps:
            return
        kinds = [(s.now, s.update, s.gradient, s.signs) for s in steps]
        raw = {id(each): each for kind in kinds for each in kind if each is not None}
        known = dict(zip(raw, _in_memory(list(raw.values())), strict=True))
        groups = _Groups()
        for step in steps:
            now, update, gradient = (
                None if each is None else known[id(each)]
                for each in (step.now, step.update, step.gradient)
            )
            self._compare(step, now, update, gradient, groups)
            if step.signs is not None:
                groups.add(_SIGNS, step, known[id(step.signs)], units=step.signs.units)
        groups.write()

    def _compare(
        self,
        step: _Step,
        now: Sample | None,
        update: Sample | None,
        gradient: Sample | None,
        groups: _Groups,
    ) -> None:
        """Note which samples of a step are compared, and go on to the next step."""
        if now is not None and update is not None:
            if self._start is None or not now.fits(self._start):
                with np.errstate(all="ignore"):  # numbers of a run that diverges
                    before = now.numbers + update.numbers if now.fits(update) else now.numbers
                self._start = _carried(Sample(now.layers, now.sizes, before), self._start)
            groups.add(_COMPARED, step, now, self._start, signals.WEIGHT_DISTANCE)
        if update is not None and self._update is not None and update.fits(self._update):
            groups.add(_COMPARED, step, update, self._update, signals.UPDATE_COSINE)
        if update is not None and gradient is not None and update.fits(gradient):
            groups.add(_COMPARED, step, update, gradient, signals.STEP_DESCENT)
            groups.add(_RATES, step, update, gradient)
        if gradient is not None and self._gradient is not None and gradient.fits(self._gradient):
            groups.add(_COMPARED, step, gradient, self._gradient, signals.GRADIENT_COSINE)
        if now is not None:
            groups.add(_SMALL, step, now)
        self._update = self._update if update is None else update
        self._gradient = self._gradient if gradient is None else gradient

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
class _Pair:
    """A sample of a step, and the one that it is compared with, for a signal."""

    step: _Step
    sample: Sample
    other: Sample
    signal: str

    def put(self, signal: str, layer: str, value: float) -> None:
        """Write a value into the row, where it is a number and was asked for."""
        if math.isfinite(value) and layer in self.step.layers:
            self.step.row[f"{signal}|{layer}"] = value


_Key = tuple[str, tuple[str, ...], tuple[int, ...], tuple[int, ...]]  # what, layers, sizes, units
_COMPARED, _SMALL, _RATES, _SIGNS = "compared", "small", "rates", "signs"


class _Groups:
    """Samples of several steps that are computed together: those of the same matrices."""

    def __init__(self) -> None:
        self._members: dict[_Key, list[_Pair]] = {}

    def add(
        self,
        what: str,
        step: _Step,
        sample: Sample,
        other: Sample | None = None,
        signal: str = "",
        units: tuple[int, ...] = (),
    ) -> None:
        """Add a sample, or two that are compared."""
        pairs = self._members.setdefault((what, sample.layers, sample.sizes, units), [])
        pairs.append(_Pair(step, sample, other or sample, signal))

    def write(self) -> None:
        """Write all signals into the rows."""
        for key, pairs in self._members.items():
            a = b = np.stack([pair.sample.numbers for pair in pairs])
            if pairs[0].other is not pairs[0].sample:
                b = np.stack([pair.other.numbers for pair in pairs])
            if key[0] == _COMPARED:
                for layer, sums in products(*key[1:3], a, b).items():
                    for pair, each in zip(pairs, sums, strict=True):
                        measure = distance if pair.signal == signals.WEIGHT_DISTANCE else cosine
                        pair.put(pair.signal, layer, measure(*each))
                continue
            scales = np.array([pair.step.loss_scale for pair in pairs])
            for signal, layer, values in _signals(key, a, b, scales):
                for pair, value in zip(pairs, values, strict=True):
                    pair.put(signal, layer, value)


def _signals(
    key: _Key, a: Numbers, b: Numbers, loss_scales: Numbers
) -> Iterator[tuple[str, str, list[float]]]:
    """(signal, layer, value of each step) of samples that are the rows of two arrays."""
    what, layers, sizes, units = key
    if what == _SMALL:
        yield from small_shares(columns_of(layers, sizes, a))
    elif what == _RATES:
        yield from effective_rates(
            columns_of(layers, sizes, a), columns_of(layers, sizes, b), loss_scales
        )
    else:
        found: dict[str, list[float]] = {}
        ends = np.cumsum(sizes)
        for layer, size, end, rows in zip(layers, sizes, ends, units, strict=True):
            if rows and not all(map(math.isfinite, found.get(layer, (math.nan,)))):
                new = sign_agreements(a[:, end - size : end].reshape(len(a), rows, -1))
                old = found.get(layer, new)  # the first matrix of a layer that has signs counts
                found[layer] = [x if math.isfinite(x) else y for x, y in zip(old, new, strict=True)]
        for layer, values in found.items():
            yield signals.GRADIENT_SIGN, layer, values


def _carried(new: Sample, old: Sample | None) -> Sample:
    """The start of matrices that were not all there before: of those that were, the old one."""
    if old is None:
        return new
    known = dict(zip(zip(old.layers, old.sizes, strict=True), old.parts(), strict=True))
    keys = zip(new.layers, new.sizes, strict=True)
    parts = [known.get(key, part) for key, part in zip(keys, new.parts(), strict=True)]
    return Sample(new.layers, new.sizes, np.concatenate(parts))
