"""Tensors that are used as weights, require gradients, are no parameters, and that no optimizer
holds: they keep their first values."""

from __future__ import annotations

import weakref
from collections.abc import Container, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from netwise.observe.autograd_nodes import Node, names, operation, shape_of

FEWEST = 5  # losses with the same values of a tensor
# Graphs that are searched: a tensor of the program is in the first losses already, while inputs
# that require gradients are new ones at each step.
_MOST_SEARCHED = 8
_COMPARED = 64  # numbers of a tensor
_MOST_NODES = 20_000
_RESHAPED = names("T Transpose View Reshape ToCopy Clone Alias Unsqueeze Expand Permute")
# Which inputs of an operation are its weights.
_WEIGHTS = {
    "Mm": (1,),
    "Addmm": (0, 2),
    "Bmm": (1,),
    "Mv": (1,),
    "Linear": (1, 2),
    "Convolution": (1, 2),
    "Embedding": (0,),
    "NativeLayerNorm": (1, 2),
    "NativeBatchNorm": (1, 2),
}
_BROADCASTS = ("Mul", "Add", "Sub", "Div")


@dataclass
class OutsideTensor:
    """A tensor that losses reach.

    Args:
        shape: its shape.
        start: some of its numbers, when it was first seen.
        count: losses that reached it.
        moved: it has changed since, or an optimizer holds it.
    """

    tensor: weakref.ref[Tensor]
    shape: str
    start: Tensor
    count: int = 0
    moved: bool = False

    @property
    def stands_still(self) -> bool:
        """Whether some losses have found it with the same values, and no optimizer holds it."""
        return self.count >= FEWEST and not self.moved


class OutsideTensors:
    """Reads the leaves of one loss after the other.

    Inputs that require gradients are none: they are multiplied with weights, or are of the size of
    a batch, or new at each step.
    """

    def __init__(self) -> None:
        self._seen: dict[int, OutsideTensor | None] = {}  # None: not used as a weight
        self._searched = 0

    def read(
        self, loss: Tensor, leaves: Mapping[int, Tensor], known: Container[int]
    ) -> dict[int, OutsideTensor]:
        """The tensors used as weights among the leaves of a loss, by id.

        Args:
            loss: whose graph shows how they are used.
            leaves: of the loss, by id.
            known: ids of the weights of modules and optimizers.
        """
        plain = {key: leaf for key, leaf in leaves.items() if not isinstance(leaf, nn.Parameter)}
        for key in plain:
            seen = self._seen.get(key)
            if seen is not None and seen.tensor() is not plain[key]:
                del self._seen[key]  # another tensor has the identity of one that is gone
        new = {key for key in plain if key not in self._seen and key not in known}
        if new and self._searched < _MOST_SEARCHED:
            self._searched += 1
            weights = _used_as_weights(loss, new)
            for key in new:
                leaf = plain[key]
                self._seen[key] = (
                    OutsideTensor(weakref.ref(leaf), str(tuple(leaf.shape)), _few(leaf))
                    if key in weights
                    else None
                )
        found = {}
        for key, leaf in plain.items():
            seen = self._seen.get(key)
            if seen is not None:
                seen.count += 1
                # Reading values waits for the device: as seldom as their number doubles.
                if key in known or (seen.count & (seen.count - 1) == 0 and _moved(seen, leaf)):
                    seen.moved = True
                found[key] = seen
        return found


def _few(tensor: Tensor) -> Tensor:
    return tensor.detach().flatten()[:_COMPARED].clone()


def _moved(seen: OutsideTensor, tensor: Tensor) -> bool:
    return not bool((_few(tensor) == seen.start).all())


def _used_as_weights(loss: Tensor, wanted: Container[int]) -> set[int]:
    """Ids of the leaves that an operation uses as weights, or repeats for all samples."""
    root: Node = loss.grad_fn
    found: set[int] = set()
    seen, waiting = {root}, [root]
    while waiting and len(seen) < _MOST_NODES:
        node = waiting.pop()
        kind = operation(node)
        for place, (child, _) in enumerate(node.next_functions):
            if child is None:
                continue
            leaf = _leaf(child)
            if leaf is not None and id(leaf) in wanted:
                is_weight = place in _WEIGHTS.get(kind, ())
                if is_weight or (kind in _BROADCASTS and _is_repeated(leaf, shape_of(node))):
                    found.add(id(leaf))
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return found


def _leaf(node: Node) -> Tensor | None:
    """The leaf that a value is, or that it was reshaped from."""
    for _ in range(4):
        if operation(node) == "AccumulateGrad":
            leaf: Tensor = node.variable
            return leaf
        if operation(node) not in _RESHAPED or len(node.next_functions) != 1:
            return None
        node = node.next_functions[0][0]
        if node is None:
            return None
    return None


def _is_repeated(leaf: Tensor, shape: tuple[int, ...] | None) -> bool:
    """Whether arithmetic repeats a tensor along the first axis of a batch."""
    if not shape or shape[0] < 2 or not leaf.dim():
        return False
    return leaf.dim() < len(shape) or (leaf.shape[0] == 1 and leaf.dim() == len(shape))
