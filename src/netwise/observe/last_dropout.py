"""Dropout as the last operation of a module: it sets outputs to zero."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from netwise.observe.operations import Operation

# Operations that give the same numbers, in another shape at most.
SAME_NUMBERS = (
    *("squeeze", "unsqueeze", "view", "reshape", "flatten", "transpose", "permute"),
    *("contiguous", "clone", "detach"),
)


def last_dropout(operations: Sequence[Operation], outputs: Sequence[Tensor]) -> str:
    """The layer, or else the line, of a dropout whose result is the only output of a module; ""
    without one.

    Args:
        operations: of one forward pass in evaluation mode.
        outputs: of the module.
    """
    made = [each for each in operations if each.name not in SAME_NUMBERS]
    if len(outputs) != 1 or not made or not made[-1].name.endswith("dropout"):
        return ""
    last = made[-1]
    p = last.kwargs.get("p", (*last.args, 0.5, 0.5)[1])
    same = last.output.numel() == outputs[0].numel()
    return (last.layer or last.line) if same and isinstance(p, float | int) and p > 0 else ""
