"""Outputs and targets of a loss: recovered where only their difference is saved, their shapes and
their ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from netwise.observe.autograd_nodes import (
    CALL,
    MARK,
    Node,
    only_input,
    operation,
    past_moves,
    saved,
    shape_of,
)
from netwise.observe.loss_elements import SAME_VALUES, Match, picked_classes, shape_of_input

LARGEST = 1 << 20  # numbers that are read of one tensor
_PICKS = ("Gather", "Index")
_ELEMENTWISE = ("Log", "Clamp", "ClampMin", "ClampMax", "Add", "Mul", "Div", "Neg")
LEAST_RANGE = 100.0  # of targets, over the rounding of the difference that they are recovered from
_MOST_STEPS = 8  # operations between a loss and the selection of the right classes


def from_residual(found: Match, outputs: Sequence[Tensor]) -> tuple[Tensor | None, Tensor | None]:
    """Output and target of a loss that kept only their difference."""
    residual = found.residual
    assert residual is not None
    output = saved(found.source, "result") if found.source is not None else None
    if not isinstance(output, Tensor):
        output = _output_of(found.source, residual, outputs)
    if output is None or output.shape != residual.shape or not residual.numel():
        return output, None
    target = output - residual if found.residual_sign == 1 else output + residual
    few = _few(target)
    rounding = 1e-5 * float(_few(residual).abs().max())
    # Of outputs that are huge or not finite the difference does not tell the targets; nor is a
    # single number for all of them certain.
    is_known = float(few.max() - few.min()) > LEAST_RANGE * rounding
    return output.detach(), _without_rounding(target, few, rounding) if is_known else None


def _without_rounding(target: Tensor, few: Tensor, rounding: float) -> Tensor:
    """Whole numbers where all are whole but for the rounding of a difference."""
    if not target.is_floating_point() or rounding > 0.01:
        return target
    whole = bool(((few - few.round()).abs() <= max(rounding, 1e-6)).all())
    return target.round() if whole else target


def _output_of(source: Node | None, residual: Tensor, outputs: Sequence[Tensor]) -> Tensor | None:
    """The output of a module that a residual was made of, also where it was reshaped.

    An output with a graph is known by its node, and a copy without one by the number of its call.
    Of others only the shape can be compared, and another value (a slope, a norm) can have this
    shape: so the node must be marked.
    """
    for _ in range(8):
        if source is None:
            break
        output = next((o for o in outputs if o.grad_fn is source), None)
        if output is None and CALL in source.metadata:
            call = source.metadata[CALL]
            output = next((o for o in outputs if getattr(o, CALL, None) == call), None)
        elif output is None and MARK in source.metadata:
            shape = shape_of(source)
            detached = (o for o in outputs if o.grad_fn is None and tuple(o.shape) == shape)
            output = next(detached, None)
        if output is not None:
            same = output.numel() == residual.numel()
            return output.detach().reshape(residual.shape) if same else None
        source = only_input(source) if operation(source) in SAME_VALUES else None
    return None


def shape_before(source: Node | None) -> tuple[int, ...]:
    """Shape of an output, before it was widened to that of the targets, or before the value of the
    right class was picked from each row."""
    if source is None:
        return ()
    if operation(source) == "Expand":
        return shape_of_input(source) or ()
    node: Node | None = source
    for _ in range(_MOST_STEPS):
        if node is None or operation(node) not in (*_PICKS, *_ELEMENTWISE):
            break
        if operation(node) in _PICKS and picked_classes(node) is not None:
            return shape_of_input(node) or ()
        node = only_input(node)
    return shape_of(source) or ()


def before_expand(target: Tensor | None) -> Tensor | None:
    """Targets before they were widened to the shape of the outputs."""
    if target is None or target.is_sparse or target.layout != torch.strided:
        return target
    for axis, stride in enumerate(target.stride()):
        if stride == 0 and target.shape[axis] > 1:
            target = target.narrow(axis, 0, 1)
    while target.dim() > 1 and target.shape[0] == 1 and target.stride()[0] == 0:
        target = target[0]
    return target


def shape_or_empty(value: Tensor | None) -> tuple[int, ...]:
    return tuple(value.shape) if isinstance(value, Tensor) else ()


def _few(values: Tensor) -> Tensor:
    """The first rows of a large tensor."""
    if values.numel() <= LARGEST or not values.dim():
        return values
    return values[: max(1, LARGEST * values.shape[0] // values.numel())]


def _too_long(node: Node) -> float | None:
    """Share of the samples whose CTC loss is infinite: no path of their time steps, with a blank
    between equal labels, gives all labels."""
    losses = saved(node, "result0")
    if not isinstance(losses, Tensor) or not losses.numel():
        return None
    return float(losses.isinf().double().mean())


def target_facts(found: Match, output: Tensor | None, target: Tensor | None) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    source = past_moves(found.source) if found.source is not None else None
    is_likelihood = operation(found.node).startswith(("NllLoss", "CtcLoss", "CudnnCtcLoss"))
    if "CtcLoss" in operation(found.node):
        facts["too_long"] = _too_long(found.node)
    is_proper = source is not None and operation(source) == "LogSoftmax"
    if is_likelihood and not is_proper and output is not None and output.numel():
        facts["highest"] = float(_few(output).max())
    is_number = target is not None and (
        target.is_floating_point() or (output is not None and target.shape == output.shape)
    )
    if target is not None and is_number and target.numel() and not target.is_complex():
        few = _few(target).float()
        low, high = torch.aminmax(few)
        facts["target_low"], facts["target_high"] = float(low), float(high)
        if few.dim() == 2 and few.shape[1] > 1:
            least, most = torch.aminmax(few.sum(1))
            facts["target_row_sums"] = (float(least), float(most))
    return facts
