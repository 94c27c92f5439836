"""Marks of inputs that were prepared already, so that a run does not prepare them twice.

`Data.load()` gives inputs after the encoder (pixels of 0 to 1, not of 0 to 255), `prepare` those
after the preprocessing too. Their numbers do not show it, so their type does: tensors are
`PreparedTensor`, the arrays that these become are `PreparedArray`. Both are used like any others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor
from torch._C import DisableTorchFunctionSubclass

from netwise.errors import DataError
from netwise.parts.preprocess import Fitted, Preprocess


@dataclass(frozen=True, eq=False)
class Preparation:
    """What was done to raw inputs.

    Args:
        encoder: what encoded them.
        shape: of one sample.
        steps: the preprocessing steps that followed.
        fitted: what each of these steps had learned.
        changed: arithmetic followed, so that their units are unknown.
    """

    encoder: object
    shape: tuple[int, ...]
    steps: tuple[Preprocess, ...] = ()
    fitted: tuple[Fitted, ...] = ()
    changed: bool = False

    def samples(self, x: Tensor) -> Tensor:
        """The inputs `x` as (samples, ...), also where they are one sample or were flattened.

        Raises:
            DataError: they are no whole samples.
        """
        if tuple(x.shape[1:]) == self.shape:
            return x
        size = math.prod(self.shape)
        if tuple(x.shape) == self.shape or (x.dim() == 1 and x.numel() == size):
            x = x[None]
        if x.dim() < 1 or x.numel() != len(x) * size:
            raise DataError(
                f"the prepared inputs have shape {tuple(x.shape)}, and one sample has "
                f"{self.shape}: pass whole samples"
            )
        return x.reshape(len(x), *self.shape)


class PreparedTensor(Tensor):
    """A tensor of prepared inputs. What is chosen, moved or reshaped of it has its mark; results of
    arithmetic with it are marked as changed; all other results are plain tensors."""

    preparation: Preparation

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        with DisableTorchFunctionSubclass():
            result = func(*args, **(kwargs or {}))
            name = getattr(func, "__name__", "").strip("_")
            inputs = args[0] if args and isinstance(args[0], list | tuple) else args[:3]
            marks = {id(mark): mark for mark in map(preparation_of, inputs)}
            known = [mark for mark in marks.values() if mark is not None]
            if known and (_KEEPS.fullmatch(name) or (_JOINS.fullmatch(name) and len(marks) == 1)):
                return _mark_all(result, known[0])
            if known and (_CHANGES.fullmatch(name) or _JOINS.fullmatch(name)):
                return _mark_all(result, replace(known[0], changed=True))
            return result

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        plain = unmarked(self).numpy()
        if copy or (dtype is not None and dtype != plain.dtype):
            return plain.astype(dtype or plain.dtype)
        return self.numpy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return self.detach().clone()


class PreparedArray(np.ndarray):
    """An array that was made of a `PreparedTensor`, with the same rules."""

    preparation: Preparation | None

    def __array_finalize__(self, source: Any) -> None:
        self.preparation = getattr(source, "preparation", None)

    def __array_wrap__(
        self, array: np.ndarray, context: Any = None, return_scalar: bool = False
    ) -> Any:
        if return_scalar or self.preparation is None or array.dtype.kind != "f":
            return array[()] if return_scalar else np.asarray(array)
        return _mark_all(array, replace(self.preparation, changed=True))


@dataclass(frozen=True, eq=False)
class _Memory:
    """The memory of a marked array: the last `base` of all its views, whatever their class."""

    array: np.ndarray
    preparation: Preparation

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self.array.__array_interface__


# Names of torch's functions, without the underscores of operators and of in-place forms.
_KEEPS = re.compile(
    "getitem|index_select|narrow|split|chunk|unbind|iter|take_along_dim|clone|detach|contiguous|to|"
    "cpu|cuda|float|double|numpy|reshape|view|view_as|flatten|squeeze|unsqueeze|unflatten|flip"
)
_JOINS = re.compile("cat|concat|stack|vstack")
_CHANGES = re.compile(
    "[ri]?(add|sub|mul|div|truediv)|true_divide|subtract|multiply|divide|neg|negative|r?pow|abs|"
    "clamp|clip|clamp_min|clamp_max|round|sqrt|square|exp|log|where|lerp"
)


def preparation_of(inputs: object) -> Preparation | None:
    """How these inputs were prepared, as their type tells; None where it tells nothing."""
    if isinstance(inputs, Tensor):
        return getattr(inputs, "preparation", None)
    while isinstance(inputs, np.ndarray) and not isinstance(inputs, PreparedArray):
        inputs = inputs.base  # np.asarray gives a plain view of a marked array
    return inputs.preparation if isinstance(inputs, PreparedArray | _Memory) else None


def marked(x: Tensor, preparation: Preparation) -> Tensor:
    """The same memory as a tensor that is marked as prepared. A tensor of another class of its own
    stays one, with the mark as its attribute `preparation`."""
    tensor: Tensor = _mark_all(unmarked(x), preparation)
    return tensor


def unmarked(x: Tensor) -> Tensor:
    """The same memory as a plain tensor, or as one of another class without a mark."""
    if hasattr(x, "without_mark"):
        bare: Tensor = x.without_mark()
        return bare
    with DisableTorchFunctionSubclass():
        return x.as_subclass(Tensor) if isinstance(x, PreparedTensor) else x


def _mark_all(result: Any, preparation: Preparation) -> Any:
    """A tensor or array as a marked one; each of several in a list or tuple."""
    if isinstance(result, list | tuple):
        return type(result)(_mark_all(each, preparation) for each in result)
    if type(result) is Tensor:
        result = result.as_subclass(PreparedTensor)
    elif isinstance(result, np.ndarray):
        result = np.asarray(_Memory(result, preparation)).view(PreparedArray)
    if isinstance(result, Tensor | PreparedArray):
        result.preparation = preparation  # type: ignore[union-attr]
    return result
