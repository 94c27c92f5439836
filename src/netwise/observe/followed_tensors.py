"""Follows the outputs of a module through the program up to the targets that they are compared
with, as in `(outputs.argmax(1) == y).float().mean()`."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

MOST = 16  # tensors that are followed
EQUALITIES = frozenset((torch.eq, torch.ne, Tensor.eq, Tensor.ne, Tensor.__eq__, Tensor.__ne__))
DIFFERENCES = frozenset(
    getattr(owner, name)
    for owner, names in (
        (torch, ("sub", "subtract")),
        (Tensor, ("sub", "subtract", "__sub__", "__rsub__")),
    )
    for name in names
)
COMPARISONS = EQUALITIES | DIFFERENCES
# What makes an error of a difference. A difference that is computed with otherwise is a step, such
# as one of a sampler or of a solver of differential equations.
SIZES = frozenset(
    getattr(owner, name)
    for owner, names in (
        (torch, ("abs", "absolute", "square", "pow", "mean", "sum", "norm", "max", "std", "var")),
        (Tensor, ("abs", "absolute", "square", "pow", "mean", "sum", "norm", "max", "std", "var")),
        (Tensor, ("__abs__", "__pow__", "abs_", "square_", "pow_")),
        (torch.linalg, ("norm", "vector_norm")),
    )
    for name in names
)
PRODUCTS = frozenset((torch.mul, torch.multiply, Tensor.mul, Tensor.multiply, Tensor.__mul__))


class FollowedTensors:
    """Outputs of a module and what is computed from them, held by weak references.

    Example:
        >>> import torch
        >>> outputs, target = torch.eye(3), torch.tensor([0, 1, 2])
        >>> followed = FollowedTensors()
        >>> followed.start([outputs])
        >>> answers = outputs.argmax(1)
        >>> followed.compared(torch.Tensor.argmax, (outputs, 1), answers) is None
        True
        >>> followed.compared(torch.eq, (answers, target), answers == target)[1] is target
        True
    """

    def __init__(self) -> None:
        self._known: dict[int, weakref.ref[Tensor]] = {}
        self._differences: list[tuple[weakref.ref[Tensor], Tensor, Tensor]] = []

    def start(self, outputs: Iterable[Tensor]) -> None:
        """Forget all, and follow these."""
        self._known, self._differences = {}, []
        for output in outputs:
            self._follow(output)

    def follows(self, values: Any) -> bool:
        """Whether one of these is followed."""
        return any(isinstance(value, Tensor) and self._knows(value) for value in values)

    def compared(
        self, func: Callable[..., Any], args: Any, result: Any
    ) -> tuple[Tensor, Tensor] | None:
        """A function of torch was called: a followed tensor, and the one that it is compared with;
        None where it is no comparison, and the result is then followed too.

        Tensors are compared where they are asked to be equal, or where the size of their difference
        is taken.

        Args:
            func, args, result: of the call.
        """
        tensors = [arg for arg in args if isinstance(arg, Tensor)]
        followed = [tensor for tensor in tensors if self._knows(tensor)]
        if not followed:
            return None
        # Outputs and targets are kept for as long as their difference is.
        self._differences = [each for each in self._differences if each[0]() is not None]
        if func in SIZES or (func in PRODUCTS and len(tensors) == 2 and tensors[0] is tensors[1]):
            for difference, output, target in self._differences:
                if difference() is tensors[0]:
                    return output, target
        differs = func in DIFFERENCES
        if (differs or func in EQUALITIES) and len(tensors) == 2 and len(followed) == 1:
            other = next(tensor for tensor in tensors if tensor is not followed[0])
            if other.dim() and followed[0].dim() and len(other) == len(followed[0]):
                if not differs:
                    return followed[0], other
                if isinstance(result, Tensor) and len(self._differences) < MOST:
                    self._differences.append((weakref.ref(result), followed[0], other))
        for part in result if isinstance(result, tuple) else (result,):
            if isinstance(part, Tensor) and part.dim():
                self._follow(part)
        return None

    def _knows(self, tensor: Tensor) -> bool:
        known = self._known.get(id(tensor))
        return known is not None and known() is tensor

    def _follow(self, tensor: Tensor) -> None:
        if len(self._known) < MOST:
            self._known[id(tensor)] = weakref.ref(tensor)
