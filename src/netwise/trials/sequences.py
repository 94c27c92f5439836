"""Sequences with something changed: batches without padding, and positions added to embeddings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.nested import tensors_in, with_tensors
from netwise.observe.padding_masks import padding_of

FEWEST_PLACES = 4
PERIOD = 100.0  # the slowest of the waves, in places


def without_padding(batches: Sequence[KeptBatch]) -> tuple[KeptBatch, ...] | None:
    """The same rows in batches of one length each, cut to it; None where no input is a matrix of
    symbols with padding at the ends of its rows, or where tensors have no rows of samples.

    Args:
        batches: with targets.
    """
    rows: dict[int, list[list[Tensor]]] = {}
    for batch in batches:
        tensors = [*tensors_in((batch.args, batch.kwargs))]
        number = _padded(tensors)
        if number is None or batch.target is None:
            return None
        if any(t.dim() == 0 or len(t) != len(batch.target) for t in tensors):
            return None
        pads = padding_of(tensors[number])
        assert pads is not None
        lengths = (~pads).sum(1)
        for length in set(lengths.tolist()) - {0}:
            chosen = lengths == length
            parts = [t[chosen] for t in (*tensors, batch.target)]
            parts[number] = parts[number][:, :length]
            rows.setdefault(int(length), []).append(parts)
    made = []
    for parts_of_length in rows.values():
        whole = [torch.cat(list(parts)) for parts in zip(*parts_of_length, strict=True)]
        for place in range(0, len(whole[0]), len(batches[0].inputs[0])):
            some = [t[place : place + len(batches[0].inputs[0])] for t in whole]
            made.append(_with(batches[0], some))
    return tuple(made)


def _padded(tensors: Sequence[Tensor]) -> int | None:
    for number, tensor in enumerate(tensors):
        whole = not tensor.is_floating_point() and tensor.dtype != torch.bool
        if whole and tensor.dim() == 2 and tensor.shape[1] >= FEWEST_PLACES:
            pads = padding_of(tensor)
            if pads is not None and bool(pads[:, -1].any()):
                return number
    return None


def _with(batch: KeptBatch, tensors: Sequence[Tensor]) -> KeptBatch:
    """A batch like this one, of these inputs and this target."""
    *inputs, target = tensors
    left = iter(inputs)
    args, kwargs = with_tensors((batch.args, batch.kwargs), lambda _: next(left))
    return replace(batch, args=args, kwargs=kwargs, target=target, rows=len(target))


def add_positions(module: nn.Module) -> bool:
    """Let the embeddings of a copy add waves of their places to rows of symbols; whether it has
    such a layer.

    Args:
        module: a copy, which keeps the hook.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Embedding)]
    for layer in layers:
        layer.register_forward_hook(_placed)
    return bool(layers)


def _placed(layer: Any, args: Any, output: Tensor) -> Tensor:
    symbols = args[0]
    if symbols.dim() != 2 or symbols.shape[1] < FEWEST_PLACES or output.dim() != 3:
        return output
    places, width = output.shape[1:]
    at = torch.arange(places, device=output.device)[:, None]
    waves = torch.arange(width, device=output.device)
    angle = at * torch.exp(-math.log(PERIOD) * (waves // 2 * 2) / width)
    return output + torch.where(waves % 2 == 0, angle.sin(), angle.cos()).to(output.dtype)
