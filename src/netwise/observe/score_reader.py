"""Scores without gradients that compare answers of a module with targets of another shape, look for
the largest number of a single column, or compare largest outputs instead of their places."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from netwise.observe.followed_tensors import COMPARISONS, EQUALITIES, FollowedTensors

MOST_PASSES = 6  # of a module: a score is computed in the same way each time
_LARGEST = frozenset((torch.argmax, Tensor.argmax, torch.max, Tensor.max))
ONE_COLUMN = "argmax of one column"
OVER_SAMPLES = "argmax over the samples"
VALUES = "largest outputs"


class ScoreReader:
    """Looks at the first few evaluations of a module.

    Example:
        >>> import torch
        >>> outputs, target = torch.zeros(4, 1), torch.zeros(4)
        >>> reader = ScoreReader()
        >>> reader.start([outputs])
        >>> reader.called(torch.sub, (outputs, target), {}, outputs - target)
        >>> reader.misread
        '(4, 1) and (4,) give (4, 4)'
    """

    def __init__(self) -> None:
        self.misread = ""
        self._passes = 0
        self._outputs = FollowedTensors()
        self._of_one: dict[int, tuple[weakref.ref[Tensor], str]] = {}
        self._largest: dict[int, weakref.ref[Tensor]] = {}

    @property
    def looks(self) -> bool:
        """Whether calls of torch have to be given to it."""
        return not self.misread and 0 < self._passes <= MOST_PASSES

    def start(self, outputs: Iterable[Tensor]) -> None:
        """The module has computed these outputs without gradients."""
        self._passes += 1
        self._of_one, self._largest = {}, {}
        if self.looks:
            self._outputs.start(outputs)

    def called(
        self, func: Callable[..., Any], args: Any, kwargs: Mapping[str, Any], result: Any
    ) -> None:
        """A function of torch was called."""
        if func in _LARGEST and self._outputs.follows(args):
            self._note_largest(args, kwargs, result)
        tensors = [arg for arg in args if isinstance(arg, Tensor)]
        of = next((found for found in map(self._kind, tensors) if found), "")
        if func in COMPARISONS and len(tensors) == 2 and self._outputs.follows(tensors):
            if func in EQUALITIES and self._are_values(tensors[0], tensors[1]):
                self.misread = VALUES
            self._compare(tensors[0], tensors[1], of, result)
        elif of and isinstance(result, Tensor):
            self._of_one[id(result)] = (weakref.ref(result), of)
        self._outputs.compared(func, args, result)

    def losses(self, output: Tensor, target: Tensor) -> None:
        """A loss of numbers was computed of these."""
        if self._outputs.follows((output,)):
            self._widened(output, target, torch.broadcast_shapes(output.shape, target.shape))

    def _note_largest(self, args: Any, kwargs: Mapping[str, Any], result: Any) -> None:
        values = args[0]
        axis = args[1] if len(args) > 1 else kwargs.get("dim", kwargs.get("axis"))
        answers = result[1] if isinstance(result, tuple) and len(result) == 2 else result
        if not isinstance(axis, int) or not isinstance(answers, Tensor):
            return
        if answers.is_floating_point() or values.dim() < 2 or values.shape[0] < 2:
            return
        axis %= values.dim()
        if answers is not result and isinstance(result[0], Tensor) and values.shape[axis] > 1:
            self._largest[id(result[0])] = weakref.ref(result[0])
        kind = ""
        if values.shape[axis] == 1:
            kind = ONE_COLUMN
        elif axis == 0 and values.dim() == 2 and values.shape[1] == 1:
            kind = OVER_SAMPLES
        if kind:
            self._of_one[id(answers)] = (weakref.ref(answers), kind)

    def _kind(self, tensor: Tensor) -> str:
        known = self._of_one.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else ""

    def _are_values(self, first: Tensor, second: Tensor) -> bool:
        """Whether one is the largest outputs, as numbers, and the other whole numbers."""
        for values, other in ((first, second), (second, first)):
            known = self._largest.get(id(values))
            if known is not None and known() is values and not other.is_floating_point():
                return other.numel() > 1
        return False

    def _compare(self, first: Tensor, second: Tensor, of: str, result: Any) -> None:
        other = second if self._outputs.follows((first,)) else first
        if of and other.numel() > 1:
            self.misread = of
        elif isinstance(result, Tensor) and not self._outputs.follows((other,)):
            self._widened(first, second, tuple(result.shape))

    def _widened(self, first: Tensor, second: Tensor, shape: tuple[int, ...]) -> None:
        """A column and a row of as many numbers: each is compared with each."""
        shapes = sorted((tuple(first.shape), tuple(second.shape)), key=len)
        row, column = shapes
        count = row[0] if row else 0
        if len(row) == 1 and column == (count, 1) and shape == (count, count) and count > 1:
            self.misread = f"{tuple(first.shape)} and {tuple(second.shape)} give {tuple(shape)}"
