"""The rate of dropout that a forward pass has used, read from the autograd graph: also of calls of
`F.dropout`, which no module shows."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from netwise.observe.autograd_nodes import Node, may_be_packed, operation, saved

MOST_NODES = 5000
FEWEST, MOST_READ = 64, 4096  # numbers of a mask
ERRORS = 5  # standard errors by which the share of zeros of a mask may differ from its rate


def largest_dropout(loss: Tensor, most: int = MOST_NODES) -> float:
    """The largest rate of the dropouts behind a loss; 0 without any.

    Args:
        loss: before its backward pass.
        most: nodes of its graph that are read at most.

    Example:
        >>> x = torch.ones(50, 40, requires_grad=True)
        >>> largest_dropout(torch.nn.functional.dropout(x, 0.75).sum())
        0.75
    """
    return max((rate for rate, _ in dropouts(loss, most)), default=0.0)


def dropouts(loss: Tensor, most: int = MOST_NODES) -> list[tuple[float, int]]:
    """Of each dropout behind a loss its rate, and the numbers of one sample that it sets to 0 or
    keeps; 0 numbers where that is not known.

    Args:
        loss, most: as in `largest_dropout`.

    >>> x = torch.ones(50, 2, requires_grad=True)
    >>> dropouts(torch.nn.functional.dropout(x, 0.5).sum())
    [(0.5, 2)]
    """
    root: Node = loss.grad_fn
    if root is None:
        return []
    found, seen, waiting = [], {root}, [root]
    while waiting and len(seen) <= most:
        node = waiting.pop()
        rate, width = _rate(node)
        if rate:
            found.append((rate, width))
        for child, _ in node.next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                waiting.append(child)
    return found


def _rate(node: Node) -> tuple[float, int]:
    kind = operation(node)
    if kind in ("NativeDropout", "FusedDropout"):
        p, mask = saved(node, "p"), saved(node, "result1")
        return (float(p) if isinstance(p, float) else 0.0), _width(mask)
    if kind != "Mul" or may_be_packed(node):
        return 0.0, 0
    sides = [child for child, _ in node.next_functions]
    if len(sides) != 2 or (sides[0] is None) == (sides[1] is None):
        return 0.0, 0
    mask = saved(node, "other" if sides[1] is None else "self")
    return (rate_of_mask(mask), _width(mask)) if isinstance(mask, Tensor) else (0.0, 0)


def _width(mask: object) -> int:
    """Numbers of one sample, the first axis being that of samples."""
    if not isinstance(mask, Tensor) or mask.dim() < 2:
        return 0
    return math.prod(mask.shape[1:])


def rate_of_mask(mask: Tensor) -> float:
    """The rate p of a dropout mask, whose numbers are 0 with probability p and 1 / (1 - p) else; 0
    for every other tensor.

    >>> rate_of_mask(torch.tensor([0.0, 2.0]).repeat(50)), rate_of_mask(torch.ones(100))
    (0.5, 0.0)
    """
    if mask.numel() < FEWEST or not mask.is_floating_point() or mask.layout is not torch.strided:
        return 0.0
    values = mask.reshape(-1)[:: max(1, mask.numel() // MOST_READ)]
    highest = float(values.max())
    zeros = float((values == 0).double().mean())
    if not (1 < highest < math.inf and 0 < zeros < 1):
        return 0.0
    if float((values == highest).double().mean()) + zeros < 1 - 1e-9:
        return 0.0
    rate = 1 - 1 / highest
    error = math.sqrt(rate * (1 - rate) / len(values))
    return round(rate, 4) if abs(zeros - rate) < ERRORS * error else 0.0
