"""Softmax inside of a network over an axis of one number: all results are 1, or 0 as logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.operations import Operation

SOFTMAXES = ("softmax", "log_softmax", "softmin", "gumbel_softmax")
PRODUCTS = ("matmul", "__matmul__", "mm")


def softmax_of_one(operations: Sequence[Operation]) -> tuple[str, str, str]:
    """A softmax over the single unit of a layer, such as "softmax over axis 2 of (50, 20, 1)", the
    layer, and the line; empty without one.

    The unit is one by the layer's shape, whatever the batch: attention over sequences of one place,
    or over one neighbour, is none. The result has another axis beside that of the samples, over
    which the softmax was meant.
    """
    for place, each in enumerate(operations):
        axis = _axis(each)
        shape = tuple(each.output.shape)
        if axis is None or shape[axis] != 1:
            continue
        if not any(size > 1 for other, size in enumerate(shape) if other not in (0, axis)):
            continue
        maker = _maker(operations, place)
        if maker is not None and _unit_axis(maker, shape) == axis:
            return f"{each.name} over axis {axis} of {shape}", maker.layer, each.line
    return "", "", ""


def _axis(operation: Operation) -> int | None:
    """The axis of a softmax, from 0; None for other operations."""
    if operation.name not in SOFTMAXES or not operation.inputs:
        return None
    place = 3 if operation.name == "gumbel_softmax" else 1
    given: Any = operation.kwargs.get("dim", (*operation.args, *[None] * 4)[place])
    axes = operation.output.dim()
    if not isinstance(given, int) or not -axes <= given < axes:
        return None
    return given % axes


def _maker(operations: Sequence[Operation], place: int) -> Operation | None:
    """The layer whose results, changed at most number by number, are the inputs of an operation."""
    value = operations[place].inputs[0]
    for each in reversed(operations[:place]):
        if each.output.shape != value.shape or not torch.equal(each.output, value):
            continue
        if each.name == "linear" or each.name.startswith("conv") or each.name in PRODUCTS:
            return each
        if not each.inputs or each.inputs[0].shape != value.shape:
            return None
        value = each.inputs[0]
    return None


def _unit_axis(maker: Operation, shape: Sequence[int]) -> int | None:
    """The axis of the units of a layer that has one; None for others."""
    weights = [t for t in maker.args[1:] if isinstance(t, Tensor)]
    weight = maker.kwargs.get("weight", weights[0] if weights else None)
    if weight is None:
        return None
    if maker.name in PRODUCTS:
        is_layer = isinstance(weight, nn.Parameter) and weight.dim() == 2
        return len(shape) - 1 if is_layer and weight.shape[1] == 1 else None
    if maker.name == "linear":
        return len(shape) - 1 if weight.dim() == 2 and weight.shape[0] == 1 else None
    units = weight.shape[1] if "transpose" in maker.name else weight.shape[0]
    return 1 if units == 1 and weight.dim() == len(shape) else None
