"""Operations that join a value with itself, where another one was meant, such as the value before
the layers of a block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from netwise.observe.nested import tensors_in
from netwise.observe.operations import Operation

JOINS = ("cat", "concat", "concatenate", "hstack")
SUMS = ("add", "__add__", "add_", "__iadd__")
FEWEST = 2  # axes of a value: samples and features


def joined_with_itself(operations: Sequence[Operation], inputs: Any) -> tuple[str, str]:
    """An operation that joins one and the same value twice, such as "cat of (8, 16, 4, 4) with
    itself", and its line or layer; empty without one.

    The module's own inputs are repeated on purpose, as grey pictures are for three channels.

    Args:
        operations: of one forward pass.
        inputs: arguments of the module.
    """
    given = {id(t) for t in tensors_in(inputs)}
    for each in operations:
        value = _twice(each)
        if value is not None and value.dim() >= FEWEST and id(value) not in given:
            name = "sum" if each.name in SUMS else "cat"
            return f"{name} of {tuple(value.shape)} with itself", each.line or each.layer
    return "", ""


def _twice(operation: Operation) -> Tensor | None:
    """The one value of both sides; None where they differ."""
    if operation.name in SUMS:
        return _same(operation.args[:2])
    if operation.name in JOINS:
        axis = operation.kwargs.get("dim", (*operation.args, 0, 0)[1])
        sides = operation.args[0] if operation.args else operation.kwargs.get("tensors", ())
        if operation.name == "hstack" or axis != 0:  # along the samples: a larger batch
            return _same(sides)
    return None


def _same(sides: Sequence[Any]) -> Tensor | None:
    if len(sides) != 2 or sides[0] is not sides[1] or not isinstance(sides[0], Tensor):
        return None
    return sides[0] if sides[0].is_floating_point() else None
