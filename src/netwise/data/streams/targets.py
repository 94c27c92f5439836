"""Targets of a stream: raw values as classes or numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from netwise.data.precision import keeping_differences
from netwise.errors import DataError, short_repr
from netwise.tasks import CLASSIFICATION, DENSITY, REGRESSION

MOST_CLASSES = 100_000


@dataclass(frozen=True)
class TargetKind:
    """What the targets are.

    Args:
        task: "classification", "regression" or "density".
        classes: names in the order of their numbers.
        values: the classes as they came.
    """

    task: str
    classes: tuple[str, ...] = ()
    values: np.ndarray | None = None

    def tensor(self, raw: np.ndarray | None, rows: int) -> Tensor:
        """int64 numbers of classes (rows,), or numbers (rows, targets); these in float64 where
        float32 loses differences.

        Raises:
            DataError: a class was not there before.
        """
        if raw is None or self.task == DENSITY:
            return torch.zeros(rows, 0)
        if self.values is None:
            values = keeping_differences(raw.reshape(len(raw), -1))
            if not bool(torch.isfinite(values).all()):
                raise DataError(
                    f"{int((~torch.isfinite(values)).sum())} of the targets are not finite "
                    "numbers: remove those samples"
                )
            return values
        flat = raw.reshape(-1)
        places = np.searchsorted(self.values, flat).clip(max=len(self.values) - 1)
        unknown = self.values[places] != flat
        if unknown.any():
            raise DataError(
                f"the class {short_repr(str(flat[unknown][0]))} is in no sample of the training "
                "source: add samples of it, or remove these"
            )
        return torch.from_numpy(places.astype(np.int64))


def kind_of_targets(raw: np.ndarray | None) -> TargetKind:
    """Whole numbers, truth values and words are classes, real numbers are targets of regression.

    Example:
        >>> import numpy as np
        >>> from netwise.data.streams.targets import kind_of_targets
        >>> kind_of_targets(np.array(["cat", "dog", "cat"])).classes
        ('cat', 'dog')

    Raises:
        DataError: a sample has several classes, or all have the same.
    """
    if raw is None or (raw.ndim > 1 and not raw.shape[1:][0]):
        return TargetKind(DENSITY)
    if raw.dtype.kind == "f":
        return TargetKind(REGRESSION)
    if raw.dtype.kind not in "iubUS" or raw.reshape(len(raw), -1).shape[1] != 1:
        raise DataError(
            f"the targets have the shape {raw.shape} and the type {raw.dtype}: give one class for "
            "each sample (a whole number or a word), or real numbers"
        )
    values = np.unique(raw)
    if not 2 <= len(values) <= MOST_CLASSES:
        raise DataError(
            f"the targets are {len(values):,} different classes: give samples of two or more, or "
            "real numbers (floats) for regression"
        )
    return TargetKind(CLASSIFICATION, tuple(str(value) for value in values), values)


class ReadTargets(Tensor):
    """The targets of a source that gives its samples in another order each time: a batch gets those
    that were read with its inputs, all else sees those of the first pass.

    Args:
        known: of the first pass.
        read: gives the targets of the rows with these numbers in the present pass.
    """

    known: Tensor
    read: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, known: Tensor, read: Callable[[Tensor], Tensor]) -> ReadTargets:
        """See the class."""
        self: ReadTargets = Tensor._make_wrapper_subclass(
            cls, known.shape, dtype=known.dtype, device=known.device
        )
        self.known, self.read = known, read
        return self

    def numpy(self, *args: Any, **kwargs: Any) -> Any:
        return self.known.cpu().numpy()

    def tolist(self) -> Any:
        return self.known.tolist()

    def cpu(self, *args: Any, **kwargs: Any) -> Tensor:
        return self.known.cpu()

    def to(self, device: Any, *args: Any, **kwargs: Any) -> Tensor:  # type: ignore[override]
        """The same for batches on another device."""
        known = self.known.to(device, *args, **kwargs)
        return ReadTargets.of(known, lambda rows: self.read(rows.cpu()).to(known.device))

    def __repr__(self, **kwargs: Any) -> str:  # type: ignore[override]
        return f"ReadTargets(shape={tuple(self.shape)})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch.ops.aten.index_select.default and isinstance(args[0], ReadTargets):
            return args[0].read(args[2])
        if func in (torch.ops.aten.detach.default, torch.ops.aten.alias.default):
            return ReadTargets.of(args[0].known, args[0].read)
        return func(*tree_map(_known, args), **tree_map(_known, kwargs or {}))


def _known(value: Any) -> Any:
    return value.known if isinstance(value, ReadTargets) else value
