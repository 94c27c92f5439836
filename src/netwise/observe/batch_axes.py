"""Losses that mix the samples of a batch by accident: a broadcast between outputs and targets, a
softmax along the axis of the samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from netwise.observe.autograd_nodes import (
    LAYERS,
    MOVES,
    PRODUCTS,
    Node,
    inputs_of,
    is_opaque,
    is_weight,
    names,
    only_input,
    operation,
    past_moves,
    saved,
    shape_of,
    signed,
)

# Losses of torch that compare an output and a target of one shape.
ELEMENTWISE_LOSSES = ("MseLoss", "SmoothL1Loss", "HuberLoss", "BinaryCrossEntropy")
# What may stand between a softmax of outputs and the loss.
_AFTER_SOFTMAX = names(
    "NllLoss MseLoss SmoothL1Loss HuberLoss BinaryCrossEntropy BinaryCrossEntropyWithLogits "
    "Neg Log Log2 Log10 Clamp ClampMin ClampMax Mean Sum Mul Div Add Sub Rsub Pow Abs Gather "
    "Index Squeeze ToCopy Clone Softmax LogSoftmax"
)
_MOST = 100  # nodes between a loss and a softmax
_CHECKED = 16  # rows and columns of a matrix of residuals that are compared


def widened(between: Mapping[Node, Node | None]) -> str:
    """Shapes before and after a broadcast of outputs (n, 1) and targets (n,), or the other way
    round, to (n, n); "" without one. More axes of one number each do not matter: outputs (1, n, 1)
    and targets (1, n) become (1, n, n).

    The other operand must be a constant that is proved to be a row or a column: by its saved
    value, its strides, or the residuals that the loss saved. A new axis (`x[:, None]`) is made on
    purpose.

    Args:
        between: the nodes between the loss and the last layers, from `head`.
    """
    for node, parent in between.items():
        kind = operation(node)
        if kind in ("Add", "Sub", "Mul", "Div") and _two_outputs_meet(node):
            return f"{(shape_of(node) or (0,))[0], 1} to {shape_of(node)}"
        if kind not in ("Sub", "Rsub", "Mul", "Div", "Expand"):
            continue
        shape = shape_of(node)
        axes = [axis for axis, size in enumerate(shape or ()) if size > 1]
        if shape is None or len(axes) != 2 or shape[axes[0]] != shape[axes[1]]:
            continue
        inputs = inputs_of(node)
        if len(inputs) != 1 or _has_new_axis(inputs[0][0]):
            continue
        before = shape_of(*inputs[0])
        if before is None or math.prod(before) != shape[axes[0]]:
            continue
        column = ((1,) * (len(shape) - len(before)) + before)[axes[1]] == 1
        if not column and len(before) == len(shape):
            continue
        if kind in ("Mul", "Div"):
            proved = _other_is_vector(node, column, len(shape), axes)
        else:
            proved = _residual_is_outer(node, parent, between, axes[0] if column else axes[1])
        if proved:
            return f"{before} to {shape}"
    return ""


def _two_outputs_meet(node: Node) -> bool:
    """Whether two values with gradients of shapes (n, 1) and (n,) are joined to (n, n), as in a
    residual one of whose parts was squeezed. A column that was made of a row, and a row that is the
    same output as the column, are compared pair by pair on purpose."""
    shape, inputs = shape_of(node), inputs_of(node)
    if shape is None or len(shape) != 2 or shape[0] != shape[1] or len(inputs) != 2:
        return False
    if shape[0] < 3:
        return False
    sides = {shape_of(*each): each[0] for each in inputs}
    column, row = sides.get((shape[0], 1)), sides.get((shape[0],))
    if column is None or row is None or _has_new_axis(column):
        return False
    return past_moves(column) is not past_moves(row)


def _has_new_axis(node: Node | None) -> bool:
    while node is not None and operation(node) in MOVES:
        if operation(node) == "Unsqueeze":
            return True
        after, node = shape_of(node), only_input(node)
        if node is not None and len(shape_of(node) or ()) < len(after or ()):
            return operation(node) not in LAYERS  # which puts the axes of its input back itself
    return False


def _other_is_vector(node: Node, column: bool, dims: int, axes: Sequence[int]) -> bool:
    """Whether the constant factor beside a column is a row, or beside a row a column."""
    first = node.next_functions[0][0] is not None
    other = saved(node, "other" if first else "self")
    if not isinstance(other, Tensor) or other.dim() > dims:
        return False
    sizes = (1,) * (dims - other.dim()) + tuple(other.shape)
    return (sizes[axes[0]] == 1) == column and (sizes[axes[1]] == 1) != column


def _residual_is_outer(
    node: Node, parent: Node | None, between: Mapping[Node, Node | None], own: int
) -> bool:
    """Whether outputs of shape (n, 1) or (n,) meet a constant of the other of these shapes.

    Args:
        own: the axis along which the outputs differ, and the constant is repeated.
    """
    if operation(node) == "Expand":
        if parent is None:
            return False
        if operation(parent) in ELEMENTWISE_LOSSES:
            target = saved(parent, "target")
            return isinstance(target, Tensor) and target.stride()[own] == 0
        if operation(parent) != "Sub" or len(inputs_of(parent)) != 1:
            return False
        parent = between.get(parent)
    if parent is None or operation(parent) not in ("Pow", "Abs", "Mul", "HuberLoss"):
        return False
    residual = saved(parent, "self")
    return isinstance(residual, Tensor) and _is_outer_difference(residual.squeeze())


def _is_outer_difference(residual: Tensor) -> bool:
    """Whether residual[i, j] = a[i] - b[j]: its rows differ by constants alone."""
    r = residual[:_CHECKED, :_CHECKED].double()
    if r.dim() != 2 or r.shape[0] != r.shape[1]:
        return False
    differences = r - r[:, :1]
    uneven = float((differences - differences[:1]).abs().max())
    return uneven <= 1e-5 * float(r.abs().max())


def softmax_over_batch(loss: Node) -> str:
    """Shape of a softmax over the samples of a batch right before the loss; "" without one.

    Softmax of attention and of similarities between samples (contrastive losses) are made on
    purpose: they are multiplied with values, or their input is a product of two outputs.
    """
    waiting, seen = [loss], {loss}
    along_classes: set[Node] = set()
    found: list[tuple[Node, tuple[int, ...]]] = []
    while waiting and len(seen) < _MOST:
        node = waiting.pop()
        kind = operation(node)
        if kind not in _AFTER_SOFTMAX or is_opaque(node):
            continue
        inputs = inputs_of(node)
        if len(inputs) > 1 and kind in ("Mul", "Div", "Pow", "MseLoss"):
            continue
        if kind in ("Softmax", "LogSoftmax"):
            shape = shape_of(node) or ()
            axis = signed(saved(node, "dim"))
            if len(shape) == 2 and shape[0] > 1 and shape[1] > 1:
                if axis in (0, -2) and inputs:
                    found.append((inputs[0][0], shape))
                elif inputs:
                    along_classes.add(inputs[0][0])
        for child, _ in inputs:
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    for source, shape in found:
        if source not in along_classes and not _is_similarity(source):
            return str(shape)
    return ""


def _is_similarity(node: Node) -> bool:
    """Whether a value is a product of two outputs, as in a contrastive loss."""
    for _ in range(_MOST):
        kind, inputs = operation(node), inputs_of(node)
        if kind in PRODUCTS:
            return len(inputs) > 1 and not any(is_weight(child) for child, _ in inputs)
        if kind in LAYERS or is_opaque(node) or not inputs:
            return False
        node = inputs[0][0]
    return False
