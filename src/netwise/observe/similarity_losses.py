"""Losses that are nothing but cosine similarities, as of two views of a sample: whether they rise
or fall with them."""

from __future__ import annotations

from torch import Tensor

from netwise.observe.autograd_nodes import (
    Node,
    constant_of,
    inputs_of,
    is_opaque,
    may_be_packed,
    names,
    operation,
    shape_of,
)
from netwise.observe.loss_elements import as_number

_SAME_SIGN = names("Mean Sum Squeeze View Reshape ToCopy Clone Alias")
_BEFORE_NORM = names("Clone Expand Clamp ClampMin Unsqueeze View Sqrt Sum")
_NORMS = names("LinalgVectorNorm Norm Pow")
_MOST = 40  # nodes on one way


def similarity_sign(root: Node) -> int:
    """1 where a loss rises with the cosine similarity of outputs and others, -1 where it falls, 0
    where it is anything else, or where its parts do not agree.

    >>> import torch
    >>> from torch.nn import functional as F
    >>> a, b = torch.eye(3).requires_grad_(), torch.ones(3, 3)
    >>> similarity = F.cosine_similarity(a, b).mean()
    >>> [similarity_sign(loss.grad_fn) for loss in (similarity, 2 - 2 * similarity, a.sum())]
    [1, -1, 0]
    """
    return _sign(root, _MOST)


def _sign(node: Node, left: int) -> int:
    sign = 1
    for _ in range(left):
        kind, inputs = operation(node), inputs_of(node)
        if is_opaque(node) or may_be_packed(node) or not inputs:
            return 0
        if kind == "Mul" and (found := _similarity(node)) is not None:
            return sign if found else 0
        if len(inputs) > 1:
            both = {_sign(child, left // 2) for child, _ in inputs} if kind == "Add" else {0}
            return sign * both.pop() if len(both) == 1 else 0
        if kind == "Neg" or kind == "Rsub":
            sign = -sign
        elif kind == "Sub":
            sign = sign if node.next_functions[0][0] is not None else -sign
        elif kind in ("Mul", "Div"):
            factor = _constant(node)
            if factor is None or not factor:
                return 0
            sign = sign if factor > 0 else -sign
        elif kind not in (*_SAME_SIGN, "Add"):
            return 0
        node = inputs[0][0]
    return 0


def _constant(node: Node) -> float | None:
    """The number that a product or a quotient has beside its value."""
    is_divided = operation(node) == "Div" and node.next_functions[0][0] is None
    return None if is_divided else as_number(constant_of(node))


def _similarity(node: Node) -> bool | None:
    """Whether a product is one of vectors of length 1; None where it is no product of vectors."""
    sides = [child for child, _ in inputs_of(node)]
    if all(_is_unit(side) for side in sides):
        if len(sides) == 2:
            return sides[0] is not sides[1]
        other, shape = constant_of(node), shape_of(node)
        if not isinstance(other, Tensor) or shape is None or other.shape != shape:
            return None
        lengths = other.detach().float().norm(dim=-1)
        return bool(((lengths - 1).abs() < 1e-3).all())
    return None


def _is_unit(node: Node) -> bool:
    """Whether a value is a vector over its own length."""
    inputs = inputs_of(node) if operation(node) == "Div" else []
    if len(inputs) != 2:
        return False
    vector, length = inputs[0][0], inputs[1][0]
    for _ in range(6):
        if operation(length) in _NORMS:
            return any(child is vector for child, _ in inputs_of(length))
        below = inputs_of(length)
        if operation(length) not in _BEFORE_NORM or len(below) != 1:
            return False
        length = below[0][0]
    return False
