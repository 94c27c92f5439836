"""Sequences: whether outputs depend on the order of their places, and on what is before padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from netwise.observe.nested import exchanged, tensors_in, with_tensors
from netwise.observe.padding_masks import padding_of
from netwise.observe.sample_axes import difference, tolerance_of

FEWEST_PLACES = 4
PADDED = 0.2  # of the places of a row: enough padding to be read instead of the row
Call = Callable[[Any, Any], list[Tensor]]


@dataclass(frozen=True)
class Hidden:
    """How much outputs depend on symbols that have padding behind them.

    Args:
        share: of what they depend on the same symbols where these are at the ends of their rows, at
            most 1.
        places: of padding, the median over the rows that have much of it.
    """

    share: float
    places: int


def order_is_unseen(
    call: Call, args: Any, kwargs: Any, before: Sequence[Tensor], samples: int
) -> bool | None:
    """Whether outputs stay the same, or move along, where the places of all rows of an input are
    exchanged in one way; None where no input is a sequence.

    Args:
        call: gives the outputs in evaluation mode.
        args, kwargs: of one call.
        before: its outputs.
        samples: of the batch, which are the rows of the inputs.

    Example:
        >>> x = torch.arange(24).reshape(3, 8) % 9
        >>> table = torch.nn.Embedding(9, 4)
        >>> bag = lambda args, kwargs: [table(args[0]).mean(1)]
        >>> order_is_unseen(bag, (x,), {}, bag((x,), {}), 3)
        True
    """
    inputs = list(tensors_in((args, kwargs)))
    sequence = next((t for t in inputs if _is_sequence(t, samples)), None)
    if sequence is None or not before or before[0].shape[:1] != (samples,):
        return None
    places = sequence.shape[1]
    if any(t.dim() > 1 and t.shape[-2:] == (places, places) for t in inputs):
        return None  # a mask, which makes an order
    order = torch.randperm(places, generator=torch.Generator().manual_seed(0))
    if bool((order == torch.arange(places)).all()):
        order = order.flip(0)

    def moved(tensor: Tensor) -> Tensor:
        same = tensor.dim() > 1 and tensor.shape[:2] == (samples, places)
        return tensor[:, order.to(tensor.device)] if same else tensor

    after = call(*with_tensors((args, kwargs), moved))
    first, now = before[0], after[0]
    if first.shape != now.shape:
        return None
    wanted = moved(first) if places != samples else first
    return any(float(difference(each, now).max()) <= tolerance_of(each) for each in (first, wanted))


def _is_sequence(tensor: Tensor, samples: int) -> bool:
    if tensor.dtype == torch.bool or tensor.is_complex() or tensor.shape[:1] != (samples,):
        return False
    has_places = tensor.dim() == (3 if tensor.is_floating_point() else 2)
    return has_places and tensor.shape[1] >= FEWEST_PLACES


def hidden_by_padding(
    call: Call, args: Any, kwargs: Any, before: Sequence[Tensor], samples: int
) -> Hidden | None:
    """How much outputs depend on symbols behind which there is padding; None where no input has
    padding at the ends of its rows.

    Args:
        call, args, kwargs, before, samples: as of `order_is_unseen`.
    """
    if not before or before[0].shape[:1] != (samples,):
        return None
    for symbols in tensors_in((args, kwargs)):
        if symbols.is_floating_point() or not _is_sequence(symbols, samples):
            continue
        pads = padding_of(symbols)
        if pads is None or not bool(pads[:, -1].any()) or before[0].shape[1:2] == pads.shape[1:]:
            continue
        counts = pads.sum(1)
        much = counts >= PADDED * pads.shape[1]
        if 2 * int(much.sum()) < samples:
            continue
        here = _change(call, args, kwargs, symbols, symbols, pads, much)
        ahead = torch.stack(
            [row.roll(int(n)) for row, n in zip(symbols, counts.tolist(), strict=True)]
        )
        before_row = torch.stack(
            [row.roll(int(n)) for row, n in zip(pads, counts.tolist(), strict=True)]
        )
        there = _change(call, args, kwargs, symbols, ahead, before_row, much)
        if here > 0 or there > 0:
            share = here / there if there > here else 1.0
            return Hidden(share, int(counts[much].float().median()))
    return None


def _change(
    call: Call, args: Any, kwargs: Any, old: Tensor, symbols: Tensor, pads: Tensor, rows: Tensor
) -> float:
    """Mean change of the outputs of some rows where symbols are exchanged for others."""
    words = symbols[~pads]
    order = torch.randperm(len(words), generator=torch.Generator().manual_seed(0))
    other = symbols.clone()
    other[~pads] = words[order.to(words.device)]
    one, two = (
        call(*with_tensors((args, kwargs), partial(exchanged, old, new)))[0]
        for new in (symbols, other)
    )
    return float(difference(one, two)[rows].mean())
