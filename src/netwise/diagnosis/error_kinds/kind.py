"""A kind of error that training programs raise: how it is told, and what to change."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from netwise.program_error import ProgramError

Text = Callable[[re.Match[str], ProgramError], str]


@dataclass(frozen=True)
class ErrorKind:
    """One kind of error.

    Args:
        pattern: of the message, or of "class: message"; its groups are what the texts use.
        sentence: why it was raised, in the terms of the program.
        change: lines of code that cure it.
        is_cut: whether the loss has no graph that leads to weights.

    Example:
        >>> kind = ErrorKind("out of memory", lambda m, e: "The memory is full.", lambda m, e: "")
        >>> from netwise.program_error import ProgramError
        >>> kind.match(ProgramError("OutOfMemoryError", "CUDA out of memory.")) is not None
        True
    """

    pattern: str
    sentence: Text
    change: Text
    is_cut: bool = False

    def match(self, error: ProgramError) -> re.Match[str] | None:
        """The match of the pattern; None where the error is of another kind."""
        return re.search(self.pattern, f"{error.kind}: {error.message}")


def layer_with_inputs(error: ProgramError) -> str:
    """The layer that raised the error, with what it got: "`fc1`, a Linear(...), got 64 x 256"."""
    if not error.layer:
        return "an operation"
    text = f"`{error.layer}`"
    if error.layer_text and error.layer_text != error.layer:
        text += f", {error.layer_text},"
    if error.inputs:
        text += f" got {' and '.join(shape_text(shape) for shape in error.inputs)}"
    return text


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape for people.

    >>> shape_text((64, 3))
    '64 x 3'
    """
    return " x ".join(map(str, shape)) or "one number"


def numbers_in(text: str) -> tuple[int, ...]:
    """The whole numbers in a text.

    >>> numbers_in("torch.Size([64, 1])")
    (64, 1)
    """
    return tuple(int(number) for number in re.findall(r"\d+", text))


def named_tensors(error: ProgramError) -> str:
    """The tensors of the statement with their shapes, as a sentence; "" without any."""
    if not error.tensors:
        return ""
    return " In this line: " + ", ".join(f"`{k}` is {v}" for k, v in error.tensors.items()) + "."
