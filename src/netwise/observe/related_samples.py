"""Samples that a module relates on purpose, as graph networks and comparisons of all pairs do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.nested import tensors_in, with_tensors
from netwise.observe.sample_axes import SampleAxis


def relates_samples(
    module: nn.Module,
    call: Callable[[Any, Any], list[Tensor]],
    args: Any,
    kwargs: Any,
    axis: SampleAxis,
    before: Sequence[Tensor],
) -> bool:
    """Whether samples are related by a list of pairs among the inputs, by a sparse matrix of the
    module, or by a matrix of samples by samples among inputs, constants or outputs.

    Args:
        call: gives the outputs for inputs.
        args, kwargs: the inputs.
        axis: where samples lie.
        before: the outputs for them.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from netwise.observe.sample_axes import sample_axes
        >>> x, pairs = torch.eye(4), lambda args, kwargs: [args[0] @ args[0].T]
        >>> axis = sample_axes([x])[0]
        >>> relates_samples(nn.Identity(), pairs, (x,), {}, axis, pairs((x,), {}))
        True
        >>> centred = lambda args, kwargs: [args[0] - args[0].mean(0)]
        >>> relates_samples(nn.Identity(), centred, (x,), {}, axis, centred((x,), {}))
        False
    """
    inputs, constants = list(tensors_in((args, kwargs))), _constants_of(module)
    if any(_holds_pairs(t) for t in inputs[1:]):
        return True
    if any(t.layout != torch.strided for t in constants):
        return True
    square = (axis.samples, axis.samples)
    if not any(tuple(t.shape) == square for t in (*inputs, *constants, *before)):
        return False
    # As many features as samples look the same, but their number does not follow that of samples.
    members = {id(inputs[i]) for i in axis.members}

    def one_less(tensor: Tensor) -> Tensor:
        is_member = id(tensor) in members
        return tensor.narrow(axis.axis, 0, axis.samples - 1) if is_member else tensor

    try:
        after = call(*with_tensors((args, kwargs), one_less))
        return any(_axes_changed(*pair) > 1 for pair in zip(before, after, strict=True))
    except Exception:  # a matrix of all samples does not fit fewer
        return True


def _constants_of(module: nn.Module) -> list[Tensor]:
    """Buffers, and tensors that are attributes of the module's parts."""
    found = [*module.buffers()]
    for part in module.modules():
        found += [t for name, v in vars(part).items() if name[0] != "_" for t in tensors_in(v)]
    return found


def _holds_pairs(t: Tensor) -> bool:
    is_index = not t.is_floating_point() and t.dtype != torch.bool
    return t.dim() == 2 and 2 in t.shape and is_index


def _axes_changed(before: Tensor, after: Tensor) -> int:
    return sum(x != y for x, y in zip(before.shape, after.shape, strict=True))
