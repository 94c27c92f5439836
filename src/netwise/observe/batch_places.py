"""Whether outputs for a sample depend on its place in the batch: a table that is added along the
axis of the samples, as a positional encoding for inputs with the time first is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.nested import tensors_in, with_tensors
from netwise.observe.operations import Operation, traced
from netwise.observe.sample_axes import SampleAxis, difference, tolerance_of

Call = Callable[[Any, Any], list[Tensor]]


def added_by_place(
    module: nn.Module,
    call: Call,
    args: Any,
    kwargs: Any,
    axis: SampleAxis,
    before: Sequence[Tensor],
    otherwise: Call,
) -> tuple[str, str]:
    """The operation that joins samples with what belongs to their places in the batch, and its
    line; ("", "") without one.

    Args:
        module: the copy that `call` calls.
        call: gives the outputs for inputs.
        args, kwargs: the inputs.
        axis: where samples lie; only axis 0 is read.
        before: the outputs.
        otherwise: the same with other random numbers: noise is no table.

    Example:
        >>> class Placed(nn.Module):
        ...     def forward(self, x):
        ...         return x + torch.arange(5.0)[:, None]
        >>> x = torch.rand(5, 3)
        >>> call = lambda args, kwargs: [Placed()(*args)]
        >>> axis = SampleAxis(0, 5, (0,))
        >>> added_by_place(Placed(), call, (x,), {}, axis, [Placed()(x)], call)[0]
        'add of (5, 3)'
    """
    n = axis.samples
    if axis.axis or any(not t.dim() or t.shape[0] != n for t in before):
        return "", ""
    chosen = {id(t) for i, t in enumerate(tensors_in((args, kwargs))) if i in axis.members}
    turned = with_tensors((args, kwargs), lambda t: t.detach().flip(0) if id(t) in chosen else t)
    if all(_turns(b, a) for b, a in zip(before, call(*turned), strict=True)):
        return "", ""
    first, second = traced(module, call, (args, kwargs)), traced(module, call, turned)
    if [each.name for each in first] != [each.name for each in second]:
        return "", ""
    third = traced(module, otherwise, (args, kwargs))
    if [each.name for each in first] != [each.name for each in third]:
        return "", ""
    for one, other, drawn in zip(first, second, third, strict=True):
        if _joins_places(one, other, drawn, n):
            name = one.name.strip("_")
            return f"{name} of {tuple(one.output.shape)}", one.line
    return "", ""


def _turns(before: Tensor, after: Tensor) -> bool:
    """Whether a value is turned with the samples."""
    if before.shape != after.shape:
        return True  # nothing can be said
    return float(difference(before, after.flip(0)).max()) <= tolerance_of(before)


def _joins_places(one: Operation, other: Operation, drawn: Operation, samples: int) -> bool:
    """Whether an operation has an input with the samples, and one that stays in its place, is
    another for each of them, and does not follow from random numbers."""
    if one.output.shape[:1] != (samples,) or _turns(one.output, other.output):
        return False
    kinds = set()
    for a, b, c in zip(one.inputs, other.inputs, drawn.inputs, strict=False):
        if a.shape != b.shape or a.shape[:1] != (samples,):
            continue
        if torch.equal(a, b):
            if a.shape != c.shape or not torch.equal(a, c):
                return False  # noise
            kinds.add("fixed" if not torch.equal(a, a.flip(0)) else "even")
        elif _turns(a, b):
            kinds.add("samples")
    return {"fixed", "samples"} <= kinds
