"""Gradients of weights that a program takes with a graph, as for the inner steps of meta-learning,
and whether a loss is computed of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from netwise.observe.autograd_nodes import Node, inputs_of, operation, saved

TAKEN = "netwise_taken"  # key in `node.metadata`: number of the call whose result it is
ASKED = "netwise_asked"  # the same, of the loss whose gradients were taken
MOST_NODES = 20_000
MOST_PLACES = 16
MOST_CALLS = 256  # of one step
FEWEST = 5  # steps with such calls
MOST_STEPS = 0.8  # share of the watched steps: an evaluation that adapts weights is none of them
UNUSED, TIMES_ZERO = "reach no loss", "are multiplied by 0 before a loss is computed of them"


@dataclass
class _Call:
    place: str
    is_used: bool = False
    is_zero: bool = False


@dataclass
class _Place:
    """Steps with calls from one line, and those of them in which nothing became of any."""

    steps: int = 0
    unused: int = 0
    zero: int = 0


class InnerGradients:
    """Follows them through the graphs of the losses of the same step, by marks on their nodes."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}  # of this step, by number
        self._places: dict[str, _Place] = {}
        self._number, self._steps = 0, 0

    def taken(self, loss: Tensor, gradients: Any, place: str) -> None:
        """Gradients of weights were taken with a graph of their own."""
        nodes = [g.grad_fn for g in gradients if isinstance(g, Tensor) and g.grad_fn is not None]
        root: Node = loss.grad_fn
        if not nodes or root is None or len(self._calls) >= MOST_CALLS:
            return
        self._number += 1
        self._calls[self._number] = _Call(place)
        root.metadata[ASKED] = self._number
        for node in nodes:
            node.metadata[TAKEN] = self._number  # type: ignore[index]

    def backward(self, loss: Tensor) -> None:
        """A loss goes backwards, or further gradients are taken of it: look for the marks behind
        it, and what is done with their tensors."""
        root: Node = loss.grad_fn
        if not self._calls or root is None:
            return
        seen, waiting = {root}, [root]
        self._asked(root)
        while waiting and len(seen) < MOST_NODES:
            node = waiting.pop()
            if _shifts_weight(node):  # maybe by these gradients, without their graph
                for each in self._calls.values():
                    each.is_used = True
            for child, _ in inputs_of(node):
                call = self._calls.get(child.metadata.get(TAKEN, 0))
                if call is not None:
                    is_zero = _times_zero(node, child)
                    call.is_zero |= is_zero
                    call.is_used |= not is_zero
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
                    self._asked(child)

    def _asked(self, node: Node) -> None:
        """Gradients of a part of the loss itself were taken, as to write down their norm."""
        call = self._calls.get(node.metadata.get(ASKED, 0))
        if call is not None:
            call.is_used = True

    def step_ends(self) -> None:
        """A watched step is over."""
        calls, self._calls = list(self._calls.values()), {}
        self._steps += 1
        for name in {call.place for call in calls}:
            if len(self._places) < MOST_PLACES:
                self._places.setdefault(name, _Place())
            place = self._places.get(name)
            here = [call for call in calls if call.place == name]
            if place is not None:
                idle = not any(call.is_used for call in here)
                place.steps += 1
                place.zero += idle and any(call.is_zero for call in here)
                place.unused += idle and not any(call.is_zero for call in here)

    @property
    def idle(self) -> tuple[str, ...]:
        """Lines whose gradients never come to anything, each with what becomes of them."""
        found = []
        for name, place in self._places.items():
            if place.steps < max(FEWEST, MOST_STEPS * self._steps):
                continue
            if place.zero == place.steps:
                found.append(f"{name}: {TIMES_ZERO}")
            elif place.unused == place.steps:
                found.append(f"{name}: {UNUSED}")
        return tuple(found)


def _shifts_weight(node: Node) -> bool:
    """Whether an operation adds to a weight, or subtracts, what has no graph."""
    inputs = inputs_of(node) if operation(node) in ("Add", "Sub") else []
    return len(inputs) == 1 and operation(inputs[0][0]) == "AccumulateGrad"


def _times_zero(node: Node, child: Node) -> bool:
    """Whether an operation multiplies one of its inputs by a constant 0."""
    kind = operation(node)
    inputs = node.next_functions
    if kind in ("Add", "Sub"):
        second = len(inputs) > 1 and inputs[1][0] is child and inputs[0][0] is not child
        return second and saved(node, "alpha") == 0
    if kind != "Mul" or len(inputs_of(node)) != 1:
        return False
    factor = saved(node, "other" if inputs[0][0] is child else "self")
    if isinstance(factor, Tensor):
        return bool(factor.numel()) and not bool(factor.any())
    return isinstance(factor, int | float) and factor == 0
