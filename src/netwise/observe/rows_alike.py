"""Outputs that are one and the same row for all samples of a batch, though they depend on it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.nested import tensors_in, with_tensors
from netwise.observe.operations import traced
from netwise.observe.sample_axes import difference, tolerance_of

FEWEST = 4  # rows
MOVED = 0.1  # of the weights, in their standard deviations: a last layer of zeros is none then


def rows_alike(
    module: nn.Module,
    call: Callable[[nn.Module, Any, Any], list[Tensor]],
    args: Any,
    kwargs: Any,
    before: Sequence[Tensor],
    samples: int | None,
) -> tuple[str, str]:
    """The operation since which all rows of the first output are the same, such as "expand to
    (25, 24)", and its line; ("", "") where they differ. Only inside of `undisturbed`.

    Args:
        module: a copy.
        call: gives the outputs of a module.
        args, kwargs: of one call.
        before: its outputs.
        samples: of the batch, where the targets show it.
    """
    if not before or not _are_alike(before[0]):
        return "", ""
    inputs = [t for t in tensors_in((args, kwargs)) if t.dim() and len(t) > 1]
    if not any(bool((t != t[:1]).any()) for t in inputs):
        return "", ""
    other = copy.deepcopy(module)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in other.parameters():
            if p.is_floating_point() and p.numel():
                spread = float(p.float().std()) if p.numel() > 1 else 0.0
                noise = torch.randn(p.shape, generator=generator).to(p)
                p.add_(noise, alpha=MOVED * (spread or 1.0))
        outputs = call(other, args, kwargs)
        first = outputs[0] if outputs else None
        if first is None or not _are_alike(first) or samples not in (None, len(first)):
            return "", ""

        def moved(tensor: Tensor) -> Tensor:
            if not tensor.is_floating_point():
                order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
                return tensor.flatten()[order].reshape(tensor.shape)
            return tensor + torch.randn(tensor.shape, generator=generator).to(tensor)

        changed = call(other, *with_tensors((args, kwargs), moved))[0]
        if changed.shape == first.shape and (
            float(difference(first, changed).max()) <= tolerance_of(first)
        ):
            return "", ""  # of no input at all: another fault
    operations = traced(other, lambda a, k: call(other, a, k), (args, kwargs))
    since = None
    for each in reversed([o for o in operations if o.output.shape[:1] == first.shape[:1]]):
        if not _are_alike(each.output):
            break
        since = each
    if since is None:
        return "an operation of the forward pass", ""
    return f"{since.name} to {tuple(since.output.shape)}", since.line


def _are_alike(values: Tensor) -> bool:
    if values.dim() < 1 or len(values) < FEWEST:
        return False
    rows: Sequence[Tensor] = (values, values[:1].expand_as(values))
    return float(difference(*rows).max()) <= tolerance_of(values) / 10
