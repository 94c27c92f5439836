"""Losses and accuracies that a program writes with elementary operations, in evaluation.

The graph of a training loss shows which operations lie between a module's outputs and the loss. In
an evaluation there is no graph: there the operations on the outputs are followed as they are
called. A number that the same operations give is the same loss. An equality of answers, such as
those of an argmax, and of targets gives the accuracy.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from torch import Tensor

from netwise.observe.autograd_nodes import MARK, MOVES, Node, inputs_of, is_opaque, names, operation

MOST_NODES = 200  # between outputs and a loss
MOST_FOLLOWED = 64  # tensors of one evaluated batch
# What torch's functions are called in its graphs.
SAME = {
    "truediv": "div",
    "true_divide": "div",
    "divide": "div",
    "multiply": "mul",
    "subtract": "sub",
    "negative": "neg",
    "negate": "neg",
    "square": "pow",
    "float_power": "pow",
    "clip": "clamp",
    "clampmin": "clamp",
    "clampmax": "clamp",
    "clamp_min": "clamp",
    "clamp_max": "clamp",
    "rsub": "sub",
    "absolute": "abs",
    "logsoftmax": "log_softmax",
    "logsigmoid": "log_sigmoid",
}
MOVED = frozenset(name.lower() for name in MOVES) | names(
    "view_as reshape expand_as flatten unflatten float double half cpu cuda clone detach getitem "
    "index_select t mt movedim contiguous"
)
# Operations that weigh a loss against its other parts, which an evaluation may leave out.
OF_SUMS = names("add mul div")
EQUALITIES = names("eq ne")
# Operations that make answers of outputs: classes, or yes and no.
OF_CLASSES, OF_YES_OR_NO = names("argmax argmin max min"), names("lt le gt ge round")


def formula_of(loss: Tensor) -> frozenset[str]:
    """The operations between marked outputs of modules and a loss; empty where they are not known.

    Args:
        loss: with its graph.

    >>> import torch
    >>> outputs = torch.ones(3, requires_grad=True).exp()
    >>> outputs.grad_fn.metadata[MARK] = (0, 0)
    >>> sorted(formula_of(((outputs - 1) ** 2).mean() + 0.1))
    ['add', 'mean', 'pow', 'sub']
    """
    root: Node = loss.grad_fn
    if root is None or MARK in root.metadata:
        return frozenset()
    above: dict[Node, list[Node]] = {root: []}  # each node with those that use it
    waiting, ends = [root], []
    while waiting:
        node = waiting.pop()
        for child, _ in inputs_of(node):
            if child in above:
                above[child].append(node)
                continue
            above[child] = [node]
            if MARK in child.metadata:
                ends.append(child)
            elif is_opaque(child) or len(above) > MOST_NODES:
                return frozenset()
            else:
                waiting.append(child)
    between: set[Node] = set()
    waiting = [node for end in ends for node in above[end]]
    while waiting:
        node = waiting.pop()
        if node not in between:
            between.add(node)
            waiting.extend(above[node])
    return frozenset(_plain_name(operation(node)) for node in between) - MOVED


class WrittenLoss:
    """Follows the outputs of one pass up to the number that a formula makes of them, and up to an
    equality with targets.

    Example:
        >>> import torch
        >>> follower, outputs = WrittenLoss(), torch.ones(3)
        >>> follower.start(outputs, frozenset(("sub", "pow", "mean")))
        >>> for function, args in ((torch.sub, (outputs, 1)), (torch.mean, (outputs,))):
        ...     follower.called(function, args, function(*args))
        >>> difference = outputs - 3
        >>> follower.called(torch.sub, (outputs, 3), difference)
        >>> square = difference**2
        >>> follower.called(torch.Tensor.pow, (difference, 2), square)
        >>> follower.called(torch.mean, (square,), square.mean())
        >>> follower.loss
        tensor(4.)

    Attributes:
        loss: the number; None while there is none.
        right: for each answer whether it is that of the targets; None while there is none.
    """

    def __init__(self) -> None:
        self.loss: Tensor | None = None
        self.right: Tensor | None = None
        self._formula: frozenset[str] = frozenset()
        self._followed: dict[int, tuple[weakref.ref[Tensor], frozenset[str]]] = {}

    @property
    def follows(self) -> bool:
        """Whether a number is looked for."""
        return bool(self._followed)

    def start(self, output: object, formula: frozenset[str]) -> None:
        """Forget the last pass, and follow the output of another one.

        Args:
            output: of a module; only a single tensor is followed.
            formula: of its loss in training; empty: not known.
        """
        self._followed, self._formula = {}, formula
        self.loss = self.right = None
        if isinstance(output, Tensor) and output.dim():
            self._followed[id(output)] = (weakref.ref(output), frozenset())

    def called(self, func: Callable[..., Any], args: Any, result: Any) -> None:
        """A function of torch was called.

        Args:
            func, args, result: of the call.
        """
        tensors = [arg for arg in args if isinstance(arg, Tensor)]
        made = [self._made_of(tensor) for tensor in tensors]
        known = [operations for operations in made if operations is not None]
        if not known:
            return
        name = _plain_name(getattr(func, "__name__", ""))
        if name in EQUALITIES:
            if len(tensors) == 2 and len(known) == 1 and self.right is None:
                right = result if name == "eq" else ~result
                self._compared(tensors[0], tensors[1], known[0], right)
            return
        operations = frozenset().union(*known) | (frozenset((name,)) - MOVED)
        for part in result if isinstance(result, tuple) else (result,):
            if not isinstance(part, Tensor):
                continue
            if not part.dim() and part.is_floating_point() and self._fits(operations):
                self.loss = part if self.loss is None else self.loss
            elif len(self._followed) < MOST_FOLLOWED:
                self._followed[id(part)] = (weakref.ref(part), operations)

    def _compared(
        self, one: Tensor, other: Tensor, operations: frozenset[str], result: Tensor
    ) -> None:
        """An equality of something that is made of the outputs, and something else."""
        if one.shape != other.shape or not one.dim():
            return
        is_yes_or_no = bool(operations & OF_YES_OR_NO) and one.numel() == len(one)
        if is_yes_or_no or operations & OF_CLASSES:
            self.right = result

    def _made_of(self, tensor: Tensor) -> frozenset[str] | None:
        known = self._followed.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else None

    def _fits(self, operations: frozenset[str]) -> bool:
        return (
            bool(self._formula)
            and operations <= self._formula
            and self._formula - operations <= OF_SUMS
        )


def _plain_name(name: str) -> str:
    """The name of an operation, in a graph or as a function: "Rsub", "__rsub__" and "sub_" are one.

    >>> [_plain_name(name) for name in ("Rsub", "__rsub__", "sub_", "Mean", "ClampMin")]
    ['sub', 'sub', 'sub', 'mean', 'clamp']
    """
    plain = name.strip("_").rstrip("0123456789").lower()
    plain = SAME.get(plain, plain)
    for prefix in ("r", "i"):  # reflected, in place
        if plain.startswith(prefix) and plain[1:] in ("add", "sub", "mul", "div", "truediv", "pow"):
            plain = plain[1:]
    return SAME.get(plain, plain)
