"""A convolution over the inputs: which of their axes it takes for channels, and along which it
slides. Time steps and rows of pixels are like their neighbours; channels need not be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.observe.operations import Operation

CONVOLUTIONS = ("conv1d", "conv2d")
FEWEST_SAMPLES = 8
FEWEST_PLACES = 3


@dataclass(frozen=True)
class ConvolvedAxis:
    """How alike neighbours are on the axes of what the first convolution gets.

    Args:
        layer: its module.
        shape: of what it gets.
        channels: mean correlation of neighbouring channels.
        places: for each axis that it slides along the mean correlation of neighbouring places; 1
            where there are fewer than three.
    """

    layer: str
    shape: tuple[int, ...]
    channels: float
    places: tuple[float, ...]


def convolved_axis(
    operations: Iterable[Operation], inputs: Sequence[Tensor]
) -> ConvolvedAxis | None:
    """The axes of the first convolution whose input is an input of the module, at most with its
    axes in another order; None without one, or with one place of kernel.

    Args:
        operations: of a pass.
        inputs: tensors of the call.

    Example:
        >>> from netwise.observe.operations import traced
        >>> net = torch.nn.Conv1d(50, 8, 3)
        >>> x = torch.randn(20, 50, 3).cumsum(1)  # 50 time steps of 3 sensors
        >>> call = lambda args, kwargs: [net(*args)]
        >>> found = convolved_axis(traced(net, call, ((x,), {})), [x])
        >>> found.shape, found.channels > 0.8
        ((20, 50, 3), True)
    """
    for each in operations:
        if each.name not in CONVOLUTIONS or len(each.inputs) < 2:
            continue
        given, kernel = each.inputs[0], each.inputs[1]
        if given.dim() != kernel.dim() or given.shape[1] != kernel.shape[1]:
            continue
        if not any(_same_numbers(given, tensor) for tensor in inputs):
            return None
        if len(given) < FEWEST_SAMPLES or max(kernel.shape[2:]) < 2:
            return None
        values = _standardised(given)
        return ConvolvedAxis(
            each.layer,
            tuple(given.shape),
            _neighbours(values, 1),
            tuple(_neighbours(values, axis) for axis in range(2, given.dim())),
        )
    return None


def _same_numbers(given: Tensor, source: Tensor) -> bool:
    """Whether a tensor has the numbers of another, in the same or another order of its axes."""
    if given.numel() != source.numel() or given.shape[0] != source.shape[0]:
        return False
    one, other = given[0].flatten().sort().values, source[0].flatten().sort().values
    return bool(torch.equal(one.float(), other.float()))


def _standardised(values: Tensor) -> Tensor:
    """Each feature with mean 0 and length 1 over the samples; constant ones are not a number."""
    values = values.double()
    centred = values - values.mean(0)
    size = centred.pow(2).sum(0).sqrt()
    least = 1e-9 * size.max()
    return centred / torch.where(size > least, size, torch.full_like(size, torch.nan))


def _neighbours(values: Tensor, axis: int) -> float:
    """Mean correlation of neighbouring places of an axis; 1 where it is short."""
    if values.shape[axis] < FEWEST_PLACES:
        return 1.0
    one = values.narrow(axis, 0, values.shape[axis] - 1)
    other = values.narrow(axis, 1, values.shape[axis] - 1)
    mean = float((one * other).sum(0).nanmean())
    return mean if mean == mean else 0.0
