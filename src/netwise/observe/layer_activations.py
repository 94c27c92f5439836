"""Statistics of the activations of layers: moments, zeros, saturated and dead units, and their
spread over the samples of a batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.observe.readable import values_of
from netwise.tasks import BOUNDED, RECTIFIERS

DEAD_AFTER = 512  # samples for which a unit has to be 0 before it is called dead
EDGE = 0.025  # share of its range: this near to a limit a bounded unit is saturated
MOST_COPIED = 2**14  # values of an activation that is copied, to be measured later
MOST_SCALARS = 8  # that are measured of one, in round numbers
MOST_VALUES = 2**22  # of one activation: of larger ones every k-th sample is read

_CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)

# For each layer: which units were above 0 since the last count, and for how many samples.
ActiveUnits = dict[str, tuple[Tensor, int]]


class ActivationStatistics:
    """Of the layers in one forward pass. Holds numbers, and no activation.

    Numbers stay on the device until `write`, so that nothing waits for it.
    """

    def __init__(self, active_units: ActiveUnits) -> None:
        self._active_units = active_units
        self._pieces: dict[str, list[Piece]] = {}

    def measured(self, a: Tensor, activation: str, layer: nn.Module | None) -> Piece | None:
        """Measure one activation of a layer; None where there is nothing to measure.

        Args:
            a: its activation in one call, from `readable`.
            activation: its kind, as in `Layer.activation`.
            layer: it decides what a unit is.
        """
        if not a.is_floating_point() or not a.dim() or not a.numel():
            return None
        return Piece(a, activation, layer)

    def add(self, name: str, piece: Piece | None) -> None:
        """Count what was measured for a layer."""
        if piece is not None:
            self._pieces.setdefault(name, []).append(piece)

    @property
    def waiting(self) -> int:
        """How many numbers wait for `write`."""
        return sum(MOST_SCALARS + piece.copied for each in self._pieces.values() for piece in each)

    def write(self, row: dict[str, float]) -> None:
        """Write the signals of all layers into a row."""
        pieces = [piece for each in self._pieces.values() for piece in each]
        values = values_of([scalar for piece in pieces for scalar in piece.scalars])
        units = iter(_on_cpu([piece.positive for piece in pieces if piece.positive is not None]))
        start = 0
        for name, each in self._pieces.items():
            totals = _Totals()
            for piece in each:
                end = start + len(piece.scalars)
                totals.add(piece, values[start:end])
                start = end
            totals.write(row, name)
            positive = [next(units) for piece in each if piece.positive is not None]
            if len(positive) == len(each) == 1:
                counted = self._active_units.get(name)
                share, kept = dead_share(counted, positive[0], each[0].samples)
                self._active_units[name] = kept
                if share is not None:
                    row[f"{signals.DEAD_UNITS}|{name}"] = share


class Piece:
    """What is measured of one activation.

    A small one in memory is copied at first, and measured once its numbers are read: those of many
    steps one after the other take half the time that each of them takes between the operations of
    a training step.

    Attributes:
        samples, count: of its values.
        bounded: whether its activation has limits.
        copied: values that wait to be measured.
    """

    __slots__ = (
        "_activation",
        "_copy",
        "_positive",
        "_scalars",
        "bounded",
        "copied",
        "count",
        "samples",
    )

    def __init__(self, a: Tensor, activation: str, layer: nn.Module | None) -> None:
        a = part_of(a)
        self.samples, self.count, self.copied = a.shape[0], a.numel(), 0
        self.bounded, self._activation = activation in BOUNDED, activation
        self._copy: Tensor | None = None
        if self.count <= MOST_COPIED and a.is_cpu and not isinstance(layer, _CONVOLUTIONS):
            self.copied, self._copy = self.count, a.clone()
        else:
            self._measure(a, layer)

    @property
    def scalars(self) -> list[Tensor]:
        """Its sum; its sum of squares; how many are not 0; with several samples the sum of squared
        distances from the first one, and of the squares of their sums over the samples; with a
        bounded activation how many are saturated."""
        self._measure_copy()
        return self._scalars

    @property
    def positive(self) -> Tensor | None:
        """Which units are above 0 for any sample; None for other activations than rectifiers."""
        self._measure_copy()
        return self._positive

    def _measure_copy(self) -> None:
        copy, self._copy, self.copied = self._copy, None, 0
        if copy is not None:
            self._measure(copy, None)

    def _measure(self, a: Tensor, layer: nn.Module | None) -> None:
        self._positive = active_units(a, layer) if self._activation in RECTIFIERS else None
        rows = a.reshape(self.samples, -1).to(torch.float32)
        flat = rows.reshape(-1)
        signs = flat.sign()
        # Dot products are many times faster than `count_nonzero` and `var`.
        self._scalars = [flat.sum(), torch.dot(flat, flat), torch.dot(signs, signs)]
        if self.samples > 1:
            # From the first sample: exactly 0 for outputs that are equal for all samples.
            distances = rows - rows[:1]
            sums, far = distances.sum(0), distances.reshape(-1)
            self._scalars += [torch.dot(far, far), torch.dot(sums, sums)]
        if self.bounded:
            low, high = BOUNDED[self._activation]
            middle, reach = (low + high) / 2, (high - low) * (0.5 - EDGE)
            self._scalars.append(torch.count_nonzero((flat - middle).abs_() > reach))


class _Totals:
    """Sums over the calls of one layer."""

    def __init__(self) -> None:
        self.count = self.bounded = 0
        self.total = self.square = self.nonzero = self.saturated = 0.0
        # Squared distances of the units from their means over the samples, in calls with several
        # samples, and the squares of all values there.
        self.distance = self.of_square = 0.0

    def add(self, piece: Piece, values: list[float]) -> None:
        total, square, nonzero = values[:3]
        self.count += piece.count
        self.total += total
        self.square += square
        self.nonzero += nonzero
        if piece.samples > 1:
            self.distance += max(values[3] - values[4] / piece.samples, 0.0)
            self.of_square += square
        if piece.bounded:
            self.bounded += piece.count
            self.saturated += values[-1]

    def write(self, row: dict[str, float], name: str) -> None:
        mean, std = mean_and_std_of(self.count, self.total, self.square)
        row[f"{signals.ACTIVATION_MEAN}|{name}"] = mean
        row[f"{signals.ACTIVATION_STD}|{name}"] = std
        zeros = 1 - self.nonzero / self.count if math.isfinite(self.nonzero) else 0.0
        row[f"{signals.ACTIVATION_ZEROS}|{name}"] = zeros
        if self.bounded:
            row[f"{signals.ACTIVATION_SATURATED}|{name}"] = self.saturated / self.bounded
        if self.of_square > 0 and math.isfinite(self.distance + self.of_square):
            spread = math.sqrt(min(self.distance / self.of_square, 1.0))
            row[f"{signals.OUTPUT_SPREAD}|{name}"] = spread


def _on_cpu(tensors: list[Tensor]) -> list[Tensor]:
    """The same tensors of one type in memory, by one transfer where they are on one device."""
    if len({tensor.device for tensor in tensors}) != 1 or tensors[0].is_cpu:
        return [tensor if tensor.is_cpu else tensor.cpu() for tensor in tensors]
    sizes = [tensor.numel() for tensor in tensors]
    together = torch.cat([tensor.reshape(-1) for tensor in tensors]).cpu().split(sizes)
    return [part.view(tensor.shape) for part, tensor in zip(together, tensors, strict=True)]


def part_of(a: Tensor) -> Tensor:
    """An activation, or of a very large one every k-th sample, at least two."""
    if a.numel() <= MOST_VALUES or a.shape[0] <= 2:
        return a
    return a[:: min(math.ceil(a.numel() / MOST_VALUES), a.shape[0] - 1)]


def dead_share(
    before: tuple[Tensor, int] | None, active_now: Tensor, samples: int
) -> tuple[float | None, tuple[Tensor, int]]:
    """The share of dead units once enough samples were seen, else None, and the counts to keep."""
    active, seen = before or (torch.zeros_like(active_now), 0)
    if active.shape != active_now.shape:
        active, seen = torch.zeros_like(active_now), 0
    active, seen = active | active_now, seen + samples
    if seen < DEAD_AFTER:
        return None, (active, seen)
    return 1 - float(active.sum()) / active.numel(), (torch.zeros_like(active), 0)


def has_class_answers(output: Tensor, target: Tensor) -> bool:
    """Whether these are logits or scores `(samples, classes)` for class numbers `(samples,)`."""
    return (
        output.dim() == 2
        and target.dim() == 1
        and not target.is_floating_point()
        and len(output) == len(target)
    )


def accuracy_of(output: Tensor, target: Tensor) -> float | None:
    """Accuracy of logits or scores `(samples, classes)` on class numbers `(samples,)`; None for
    other shapes."""
    if not has_class_answers(output, target):
        return None
    return float((output.argmax(1) == target).sum()) / max(len(target), 1)


def mean_and_std_of(count: int, total: float, square: float) -> tuple[float, float]:
    """(mean, standard deviation) of so many values with this sum and this sum of squares."""
    mean = total / count
    if not math.isfinite(square):
        return mean, square
    return mean, math.sqrt(max(square / count - mean * mean, 0.0))


def sum_and_square(a: Tensor) -> tuple[int, list[Tensor]] | None:
    """The number of values, and their sum and sum of squares; None where there is nothing to
    measure."""
    if not a.is_floating_point() or not a.dim() or not a.numel():
        return None
    flat = part_of(a).reshape(-1).float()
    return flat.numel(), [flat.sum(), torch.dot(flat, flat)]


def nonzero(a: Tensor) -> Tensor:
    """How many values are not exactly 0: the sum of squared signs, five times as fast as
    `count_nonzero`; not finite where a value is no number."""
    flat = a.detach().reshape(-1)
    if flat.numel() > 2**24:  # a float32 cannot count further
        return torch.count_nonzero(flat)
    signs = flat.sign()
    return torch.dot(signs, signs)


def share_of_zeros(count: int, others: float) -> float:
    """The share of exact zeros of so many values, where so many are not 0."""
    return 1 - others / count if math.isfinite(others) else 0.0


def active_units(a: Tensor, layer: nn.Module | None) -> Tensor:
    """Which units are above 0 for any sample; units as in `highest_of_units`."""
    return highest_of_units(a, layer) > 0


def highest_of_units(a: Tensor, layer: nn.Module | None) -> Tensor:
    """The highest activation of each unit. The units are the channels of feature maps, also where
    those were flattened, and else the last axis."""
    channels = layer.out_channels if isinstance(layer, _CONVOLUTIONS) else None
    if (
        a.dim() == 2
        and isinstance(layer, nn.Conv1d | nn.Conv2d)
        and a.shape[1] % layer.out_channels == 0
    ):
        return a.amax(0).view(layer.out_channels, -1).amax(1)
    if a.dim() > 2 and (a.dim() == 4 or a.shape[1] == channels):
        # First over the samples: that is up to 17 times as fast as over all axes at once.
        if not a.is_contiguous() and a.movedim(1, -1).is_contiguous():
            return a.movedim(1, -1).amax(0).view(-1, a.shape[1]).amax(0)
        return a.amax(0).reshape(a.shape[1], -1).amax(1)
    return a.reshape(-1, a.shape[-1]).amax(0)


def flat_values(a: Tensor) -> Tensor:
    """All values in the order of memory, without a copy where there is such an order."""
    if a.dim() == 4 and a.is_contiguous(memory_format=torch.channels_last):
        a = a.permute(0, 2, 3, 1)
    return a.reshape(-1)
