"""Sequences of real numbers: whether outputs see later places of an input, and whether targets are
the numbers of an input one place later, as those of forecasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.nested import exchanged, tensors_in, with_tensors
from netwise.observe.sample_axes import difference, tolerance_of
from netwise.observe.sequence_order import FEWEST_PLACES, FEWEST_SYMBOLS, by_place

MOST_CHANNELS = 16  # of which one may be the target
EQUAL = 1e-4  # rest of targets, over their standard deviation: rounding of single precision
MOST_NUMBERS = 50_000  # that are compared


def later_in_series(
    call: Callable[[Any, Any], list[Tensor]],
    args: Any,
    kwargs: Any,
    before: Sequence[Tensor],
    samples: int,
) -> tuple[tuple[int, int], ...]:
    """Inputs of real numbers of which outputs at a place see later places, in a network that takes
    sequences of other lengths.

    Args:
        call: gives the outputs in evaluation mode.
        args, kwargs: of one call.
        before: its outputs.
        samples: of the batch, which are the rows of such inputs.

    Returns:
        The number of each input among all tensors of the call, and the axis of its places.

    Example:
        >>> smooth = lambda args, _: [torch.nn.functional.avg_pool1d(args[0], 3, 1, 1)]
        >>> x = torch.arange(24.0).reshape(3, 1, 8)
        >>> later_in_series(smooth, (x,), {}, smooth((x,), {}), 3)
        ((0, 2),)
    """
    found = []
    for number, series in enumerate(tensors_in((args, kwargs))):
        if series.dim() == 0 or series.shape[0] != samples or samples == 1:
            continue
        for axis in _axes(series):
            places = series.shape[axis]
            if places == samples:
                continue
            half = places // 2
            others = series.narrow(axis, half, places - half).roll(1, 0)
            other = torch.cat([series.narrow(axis, 0, half), others], axis)
            if all(by_place(b, samples, places) is None for b in before):
                continue
            changed = call(*with_tensors((args, kwargs), partial(exchanged, series, other)))
            outputs = zip(before, changed, strict=True)
            if not any(_sees(b, a, half, samples, places) for b, a in outputs):
                continue
            shorter = partial(exchanged, series, series.narrow(axis, 0, places - 1))
            if _of_length(call, with_tensors((args, kwargs), shorter), samples, places - 1):
                found.append((number, axis))
    return tuple(found)


def _axes(series: Tensor) -> list[int]:
    """Axes along which an input can be a sequence; none where outputs would not show which."""
    square = series.dim() == 3 and series.shape[1] == series.shape[2]
    if not series.is_floating_point() or series.dim() not in (2, 3) or square:
        return []
    return [axis for axis in range(1, series.dim()) if series.shape[axis] >= FEWEST_PLACES]


def _sees(before: Tensor, after: Tensor, half: int, samples: int, places: int) -> bool:
    """Whether outputs at the first places have changed."""
    if before.shape != after.shape:
        return False
    rows = by_place(difference(before, after), samples, places)
    return rows is not None and float(rows[:, :half].max()) > tolerance_of(before)


def _of_length(
    call: Callable[[Any, Any], list[Tensor]], inputs: tuple[Any, Any], samples: int, places: int
) -> bool:
    """Whether outputs have a row for each place of a sequence of another length: layers that are
    fitted to one length treat its places as features, not as times."""
    try:
        outputs = call(*inputs)
    except Exception:  # such as that of a dense layer
        return False
    return any(by_place(output, samples, places) is not None for output in outputs)


def series_as_targets(batches: Iterable[KeptBatch]) -> tuple[tuple[int, int], ...]:
    """Inputs of real numbers that are the targets one place later, also in other units.

    Inputs whose places are moved as a whole, so that the last target is known as well, and series
    that do not change from place to place are none.

    Args:
        batches: of training.

    Returns:
        The number of the input among all tensors of the call, and the axis of its places.

    Example:
        >>> w = torch.randn(40, 12, generator=torch.Generator().manual_seed(0))
        >>> series_as_targets([KeptBatch((w[:, :-1],), {}, target=w[:, 1:])])
        ((0, 1),)
    """
    pairs: dict[tuple[int, int, int], list[tuple[Tensor, Tensor]]] = {}
    for batch in batches:
        if batch.target is None or not batch.target.is_floating_point():
            continue
        for number, series in enumerate(batch.inputs):
            for axis in _axes(series):
                for channel, one, wanted in _compared(series.movedim(axis, 1), batch.target, axis):
                    pairs.setdefault((number, axis, channel), []).append((one, wanted))
    found = {key[:2]: None for key, each in pairs.items() if _one_place_later(each)}
    return tuple(found)


def _compared(series: Tensor, target: Tensor, axis: int) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Series of shape (samples, places, channels) and the targets of the same shape: of all
    channels (-1) or of one."""
    samples, places = series.shape[:2]
    if target.dim() < 2 or target.shape[0] != samples:
        return
    if target.numel() == series.numel():
        if target.dim() == series.dim() == 3:
            target = target.movedim(axis, 1)
        if target.shape[1] == places:
            yield -1, series.reshape(samples, places, -1), target.reshape(samples, places, -1)
    elif target.numel() == samples * places and series.shape[2] <= MOST_CHANNELS:
        wanted = target.reshape(samples, places, 1)
        for channel in range(series.shape[2]):
            yield channel, series[:, :, channel, None], wanted


def _one_place_later(pairs: Sequence[tuple[Tensor, Tensor]]) -> bool:
    shape, kept, count = pairs[0][0].shape[1:], list[tuple[Tensor, Tensor]](), 0
    for pair in pairs:
        if pair[0].shape[1:] == shape and count < MOST_NUMBERS:
            kept.append(pair)
            count += pair[0].numel()
    series, target = (torch.cat(each).double() for each in zip(*kept, strict=True))
    if series[:, 1:].numel() < FEWEST_SYMBOLS or not bool(target.isfinite().all()):
        return False
    later = _is_line(series[:, 1:], target[:, :-1])
    known = _is_line(series[:, 0], target[:, -1]) or float(target[:, -1].std(0).max()) == 0
    return later and not known and not _is_line(series, target)


def _is_line(one: Tensor, other: Tensor) -> bool:
    """Whether some numbers are others times one factor plus one constant."""
    x, y = one.flatten() - one.mean(), other.flatten() - other.mean()
    size = float(y.norm())
    if size == 0 or not bool(x.isfinite().all()) or float(x.norm()) == 0:
        return False
    factor = float(x @ y) / float(x @ x)
    return float((y - factor * x).norm()) < EQUAL * size
