"""Losses of overlap: Dice, Jaccard (IoU) and Tversky scores of outputs and masks, which programs
write by hand as 2 sum(p t) / (sum(p) + sum(t))."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

from netwise.observe.autograd_nodes import (
    MOVES,
    Node,
    inputs_of,
    is_opaque,
    may_be_packed,
    only_input,
    operation,
    past_moves,
    saved,
    shape_of,
)
from netwise.observe.loss_elements import as_number, chain_from
from netwise.observe.loss_ranges import kind_of_targets, limits_of
from netwise.wiring import OVERLAP, LossTerm

_SUMS = ("Sum", "Mean")
_IN_DENOMINATOR = ("Add", "Sub", "Rsub", "Neg", "Mul", "Pow", "Square", "Clamp", "ClampMin", *_SUMS)
_MOST_NODES = 60
OUTSIDE = 1e-3


def overlap_of(root: Node) -> tuple[LossTerm, float] | None:
    """The summand of a loss that is an overlap, and its sign: 1 where the loss falls as the overlap
    grows, such as 1 - dice. None for any other formula.

    >>> p, t = torch.rand(2, 3, requires_grad=True).sigmoid(), torch.ones(2, 3)
    >>> dice = 2 * (p * t).sum() / (p.sum() + t.sum() + 1)
    >>> overlap_of((1 - dice).grad_fn)[1], overlap_of(dice.grad_fn)[1]
    (1.0, -1.0)
    """
    quotient, sign = _quotient(root)
    if quotient is None:
        return None
    (top, _), (below, _) = inputs_of(quotient)
    found = _product(top)
    if found is None:
        return None
    output, mask = found
    if not _reaches(below, output) or not mask.numel() or mask.is_complex():
        return None
    low, high = (float(limit) for limit in torch.aminmax(mask.detach().float()))
    if low < -OUTSIDE:
        return None
    shape = shape_of(output) or ()
    limits = limits_of(output)
    term = LossTerm(
        OVERLAP,
        by_hand=True,
        chain=chain_from(output),
        reduction="mean",
        output_shape=shape,
        target_shape=tuple(mask.shape),
        target_low=low,
        target_high=high,
        target_kind=kind_of_targets(mask, shape),
        output_low=None if limits is None else limits[0],
        output_high=None if limits is None else limits[1],
    )
    return term, -sign


def _quotient(root: Node) -> tuple[Node | None, float]:
    """The quotient of two values with gradients below a loss, and the sign between them."""
    sign, node = 1.0, root
    for _ in range(20):
        if is_opaque(node) or may_be_packed(node):
            return None, sign
        kind, inputs = operation(node), inputs_of(node)
        if kind == "Div" and len(inputs) == 2:
            return node, sign
        if len(inputs) != 1:
            return None, sign
        if kind in ("Mul", "Div"):
            first = node.next_functions[0][0] is not None
            number = as_number(saved(node, "other" if first else "self"))
            if not number or (kind == "Div" and not first):
                return None, sign
            sign *= 1.0 if number > 0 else -1.0
        elif kind in ("Neg", "Rsub") or (kind == "Sub" and node.next_functions[0][0] is None):
            sign = -sign
        elif kind not in ("Add", "Sub", "Log", *_SUMS, *MOVES):
            return None, sign
        node = inputs[0][0]
    return None, sign


def _product(node: Node) -> tuple[Node, Tensor] | None:
    """The outputs and the mask of a sum of their products, with constants around it."""
    is_summed = False
    for _ in range(12):
        if is_opaque(node):
            return None
        kind, below = operation(node), only_input(node)
        if below is None:
            return None
        if kind == "Mul":
            first = node.next_functions[0][0] is not None
            factor = saved(node, "other" if first else "self")
            if as_number(factor) is None and isinstance(factor, Tensor) and is_summed:
                below = past_moves(below)
                is_weighted = operation(below) == "Mul" and len(inputs_of(below)) == 1
                return None if is_weighted else (below, factor)
        elif kind in _SUMS:
            is_summed = True
        elif kind not in ("Add", *MOVES):
            return None
        node = below
    return None


def _reaches(root: Node, output: Node) -> bool:
    """Whether a denominator is made of sums of these outputs."""
    waiting, seen = deque([root]), {root}
    while waiting and len(seen) < _MOST_NODES:
        node = waiting.popleft()
        if past_moves(node) is output:
            return True
        if is_opaque(node) or operation(node) not in (*_IN_DENOMINATOR, *MOVES):
            continue
        for child, _ in inputs_of(node):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return False
