"""Targets of sequences that are padding like their inputs, and count in the loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import Tensor

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.padding_masks import padding_of
from netwise.wiring import CROSS_ENTROPY


def padded_targets(batches: Iterable[KeptBatch]) -> tuple[float, int] | None:
    """The share of the targets that are padding and count, and their class number; None where the
    loss leaves some targets out, or where there is no padding.

    Padding is one symbol at the ends of the sequences, and nowhere else, of inputs and of targets
    at the same places, but for one: targets may be a symbol shorter, or end with one that stops.
    """
    count = padded = 0
    symbols: set[int] = set()
    for batch in batches:
        target = batch.target
        if batch.operation != CROSS_ENTROPY or target is None:
            continue
        if target.is_floating_point() or batch.weighted or batch.reduction not in ("mean", "sum"):
            return None
        if batch.ignore_index is not None and bool((target == batch.ignore_index).any()):
            return None
        pads, symbol = _padding(batch.inputs, target)
        if pads is not None:
            padded += int(pads.sum())
            symbols.add(symbol)
        count += target.numel()
    if not padded or len(symbols) != 1:
        return None
    return padded / count, symbols.pop()


def _padding(inputs: Iterable[Tensor], target: Tensor) -> tuple[Tensor | None, int]:
    """Where targets are padding, and its symbol; (None, 0) where they are not."""
    for values in inputs:
        if values.is_floating_point() or values.dim() != 2 or min(values.shape) < 2:
            continue
        for places, wanted in _with_places_last(values, target):
            of_inputs, of_targets = padding_of(places), padding_of(wanted)
            if of_inputs is None or of_targets is None:
                continue
            lengths = (~of_inputs).sum(1) - (~of_targets).sum(1)
            ends_alike = bool((of_inputs[:, -1] | of_targets[:, -1]).any())
            if ends_alike and bool((lengths.abs() <= 1).all()):
                return of_targets, int(wanted[of_targets][0])
    return None, 0


def _with_places_last(values: Tensor, target: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs and targets as (samples, places), where the places come last or first."""
    samples, places = values.shape
    if target.numel() == values.numel():
        wanted = target.reshape(samples, places)
        yield values, wanted
        yield values.t(), wanted.t()
