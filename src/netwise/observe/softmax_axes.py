"""Softmax along another axis than that along which the targets are distributions."""

from __future__ import annotations

import math

from torch import Tensor

from netwise.observe.autograd_nodes import (
    Node,
    constant_of,
    inputs_of,
    is_opaque,
    may_be_packed,
    names,
    only_input,
    operation,
    past_moves,
    saved,
    shape_of,
    signed,
)

# What may stand between a loss and the product of targets and log-probabilities.
_AROUND = names("Neg Mean Sum Mul Div Add Sub Rsub Squeeze ToCopy Clone View Reshape")
_LOGARITHMS = names("Log Clamp ClampMin ClampMax Add ToCopy Clone Alias")
_MOST = 40  # nodes
_MOST_NUMBERS = 1 << 20  # of targets that are read
_EXACT = 1e-4  # of a sum of probabilities
_FAR = 0.01  # of the logarithm of the same
OF_CLASSES = "the classes"


def softmax_beside_targets(loss: Node) -> str:
    """The axis of a softmax whose logarithms are multiplied with targets that sum to 1 along
    another axis, such as "axis 1 of (2, 50, 10), targets along axis 2"; "" without one.

    >>> import torch
    >>> x = torch.zeros(2, 5, 3, requires_grad=True)
    >>> targets = torch.eye(3)[torch.tensor([[0, 1, 2, 0, 0]] * 2)]
    >>> loss = -(targets * torch.log_softmax(x, dim=1)).sum(-1).mean()
    >>> softmax_beside_targets(loss.grad_fn)
    'axis 1 of (2, 5, 3), targets along axis 2'
    """
    waiting, seen = [loss], {loss}
    while waiting and len(seen) < _MOST:
        node = waiting.pop()
        kind = operation(node)
        if is_opaque(node) or may_be_packed(node):
            continue
        found = _compared(node) if kind in ("Mul", "KlDiv") else None
        found = _of_classes(node) if kind in ("NllLoss", "NllLoss2D") else found
        if found is not None:
            return found
        if kind in _AROUND:
            for child, _ in inputs_of(node):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
    return ""


def _compared(node: Node) -> str | None:
    """As `softmax_beside_targets`, of one product; None for one of other values."""
    source = only_input(node)
    if operation(node) == "KlDiv":
        source = node.next_functions[0][0]
        targets = None if saved(node, "log_target") else saved(node, "target")
    else:
        targets = constant_of(node)
    softmax = None if source is None else _softmax_of(source)
    if softmax is None or not isinstance(targets, Tensor):
        return None
    shape, given = shape_of(softmax), saved(softmax, "dim")
    if shape is None or len(shape) < 3 or given is None or tuple(targets.shape) != tuple(shape):
        return None  # of two axes `softmax_over_batch` knows
    axis = signed(given) % len(shape)
    along = _distributions(targets)
    if not along or axis in along or shape[axis] < 2:
        return None
    return f"axis {axis} of {tuple(shape)}, targets along axis {along[0]}"


def _of_classes(node: Node) -> str | None:
    """As `softmax_beside_targets`, of log-probabilities from which class numbers choose: along the
    axis of the classes they are no distribution, though a softmax was taken."""
    chosen, source = saved(node, "self"), only_input(node)
    softmax = None if source is None else _softmax_of(past_moves(source))
    if softmax is None or not isinstance(chosen, Tensor) or chosen.dim() < 2:
        return None
    shape, given = shape_of(softmax), saved(softmax, "dim")
    if shape is None or len(shape) < 3 or given is None:
        return None  # of two axes `softmax_over_batch` knows
    if chosen.numel() != math.prod(shape) or chosen.numel() > _MOST_NUMBERS:
        return None  # a part of the classes
    sums = chosen.detach().float().logsumexp(1).abs()
    if not bool((sums > _FAR).all()):
        return None
    return f"axis {signed(given) % len(shape)} of {tuple(shape)}, targets along {OF_CLASSES}"


def _softmax_of(node: Node) -> Node | None:
    """The softmax that logarithms are taken of."""
    below: Node | None = node
    for _ in range(4):
        if below is None or operation(below) in ("LogSoftmax", "Softmax"):
            break
        below = only_input(below) if operation(below) in _LOGARITHMS else None
    return below


def _distributions(targets: Tensor) -> list[int]:
    """The axes along which targets, none below 0, sum to 1 everywhere."""
    if targets.numel() > _MOST_NUMBERS or not targets.is_floating_point():
        return []
    t = targets.detach().float()
    if not bool((t >= 0).all()):
        return []
    axes = [axis for axis, size in enumerate(t.shape) if size > 1]
    return [axis for axis in axes if float((t.sum(axis) - 1).abs().max()) < _EXACT]
