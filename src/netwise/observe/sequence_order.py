"""Sequences of symbols: whether outputs see later places of an input, and whether targets are the
symbols of an input themselves, as those of a model that continues a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from netwise.data_facts import NEXT_PLACE, SAME_PLACE
from netwise.observe.kept_batches import KeptBatch
from netwise.observe.nested import exchanged, tensors_in, with_tensors
from netwise.observe.padding_masks import padding_of
from netwise.observe.sample_axes import difference, tolerance_of

FEWEST_PLACES = 4  # of a sequence
FEWEST_SYMBOLS = 100  # that are compared with targets
FEWEST_BATCHES = 3  # whose lengths are known
NEARLY_ALL = 0.99  # of the targets; padding may differ


def later_places(
    call: Callable[[Any, Any], list[Tensor]],
    args: Any,
    kwargs: Any,
    before: Sequence[Tensor],
    samples: int,
) -> tuple[tuple[int, bool], ...]:
    """Whether an output at a place changes with later places of an input.

    Args:
        call: gives the outputs in evaluation mode.
        args, kwargs: of one call.
        before: its outputs.
        samples: of the batch, which are the rows of such inputs.

    Returns:
        For each input that is a matrix of symbols its number among all tensors of the call, and
        the answer; none where outputs have no places, or the module itself shifts the symbols, so
        that an output does not see the one at its own place.

    Example:
        >>> rnn = torch.nn.Sequential(torch.nn.Embedding(9, 4), torch.nn.Linear(4, 9))
        >>> x = torch.arange(24).reshape(3, 8) % 9
        >>> later_places(lambda args, kwargs: [rnn(*args)], (x,), {}, [rnn(x)], 3)
        ((0, False),)
    """
    found = []
    for number, symbols in enumerate(tensors_in((args, kwargs))):
        places = _places(symbols)
        if not places or symbols.shape[0] != samples or samples in (1, places):
            continue
        half = places // 2
        other = symbols.clone()
        other[:, half:] = symbols.roll(1, 0)[:, half:]
        if bool((other == symbols).all(0)[half]):
            continue
        changed = with_tensors((args, kwargs), partial(exchanged, symbols, other))
        for b, a in zip(before, call(*changed), strict=True):
            rows = by_place(difference(b, a), samples, places)
            if rows is not None and float(rows[:, half:].max()) > tolerance_of(b):
                later = float(rows[:, :half].max()) > tolerance_of(b)
                if later or float(rows[:, half].max()) > tolerance_of(b):
                    found.append((number, later))
                break
    return tuple(found)


def _places(symbols: Tensor) -> int:
    """The length of sequences of symbols; 0 for other tensors."""
    is_whole = not symbols.is_floating_point() and not symbols.is_complex()
    if not is_whole or symbols.dtype == torch.bool or symbols.dim() != 2:
        return 0
    return symbols.shape[1] if symbols.shape[1] >= FEWEST_PLACES else 0


def by_place(values: Tensor, samples: int, places: int) -> Tensor | None:
    """Values of outputs as (samples, places, others); None where they have no places.

    Example:
        >>> by_place(torch.zeros(3, 5, 8), 3, 8).shape
        torch.Size([3, 8, 5])
    """
    if values.dim() >= 2 and values.shape[:2] == (samples, places):
        return values.reshape(samples, places, -1)
    if values.dim() >= 1 and values.shape[0] == samples * places:
        return values.reshape(samples, places, -1)
    if values.dim() == 3 and (values.shape[0], values.shape[2]) == (samples, places):
        return values.transpose(1, 2)
    return None


def symbols_as_targets(batches: Iterable[KeptBatch]) -> tuple[tuple[int, str], ...]:
    """Inputs whose symbols are the targets.

    Args:
        batches: of training.

    Returns:
        The number of the input among all tensors of the call, and `SAME_PLACE` or `NEXT_PLACE`.
    """
    compared: dict[tuple[int, str], tuple[int, int]] = {}
    for batch in batches:
        target = batch.target
        if target is None or target.is_floating_point():
            continue
        for number, symbols in enumerate(batch.inputs):
            if not _places(symbols) or target.numel() != symbols.numel():
                continue
            wanted = target.reshape(symbols.shape)
            for where, one, other in (
                (SAME_PLACE, wanted, symbols),
                (NEXT_PLACE, wanted[:, :-1], symbols[:, 1:]),
            ):
                used = one != batch.ignore_index if batch.ignore_index is not None else one >= 0
                equal, count = compared.get((number, where), (0, 0))
                hits = int(((one == other) & used).sum())
                compared[number, where] = (equal + hits, count + int(used.sum()))
    return tuple(
        key
        for key, (equal, count) in compared.items()
        if count >= FEWEST_SYMBOLS and equal >= NEARLY_ALL * count
    )


def sorted_by_length(batches: Iterable[KeptBatch]) -> bool | None:
    """Whether the rows of each batch are sorted by their lengths, the longest or the shortest
    first; None where no lengths are known, or batches are few.

    Args:
        batches: of training. Lengths are a column of whole numbers, or symbols before padding.
    """
    known = [lengths for batch in batches if (lengths := _lengths(batch.inputs)) is not None]
    if len(known) < FEWEST_BATCHES:
        return None
    steps = [lengths.diff() for lengths in known]
    return all(bool((step <= 0).all()) for step in steps) or all(
        bool((step >= 0).all()) for step in steps
    )


def _lengths(inputs: Sequence[Tensor]) -> Tensor | None:
    """Lengths of the rows of a batch that differ; None where they are not known."""
    matrix = next((t for t in inputs if t.dim() > 1), None)
    if matrix is None:
        return None
    for column in inputs:
        whole = not column.is_floating_point() and column.dtype != torch.bool
        of_rows = whole and column.dim() == 1 and len(column) == len(matrix) and len(column) > 2
        if of_rows and int(column.min()) > 0 and column.max() == matrix.shape[1]:
            return column if int(column.min()) < int(column.max()) else None
    pads = padding_of(matrix) if _places(matrix) else None
    return None if pads is None else (~pads).sum(1)
