"""Numbers of watched steps that wait until many steps are evaluated together.

A step only copies its numbers. What a step gives does not depend on the others, so that steps may
be evaluated one by one or together, to the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Row = dict[str, float]
Array = npt.NDArray[Any]  # (steps, *shape) of what was kept; numbers in float64
Write = Callable[..., None]
MOST_WAITING, MOST_WAITING_NUMBERS = 64, 2**20  # steps, and numbers of theirs, in memory


@dataclass(frozen=True, eq=False)
class Measure:
    """Tensors of one step, and what makes signals of them.

    Args:
        write: called with the rows of several steps, a list with the array of each tensor, and
            `given`.
        tensors: whose present numbers are kept.
        given: other arguments; equal ones in steps that are evaluated together.
    """

    write: Write
    tensors: tuple[Tensor, ...]
    given: tuple[Hashable, ...] = ()


@dataclass(frozen=True)
class MeasurePlan:
    """What lies where in the numbers of a step: equal for steps that are evaluated together.

    Args:
        parts: of each measure: `write`, `given`, and of each tensor its kind, its place among those
            of its kind, and its shape.
        sizes: numbers of each kind.
    """

    parts: tuple[tuple[Write, tuple[Hashable, ...], tuple[tuple[int, int, torch.Size], ...]], ...]
    sizes: tuple[int, ...]


Packed = tuple[Tensor, ...]  # the numbers of each kind, one after the other: (steps, numbers)
KeptSnapshot = tuple[tuple[MeasurePlan, list[Row], Packed], ...]


def planned(measures: Sequence[Measure]) -> tuple[MeasurePlan, tuple[list[Tensor], ...]]:
    """The plan of measures, and their tensors by kind: of one type and device each."""
    kinds: dict[tuple[torch.dtype, torch.device], int] = {}
    sizes: list[int] = []
    tensors: list[list[Tensor]] = []
    parts = []
    for measure in measures:
        places = []
        for tensor in measure.tensors:
            kind = kinds.setdefault((tensor.dtype, tensor.device), len(kinds))
            if kind == len(sizes):
                sizes.append(0)
                tensors.append([])
            places.append((kind, sizes[kind], tensor.shape))
            sizes[kind] += tensor.numel()
            tensors[kind].append(tensor)
        parts.append((measure.write, measure.given, tuple(places)))
    return MeasurePlan(tuple(parts), tuple(sizes)), tuple(tensors)


def packed(tensors: Sequence[Sequence[Tensor]]) -> Packed:
    """A copy of the numbers of one step.

    Args:
        tensors: by kind.
    """
    return tuple([torch.cat([each.reshape(-1) for each in those])[None] for those in tensors])


class KeptSteps:
    """Steps whose signals are not computed yet, in their order.

    Example:
        >>> kept, row = KeptSteps(), {}
        >>> def write(rows, arrays, name):
        ...     for row, value in zip(rows, arrays[0].tolist()):
        ...         row[name] = value
        >>> kept.keep(row, [Measure(write, (torch.tensor(2.0),), ("loss",))])
        >>> kept.complete()
        >>> row
        {'loss': 2.0}
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[MeasurePlan, list[Row], Packed]] = []
        self._steps = self._numbers = 0

    def keep(self, row: Row, measures: Sequence[Measure]) -> None:
        """Copy the numbers of one step.

        Args:
            row: its signals are written into.
            measures: what they are made of.
        """
        plan, tensors = planned(measures)
        self.keep_packed([row], plan, packed(tensors))

    def keep_packed(self, rows: list[Row], plan: MeasurePlan, numbers: Packed) -> None:
        """The same of several steps, whose numbers nothing else changes."""
        self._waiting.append((plan, rows, numbers))
        self._steps += len(rows)
        self._numbers += len(rows) * sum(plan.sizes)

    @property
    def are_many(self) -> bool:
        """Whether so many steps wait that they should be evaluated."""
        return self._steps >= MOST_WAITING or self._numbers > MOST_WAITING_NUMBERS

    def complete(self) -> None:
        """Write the signals of all steps that wait."""
        waiting, self._waiting = self._waiting, []
        self._steps = self._numbers = 0
        for plan, group in groupby(waiting, key=lambda each: each[0]):
            members = list(group)
            rows = [row for _, those, _ in members for row in those]
            arrays = [_array(list(each)) for each in zip(*(p for *_, p in members), strict=True)]
            for write, given, places in plan.parts:
                values = [
                    arrays[kind][:, begin : begin + math.prod(shape)].reshape(len(rows), *shape)
                    for kind, begin, shape in places
                ]
                write(rows, values, *given)

    def snapshot(self) -> KeptSnapshot:
        """The steps that wait, for `restore`."""
        return tuple(self._waiting)

    def restore(self, snapshot: KeptSnapshot) -> None:
        """Go back to a snapshot. Steps that have come since then get no signals any more."""
        self._waiting = list(snapshot)
        self._steps = sum(len(rows) for _, rows, _ in snapshot)
        self._numbers = sum(len(rows) * sum(plan.sizes) for plan, rows, _ in snapshot)


def _array(pieces: list[Tensor]) -> Array:
    """The numbers of one kind of many steps, in memory by one transfer."""
    whole = (pieces[0] if len(pieces) == 1 else torch.cat(pieces)).cpu()
    if whole.is_floating_point():
        whole = whole.to(torch.float64)  # squares of tiny gradients are 0 in 32 bits
    array: Array = np.asarray(whole.numpy())
    return array
