"""Second derivatives inside of a loss that are exactly 0, such as those of a network of rectifiers:
no gradient leads from them to the weights."""

from __future__ import annotations

from collections import deque

from torch import Tensor

from netwise.observe.autograd_nodes import LAYERS, Node, is_opaque, operation, saved

_MOST_NODES = 60
_ENDING = "Backward"
# Names of the saved inputs of products, by their place among the inputs.
_INPUTS = {"Mm": ("self", "mat2"), "Bmm": ("self", "mat2"), "Mul": ("self", "other")}


def zero_derivative(root: Node) -> str:
    """The activation whose derivative a loss contains, where that derivative is exactly 0 for all
    samples; "" without one.

    Args:
        root: of a loss or of one of its summands.

    Example:
        >>> import torch
        >>> x = torch.ones(3, 1, requires_grad=True)
        >>> weight = torch.ones(1, 1, requires_grad=True)
        >>> def second(f):
        ...     slope = torch.autograd.grad(f(x @ weight).sum(), x, create_graph=True)[0]
        ...     return torch.autograd.grad(slope.sum(), x, create_graph=True)[0]
        >>> zero_derivative(second(torch.relu).sum().grad_fn)
        'Relu'
        >>> zero_derivative(second(torch.tanh).sum().grad_fn)
        ''
    """
    seen, waiting = {root}, deque([root])
    while waiting and len(seen) < _MOST_NODES:
        node = waiting.popleft()
        if operation(node) in LAYERS or is_opaque(node):
            continue
        for place, (child, _) in enumerate(node.next_functions):
            if child is None or child in seen:
                continue
            derivative = _derivative(child)
            if derivative and _is_zero(node, place):
                return _activation(derivative)
            seen.add(child)
            waiting.append(child)
    return ""


def _derivative(node: Node) -> str:
    """The derivative of an activation that a node is, or a sum that it is a part of."""
    waiting = [node]
    for _ in range(8):
        if not waiting:
            break
        node = waiting.pop(0)
        if operation(node).endswith(_ENDING):
            return operation(node)
        if operation(node) in ("Add", "Sub"):
            waiting += [child for child, _ in node.next_functions if child is not None]
    return ""


def _is_zero(product: Node, place: int) -> bool:
    """Whether an input of a product is exactly 0 everywhere."""
    names = _INPUTS.get(operation(product), ())
    value = saved(product, names[place]) if place < len(names) else None
    if not isinstance(value, Tensor) or value.numel() < 2:
        return False
    return not bool((value != 0).any())


def _activation(kind: str) -> str:
    """The activation of a derivative.

    >>> _activation("ThresholdBackward"), _activation("LeakyReluBackward")
    ('Relu', 'LeakyRelu')
    """
    name = kind.removesuffix(_ENDING)
    return "Relu" if name == "Threshold" else name
