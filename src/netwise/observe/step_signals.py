"""Signals of watched steps from the numbers that were kept of them, of many steps in one go.

Each function gets the rows of steps one after the other, and arrays whose first axis are the steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netwise import signals
from netwise.observe.kept_steps import Array, Row
from netwise.observe.layer_activations import EDGE, share_of_zeros
from netwise.tasks import BOUNDED

Rows = Sequence[Row]
Arrays = Sequence[Array]


def write_numbers(rows: Rows, arrays: Arrays, name: str, count: int = 1) -> None:
    """Numbers as they are, or divided by a count."""
    for row, value in zip(rows, arrays[0].tolist(), strict=True):
        row[name] = value / count


def write_fresh(rows: Rows, arrays: Arrays) -> None:
    """The gradients, of which a norm is given, held nothing of earlier passes; numbers that are not
    finite tell nothing."""
    for row, norm in zip(rows, arrays[0].tolist(), strict=True):
        if not math.isnan(norm):
            row[signals.STALE] = 0.0


def write_classes(rows: Rows, arrays: Arrays) -> None:
    """How many classes are in a batch, from class numbers (steps, samples)."""
    numbers = np.sort(arrays[0], axis=1)
    counts = np.count_nonzero(numbers[:, 1:] != numbers[:, :-1], axis=1) + bool(numbers.shape[1])
    for row, count in zip(rows, counts.tolist(), strict=True):
        row[signals.BATCH_CLASSES] = float(count)


def write_accuracy(rows: Rows, arrays: Arrays) -> None:
    """Accuracy of logits or scores (steps, samples, classes) on class numbers (steps, samples)."""
    outputs, targets = arrays
    correct = np.count_nonzero(outputs.argmax(2) == targets, axis=1)
    write_numbers(rows, [correct], signals.ACCURACY, max(targets.shape[1], 1))


def write_moments(rows: Rows, arrays: Arrays, names: tuple[str, str], count: int) -> None:
    """Mean and standard deviation of so many values, from their sums and sums of squares."""
    with np.errstate(all="ignore"):  # numbers of a run that diverges
        mean, square = arrays[0] / count, arrays[1] / count
        std = np.where(np.isfinite(square), np.sqrt(np.maximum(square - mean * mean, 0.0)), square)
    for row, *values in zip(rows, mean.tolist(), std.tolist(), strict=True):
        row[names[0]], row[names[1]] = values


def write_activation(rows: Rows, arrays: Arrays, layer: str, count: int) -> None:
    """Moments, zeros and saturated values of the activation of a layer.

    Args:
        rows: of the steps.
        arrays: sums over so many values: of the values, of their squares, of squared signs, and of
            those that are saturated, for activations with limits.
        layer: its name.
        count: of its values.
    """
    names = f"{signals.ACTIVATION_MEAN}|{layer}", f"{signals.ACTIVATION_STD}|{layer}"
    write_moments(rows, arrays[:2], names, count)
    _write_zeros(rows, arrays[2], layer, count)
    if len(arrays) > 3:
        write_numbers(rows, arrays[3:], f"{signals.ACTIVATION_SATURATED}|{layer}", count)


def _write_zeros(rows: Rows, others: Array, layer: str, count: int) -> None:
    for row, each in zip(rows, others.tolist(), strict=True):
        row[f"{signals.ACTIVATION_ZEROS}|{layer}"] = share_of_zeros(count, each)


def saturation(kind: str) -> tuple[float, float]:
    """The middle of a bounded activation, and how far from it values are saturated."""
    low, high = BOUNDED[kind]
    return (low + high) / 2, (high - low) * (0.5 - EDGE)


def write_norms(rows: Rows, arrays: Arrays, layer: str, count: int) -> None:
    """Size, gradient and change of the weights of a layer.

    Args:
        rows: of the steps.
        arrays: norms of each of its matrices: of the weights, the gradients and the changes.
        layer: its name.
        count: of its weights.
    """
    names = [signals.WEIGHT_NORM, signals.GRADIENT_RMS, signals.GRADIENT_RATIO]
    names = [f"{name}|{layer}" for name in (*names, signals.UPDATE_RATIO)]
    norm, grad, change = (_together(arrays[i::3]) for i in range(3))
    ratios = (_ratio(each, norm) for each in (grad, change))
    values = (each.tolist() for each in (norm, grad / math.sqrt(count), *ratios))
    for row, *those in zip(rows, *values, strict=True):
        row.update(zip(names, those, strict=True))


def _together(norms: Arrays) -> Array:
    """The norm of several matrices from that of each."""
    return norms[0] if len(norms) == 1 else np.sqrt(np.square(norms).sum(0))


def _ratio(part: Array, whole: Array) -> Array:
    """`part / whole`; 0 where both are 0."""
    with np.errstate(all="ignore"):
        return np.where(whole > 0, part / whole, np.where(part == 0, 0.0, math.inf))
