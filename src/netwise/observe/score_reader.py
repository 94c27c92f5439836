"""Scores without gradients that compare answers of a module with targets of another shape, look for
the largest number of a single column or along the samples, compare largest outputs instead of their
places, or take logits for probabilities."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from netwise.observe.followed_tensors import COMPARISONS, EQUALITIES, FollowedTensors
from netwise.wiring import BINARY_CROSS_ENTROPY_OF_LOGITS, CROSS_ENTROPY

MOST_PASSES = 6  # of a module: a score is computed in the same way each time
_LARGEST = frozenset((torch.argmax, Tensor.argmax, torch.max, Tensor.max))
ONE_COLUMN = "argmax of one column"
OVER_SAMPLES = "argmax over the samples"
VALUES = "largest outputs"
ROUNDED_LOGITS = "rounded logits"
HALF_OF_LOGITS = "logits above 0.5"
HALF = 0.5
# What changes neither numbers nor their order: outputs stay the logits of the loss.
_VIEWS = ("squeeze", "view", "reshape", "flatten", "__getitem__")
_COPIES = ("detach", "cpu", "float", "double", "clone", "to")
_SAME_NUMBERS = {
    *(getattr(Tensor, name) for name in (*_VIEWS, *_COPIES)),
    *(torch.squeeze, torch.flatten, torch.reshape, torch.clone),
    getattr(Tensor.data, "__get__"),  # noqa: B009  `output.data`, which types do not know
}
_ROUNDS = frozenset((torch.round, Tensor.round))
_ABOVE = frozenset(
    (torch.gt, torch.ge, Tensor.gt, Tensor.ge, Tensor.__gt__, Tensor.__ge__, torch.greater)
)


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
        self._plain: dict[int, weakref.ref[Tensor]] = {}  # outputs, and views of them
        self._trained_with = ""

    @property
    def looks(self) -> bool:
        """Whether calls of torch have to be given to it."""
        return not self.misread and 0 < self._passes <= MOST_PASSES

    def start(self, outputs: Iterable[Tensor], trained_with: str = "") -> None:
        """The module has computed these outputs without gradients.

        Args:
            outputs: of the module.
            trained_with: its training loss, a name of `netwise.wiring.LOSS_OPERATIONS`, where that
                is computed of these outputs themselves; "" where not known.
        """
        self._passes += 1
        self._of_one, self._largest, self._plain = {}, {}, {}
        self._trained_with = trained_with
        if self.looks:
            given = list(outputs)
            self._outputs.start(given)
            self._plain = {id(output): weakref.ref(output) for output in given}

    def called(
        self, func: Callable[..., Any], args: Any, kwargs: Mapping[str, Any], result: Any
    ) -> None:
        """A function of torch was called."""
        if func in _LARGEST and self._outputs.follows(args):
            self._note_largest(args, kwargs, result)
        tensors = [arg for arg in args if isinstance(arg, Tensor)]
        of = next((found for found in map(self._kind, tensors) if found), "")
        of = of or self._of_logits(func, args, kwargs)
        if func in _SAME_NUMBERS and isinstance(result, Tensor) and self._is_plain(args[0]):
            self._plain[id(result)] = weakref.ref(result)
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
        elif axis == 0 and values.dim() == 2:
            of_classes = self._trained_with == CROSS_ENTROPY and self._is_plain(values)
            kind = OVER_SAMPLES if of_classes or values.shape[1] == 1 else ""
        if kind:
            self._of_one[id(answers)] = (weakref.ref(answers), kind)

    def _of_logits(self, func: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> str:
        """How logits of a binary cross-entropy are made answers as if they were probabilities."""
        if self._trained_with != BINARY_CROSS_ENTROPY_OF_LOGITS or not args:
            return ""
        if not self._is_plain(args[0]):
            return ""
        if func in _ROUNDS:
            return ROUNDED_LOGITS
        limit = args[1] if len(args) > 1 else kwargs.get("other")
        return HALF_OF_LOGITS if func in _ABOVE and limit == HALF else ""

    def _is_plain(self, tensor: Any) -> bool:
        known = self._plain.get(id(tensor))
        return known is not None and known() is tensor

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
