"""The way from a loss to its elements: summands, constant factors, means and sums."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from netwise.observe.autograd_nodes import (
    LAYERS,
    MARK,
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
)
from netwise.observe.loss_elements import (
    LOSSES_OF_TORCH,
    SAME_VALUES,
    Match,
    as_number,
    match,
    numel,
    shape_of_input,
)

_MOST_SUMMANDS = 4_000
_SELECTIONS = names("Index IndexSelect MaskedSelect Select Slice Topk Gather Take Sort")
_CURVES_OF_A_NUMBER = names("Sqrt Log Exp Pow Abs Clamp ClampMin ClampMax Relu Softplus Tanh Log1P")


@dataclass
class Descent:
    """The way from a loss to its elements.

    Args:
        node: reached so far.
        constants: numbers that the loss is multiplied by.
        averaged: product of 1 / n of all means.
        weights: constant tensors that the elements are multiplied by.
        selected: number of elements that are left by an index or a mask.
        is_weighted: whether elements are weighted or masked.
        is_plain: whether there are only sums, means and products with constants.
        path: names of the nodes that were passed.
    """

    node: Node
    constants: list[float] = field(default_factory=list)
    averaged: float = 1.0
    weights: list[Tensor] = field(default_factory=list)
    selected: int | None = None
    is_weighted: bool = False
    is_plain: bool = True
    path: list[str] = field(default_factory=list)

    def continued(self, node: Node) -> Descent:
        """The same way so far, to go on from another node."""
        return replace(
            self,
            node=node,
            constants=list(self.constants),
            weights=list(self.weights),
            path=list(self.path),
        )


def descend(way: Descent) -> Match | None:
    """Goes from a loss to its elements and recognises them; None where it does not, then the way
    ends at the first node that is not understood."""
    for _ in range(60):
        if way.path and may_be_packed(way.node):
            return None
        found = match(way.node)
        if found is not None:
            return found
        if is_opaque(way.node):
            return None
        below = only_input(way.node)
        if below is None or not _step(way, operation(way.node), below):
            return None
        way.path.append(way.node.name())
        way.node = below
    return None


def _step(way: Descent, kind: str, below: Node) -> bool:
    """Notes what one operation does to the loss; False where that is not understood."""
    node = way.node
    if kind in ("Mean", "Sum"):
        before, after = numel(shape_of_input(node)), numel(shape_of(node))
        if before and (kind == "Mean" or _take(way.constants, after / before)):
            way.averaged *= after / before
        return True
    if kind == "Neg":
        way.constants.append(-1.0)
        return True
    if kind in ("Mul", "Div"):
        return _factor(way, kind)
    if kind in _SELECTIONS:
        way.selected = way.selected or numel(shape_of(node))
        return True
    if kind in SAME_VALUES or kind == "Expand":
        return True
    if kind in ("MaskedFill", "Where"):
        way.is_weighted |= numel(shape_of(node)) != 1  # of a number: "0 where there is no target"
        return True
    if numel(shape_of(node)) != 1:
        return False
    if kind in ("Add", "Sub", "Rsub"):
        way.constants += [-1.0] if kind != "Add" and node.next_functions[0][0] is not below else []
        way.is_plain = False
        return True
    way.is_plain = False
    return kind in _CURVES_OF_A_NUMBER


def _take(constants: list[float], wanted: float) -> bool:
    """Takes a constant out of a list: a sum that is divided by its number of summands is a mean."""
    for place, constant in enumerate(constants):
        if wanted < 1 and math.isclose(abs(constant), wanted, rel_tol=1e-5):
            constants[place] = math.copysign(1.0, constant)
            return True
    return False


def _factor(way: Descent, kind: str) -> bool:
    """A product with a constant, or a division by one."""
    node = way.node
    if kind == "Div" and node.next_functions[0][0] is None:
        return False
    constant = constant_of(node)
    number = as_number(constant)
    if number is not None:
        if kind == "Div" and number == 0:
            return False
        way.constants.append(1 / number if kind == "Div" else number)
    elif isinstance(constant, Tensor):
        if kind == "Mul":
            way.weights.append(constant)
        way.is_weighted = True
    else:
        way.is_plain = False
    return True


def past_numbers(way: Descent) -> Node:
    """Goes past constants that a single number is multiplied by, and notes them."""
    for _ in range(20):
        kind, below = operation(way.node), only_input(way.node)
        if below is None or is_opaque(way.node) or numel(shape_of(way.node)) != 1:
            break
        is_number = numel(shape_of_input(way.node)) == 1
        if kind in ("Mul", "Div"):
            constants = len(way.constants)
            if not is_number or not _factor(way, kind) or len(way.constants) == constants:
                break
        elif kind == "Neg":
            way.constants.append(-1.0)
        elif kind in ("Add", "Sub") and is_number:  # 0 + loss, loss - 0.1
            if kind == "Sub" and way.node.next_functions[0][0] is None:
                way.constants.append(-1.0)
        elif kind not in SAME_VALUES or not is_number:
            break
        way.path.append(way.node.name())
        way.node = below
    return way.node


def summands(root: Node) -> list[Descent]:
    """The summands of a number, each with its own constants."""
    found: list[Descent] = []
    waiting = deque([Descent(root)])
    while waiting and len(found) < _MOST_SUMMANDS:
        way = waiting.popleft()
        node = past_numbers(way)
        kind, inputs = operation(node), inputs_of(node)
        is_number = numel(shape_of(node)) == 1
        if (
            kind in ("Add", "Sub")
            and is_number
            and len(inputs) == 2
            and smoothed_part(node) is None
        ):
            second = way.continued(inputs[1][0])
            second.constants.append(
                (-1.0 if kind == "Sub" else 1.0) * (as_number(saved(node, "alpha")) or 1.0)
            )
            waiting += [way.continued(inputs[0][0]), second]
            continue
        parts = _stacked(node) if kind in ("Mean", "Sum") and is_number else []
        for part in parts:
            piece = way.continued(part)
            piece.constants.append(1 / len(parts) if kind == "Mean" else 1.0)
            waiting.append(piece)
        if not parts:
            found.append(way)
    return found


def _stacked(node: Node) -> list[Node]:
    """The numbers that were stacked before a sum or a mean."""
    below = only_input(node)
    if below is None or operation(below) not in ("Stack", "Cat"):
        return []
    parts = below.next_functions
    if any(part is None or numel(shape_of(part, number)) != 1 for part, number in parts):
        return []
    return [part for part, _ in parts] if len(parts) > 1 else []


def smoothed_part(node: Node) -> Node | None:
    """The negative log-likelihood inside of a cross entropy with label smoothing."""
    inputs = inputs_of(node)
    if operation(node) != "Add" or len(inputs) != 2:
        return None
    ends = []
    for child, _ in inputs:
        below: Node | None = child
        for _ in range(12):
            if below is None or operation(below) in ("NllLoss", "NllLoss2D", "LogSoftmax"):
                break
            below = only_input(below)
        if below is None:
            return None
        ends.append(below)
    if not operation(ends[0]).startswith("NllLoss") or operation(ends[1]) != "LogSoftmax":
        return None
    below = only_input(ends[0])
    return ends[0] if below is not None and past_moves(below) is ends[1] else None


def is_penalty(root: Node) -> bool:
    """Whether a value depends on weights alone: no data, no output of a module. A single number
    that is learned (the weight of a task) is no penalty."""
    waiting, seen = [root], {root}
    has_weights = False
    while waiting:
        node = waiting.pop()
        kind = operation(node)
        if kind == "AccumulateGrad":
            if not isinstance(node.variable, nn.Parameter):
                return False
            has_weights = has_weights or node.variable.numel() > 1
            continue
        if kind in LAYERS or kind in LOSSES_OF_TORCH or is_opaque(node) or MARK in node.metadata:
            return False
        if kind in ("Index", "IndexSelect", "Gather", "Mm", "Bmm", "Mv", "Dot") and (
            kind in ("Index", "IndexSelect", "Gather")
            or any(child is None for child, _ in node.next_functions)
        ):
            return False
        if kind in ("Mul", "Div", "Add", "Sub") and len(inputs_of(node)) == 1:
            before, after = shape_of(*inputs_of(node)[0]), shape_of(node)
            if before != after:  # widened to the samples of a batch
                return False
        for child, _ in node.next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                waiting.append(child)
    return has_weights
