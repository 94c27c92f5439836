"""Formulas of losses that are written out with elementary operations: a hinge, a softmax, and
functions of the right class's probability."""

from __future__ import annotations

from collections import deque

from torch import Tensor

from netwise.observe.autograd_nodes import (
    LAYERS,
    PRODUCTS,
    Node,
    inputs_of,
    is_opaque,
    may_be_packed,
    only_input,
    operation,
    past_moves,
    saved,
)

_MOST_NODES = 60
_CUTS = ("Clamp", "ClampMin", "Relu", "Maximum")
_PICKS = ("Gather", "Index")


def hinge_parts(node: Node) -> tuple[Node, Tensor] | None:
    """The outputs and targets of max(0, margin - target * output), also as torch writes its ranking
    loss, max(0, -target * output + margin); None for any other formula.

    >>> import torch
    >>> output, target = torch.ones(3, requires_grad=True), torch.tensor([1.0, -1.0, 1.0])
    >>> hinge_parts((1 - target * (2 * output)).clamp(min=0).grad_fn)[1].tolist()
    [1.0, -1.0, 1.0]
    """
    if operation(node) not in _CUTS:
        return None
    difference = only_input(node)
    if difference is not None and operation(difference) == "Add":
        return _ranking_parts(difference)
    if difference is None or operation(difference) not in ("Rsub", "Sub"):
        return None
    product = only_input(difference)
    is_subtracted = operation(difference) == "Rsub" or difference.next_functions[0][0] is None
    if product is None or not is_subtracted or operation(product) != "Mul":
        return None
    output = only_input(product)
    first = product.next_functions[0][0] is not None
    target = saved(product, "other" if first else "self")
    if output is None or not isinstance(target, Tensor) or target.numel() < 2:
        return None
    whole = target.float()
    few = bool(((whole == 0) | (whole.abs() == 1)).all())
    return (output, target) if few else None


def _ranking_parts(total: Node) -> tuple[Node, Tensor] | None:
    """A difference of two outputs, and targets, in -target * (a - b) + margin."""
    product = only_input(total)
    if product is None or operation(product) != "Mul":
        return None
    output = only_input(product)
    first = product.next_functions[0][0] is not None
    negative = saved(product, "other" if first else "self")
    if output is None or operation(output) != "Sub" or len(inputs_of(output)) != 2:
        return None
    if not isinstance(negative, Tensor) or negative.numel() < 2:
        return None
    target = -negative.float()
    few = bool(((target == 0) | (target.abs() == 1)).all())
    return (output, target) if few and bool((target > 0).any()) else None


def pair_parts(node: Node) -> tuple[Node, Tensor] | None:
    """The way to the outputs, and the targets, of torch's loss of cosines of pairs: a sum of one
    part where the target is 1 and of another where it is -1; None for any other formula.

    >>> import torch
    >>> one, other = torch.eye(3).requires_grad_(), torch.ones(3, 3)
    >>> target = torch.tensor([1.0, -1.0, 0.0])
    >>> loss = torch.nn.functional.cosine_embedding_loss(one, other, target, reduction="none")
    >>> pair_parts(loss.grad_fn)[1].tolist()
    [1.0, -1.0, 0.0]
    """
    inputs = inputs_of(node) if operation(node) == "Add" else []
    parts = [part for part, _ in inputs]
    if len(parts) != 2 or any(operation(part) != "Where" for part in parts):
        return None
    alike, different = (saved(part, "condition") for part in parts)
    if not isinstance(alike, Tensor) or not isinstance(different, Tensor):
        return None
    below = only_input(parts[0])
    if alike.shape != different.shape or below is None or not _is_one_minus_cosine(below):
        return None
    if bool((alike & different).any()):
        return None
    return below, alike.float() - different.float()


def _is_one_minus_cosine(node: Node) -> bool:
    """Whether a value is 1 minus a quotient by a root."""
    cosine = only_input(node) if operation(node) in ("Sub", "Rsub") else None
    inputs = inputs_of(cosine) if cosine is not None and operation(cosine) == "Div" else []
    return len(inputs) == 2 and operation(inputs[1][0]) == "Sqrt"


def is_written_softmax(node: Node) -> bool:
    """Whether a quotient is exp(x) / sum(exp(x)).

    >>> import torch
    >>> e = (2 * torch.ones(2, 3, requires_grad=True)).exp()
    >>> is_written_softmax((e / e.sum(1, keepdim=True)).grad_fn)
    True
    """
    inputs = inputs_of(node) if operation(node) == "Div" else []
    if len(inputs) != 2:
        return False
    top, below = past_moves(inputs[0][0]), past_moves(inputs[1][0])
    if operation(top) != "Exp" or operation(below) != "Sum":
        return False
    summed = past_moves(below.next_functions[0][0])
    if summed is top:
        return True
    return operation(summed) == "Exp" and only_input(summed) is only_input(top)


def picked_below(root: Node) -> Node | None:
    """The selection of the right class's value that all paths from a formula lead to; None without
    one. So a focal loss is a function of this value.

    Ratios to earlier probabilities and weights below 0 are those of policy gradients: no loss of
    classes."""
    picks: set[Node] = set()
    seen, waiting = {root}, deque([root])
    while waiting:
        node = waiting.popleft()
        kind = operation(node)
        if kind in LAYERS or kind in PRODUCTS or kind == "AccumulateGrad" or is_opaque(node):
            return None
        if may_be_packed(node):
            return None
        if kind in _PICKS:
            picks.add(node)
            continue
        if len(seen) > _MOST_NODES or not inputs_of(node) or _is_of_policy(node):
            return None
        for child, _ in inputs_of(node):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    if len(picks) != 1:
        return None
    return next(iter(picks))


def _is_of_policy(node: Node) -> bool:
    """A difference to a constant, as in exp(log p - log p_old), or a product with advantages."""
    if operation(node) == "Sub" and only_input(node) is not None:
        return True
    if operation(node) != "Mul" or only_input(node) is None:
        return False
    weights = saved(node, "other" if node.next_functions[0][0] is not None else "self")
    return isinstance(weights, Tensor) and weights.numel() > 1 and bool((weights < 0).any())
