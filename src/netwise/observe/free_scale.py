"""Errors that a loss multiplies by a factor which the network gives itself, and that nothing holds
back: a likelihood without the logarithm of its variance, a confidence that costs nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from netwise.observe.autograd_nodes import (
    LAYERS,
    MOVES,
    PRODUCTS,
    Node,
    inputs_of,
    is_opaque,
    is_weight,
    leaf_of,
    names,
    nodes_below,
    only_input,
    operation,
    saved,
    shape_of,
    signed,
    unwrapped,
)

_MOST = 80  # nodes of a loss, and of each side
_ERRORS = names("Pow Abs MseLoss L1Loss SmoothL1Loss HuberLoss")  # never below 0
_POSITIVE = names("Exp Exp2 Softplus Sigmoid Reciprocal Rsqrt Pow Div")
_NAMED = ("Exp", "Exp2", "Softplus", "Sigmoid", "Pow")
# Of a factor that can come near 0 for all samples; a softmax cannot.
_OF_FACTORS = (
    MOVES | _POSITIVE | names("Neg Mul Add Sub Rsub Clamp ClampMin ClampMax Sqrt Tanh Mean Sum")
)
_PARTS = names("Slice Select Split SplitWithSizes Unbind UnsafeSplit")  # of what a layer gives
_WHOLE = (-1, 0, 0)


class Source(NamedTuple):
    """What a number of a loss is of: a layer, by the memory of its weights, and a part of what it
    gives.

    Args:
        weights: of the layer; that of its node where it has none.
        axis: of the part; -1 for all.
        start, end: places of the axis.
    """

    weights: frozenset[int]
    axis: int
    start: int
    end: int

    def meets(self, other: Source) -> bool:
        """Whether both may be of the same numbers."""
        if not self.weights & other.weights:
            return False
        apart = self.end <= other.start or other.end <= self.start
        return self.axis != other.axis or self.axis < 0 or not apart


def free_scale(root: Node) -> str:
    """The operation of a factor that a network gives and that errors are multiplied by or
    divided by, where the loss depends on that factor in no other way; "" without one.

    Args:
        root: node of the loss.

    Example:
        >>> import torch
        >>> mean, spread = torch.nn.Linear(3, 1), torch.nn.Linear(3, 1)
        >>> x, y = torch.ones(4, 3), torch.ones(4, 1)
        >>> errors = (mean(x) - y) ** 2 * torch.exp(-spread(x))
        >>> free_scale(errors.mean().grad_fn), free_scale((errors + spread(x)).mean().grad_fn)
        ('Exp', '')
    """
    for node in nodes_below(root, _MOST, LAYERS | PRODUCTS):
        kind = operation(node)
        sides = inputs_of(node) if kind in ("Mul", "Div") else []
        if len(sides) != 2:
            continue
        for error, factor in [sides] if kind == "Div" else [sides, sides[::-1]]:
            of_error, of_factor = _made_of(error), _made_of(factor)
            if of_error is None or of_factor is None or not of_error[0] & _ERRORS:
                continue
            kinds, sources = of_factor
            if not sources or not kinds <= _OF_FACTORS or _meet(sources, of_error[1]):
                continue
            if kind == "Mul" and not kinds & _POSITIVE:
                continue
            others = _made_of((root, 0), without=node)
            if others is not None and not _meet(sources, others[1]):
                return next((each for each in _NAMED if each in kinds), kind)
    return ""


def _meet(some: set[Source], others: set[Source]) -> bool:
    return any(one.meets(other) for one in some for other in others)


def _made_of(
    start: tuple[Node, int], without: Node | None = None
) -> tuple[set[str], set[Source]] | None:
    """The operations of a value and what it is of, but for what is only below one node; None where
    not all is known."""
    kinds: set[str] = set()
    sources: set[Source] = set()
    seen, waiting = {start}, deque([start])
    while waiting:
        node, number = waiting.popleft()
        if node is without:
            continue
        kind = operation(node)
        if is_opaque(node) or len(seen) > _MOST or kind in PRODUCTS:
            return None
        below = inputs_of(node)
        layer = only_input(node) if kind in _PARTS else None
        if kind in LAYERS or (layer is not None and operation(layer) in LAYERS):
            sources.add(_source(node, number, layer))
            continue
        if not is_weight(node):
            kinds.add(kind)
        for each in below:
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return kinds, sources


def _source(node: Node, number: int, layer: Node | None) -> Source:
    """A layer, or the part of it that a node takes."""
    whole = node if layer is None else layer
    leaves = [leaf_of(child) for child, _ in inputs_of(whole)]
    weights = frozenset(unwrapped(leaf).data_ptr() for leaf in leaves if leaf is not None)
    axis, start, end = _WHOLE if layer is None else _part(node, number, shape_of(layer) or ())
    return Source(weights or frozenset({id(whole)}), axis, start, end)


def _part(node: Node, number: int, shape: Sequence[int]) -> tuple[int, int, int]:
    """Axis, first place and end of what a node takes of a value; `_WHOLE` where it is not known."""
    axis = saved(node, "dim")
    if not isinstance(axis, int) or not shape:
        return _WHOLE
    axis = signed(axis) % len(shape)
    size = shape[axis]
    kind = operation(node)
    if kind == "Select":
        first = signed(saved(node, "index")) % size
        return axis, first, first + 1
    if kind == "Slice":
        first, end = (signed(saved(node, name)) for name in ("start", "end"))
        return axis, first % size if first < 0 else first, min(end % size if end < 0 else end, size)
    if kind == "Unbind":
        return axis, number, number + 1
    sizes = saved(node, "split_sizes") if kind == "SplitWithSizes" else None
    if sizes is not None:
        return axis, sum(sizes[:number]), sum(sizes[: number + 1])
    step = saved(node, "split_size") if kind in ("Split", "UnsafeSplit") else None
    return (axis, number * step, (number + 1) * step) if isinstance(step, int) else _WHOLE
