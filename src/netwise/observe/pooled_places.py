"""Pooling over all places of a map through which everything goes that the outputs depend on: they
then know what a picture or a series holds, and not where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from netwise.observe.nested import tensors_in
from netwise.observe.operations import Operation, is_whole
from netwise.observe.program_place import program_place
from netwise.observe.sample_axes import difference, tolerance_of

FEWEST_PLACES = 4
POOLINGS = (
    *(f"{kind}_pool{n}d" for kind in ("adaptive_avg", "adaptive_max", "avg", "max") for n in "123"),
    *("mean", "sum", "amax", "max", "logsumexp", "nanmean", "median"),
)
Call = Callable[[Any, Any], list[Tensor]]


def may_pool(operations: Sequence[Operation]) -> bool:
    """Whether a pass may have a pooling, so that `pooled_places` is worth its calls.

    Args:
        operations: its trace.
    """
    return not is_whole(operations) or any(each.name in POOLINGS for each in operations)


def pooled_places(call: Call, args: Any, kwargs: Any, before: list[Tensor]) -> tuple[str, str]:
    """A pooling over all places of a map, such as "adaptive_avg_pool2d of (32, 16, 6, 6)", and its
    line. Outputs stay the same when the places of that map are exchanged, and are those of other
    samples when the map is that of others. ("", "") without one.

    Args:
        call: gives the outputs in evaluation mode.
        args, kwargs: of one call, whose first axis is that of the samples.
        before: its outputs.

    Example:
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Conv1d(1, 2, 3), nn.AdaptiveAvgPool1d(1), nn.Flatten())
        >>> x = torch.randn(5, 1, 9)
        >>> pooled_places(lambda args, kwargs: [net(*args)], (x,), {}, [net(x)])[0]
        'adaptive_avg_pool1d of (5, 2, 7)'
    """
    watched = _Poolings()
    with watched:
        call(args, kwargs)
    for pooling in reversed(watched.found):
        with _Exchanged(pooling.made_by, partial(_places_exchanged, pooling.places)):
            after = call(args, kwargs)
        with _Exchanged(pooling.made_by, _samples_exchanged):
            of_others = call(args, kwargs)
        if _are_same(before, after) and _are_same([t.roll(1, 0) for t in before], of_others):
            return f"{pooling.name} of {pooling.shape}", pooling.line
    return "", ""


def _places_exchanged(axes: int, made: Tensor) -> Tensor:
    flat = made.flatten(-axes)
    order = torch.randperm(flat.shape[-1], generator=torch.Generator().manual_seed(0))
    return flat[..., order.to(flat.device)].reshape(made.shape)


def _samples_exchanged(made: Tensor) -> Tensor:
    return made.roll(1, 0)


def _are_same(before: list[Tensor], after: list[Tensor]) -> bool:
    return all(
        b.shape == a.shape and float(difference(b, a).max()) <= tolerance_of(b)
        for b, a in zip(before, after, strict=True)
        if b.numel()
    )


@dataclass(frozen=True)
class _Pooling:
    """One pooling over all places: its name, the shape of the map, the axes of the places, the
    number of the operation that made the map, and the line."""

    name: str
    shape: tuple[int, ...]
    places: int
    made_by: int
    line: str


@dataclass
class _Poolings(TorchFunctionMode):
    """The poolings of a pass over all places of a map that an operation of it has made."""

    found: list[_Pooling] = field(default_factory=list)
    made: dict[int, tuple[int, Tensor]] = field(default_factory=dict)  # by the tensor's id
    count: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name in POOLINGS and args and isinstance(args[0], Tensor) and id(args[0]) in self.made:
            pooled = next(tensors_in(result), None)
            places = 0 if pooled is None else _pooled(args[0], pooled)
            if places:
                made_by = self.made[id(args[0])][0]
                shape = tuple(args[0].shape)
                self.found.append(_Pooling(name, shape, places, made_by, program_place()))
        if isinstance(result, Tensor):
            self.made[id(result)] = (self.count, result)  # kept, so that no id occurs again
        self.count += 1
        return result


def _pooled(before: Tensor, after: Tensor) -> int:
    """How many axes of places a pooling has taken whole; 0 for other operations."""
    places = before.dim() - 2
    if places not in (1, 2, 3) or not before.is_floating_point():
        return 0
    if before[0, 0].numel() < FEWEST_PLACES or after.numel() != before.shape[0] * before.shape[1]:
        return 0
    return places if after.shape[:2] == before.shape[:2] else 0


@dataclass
class _Exchanged(TorchFunctionMode):
    """Change the map that one operation of a pass makes."""

    number: int
    change: Callable[[Tensor], Tensor]
    count: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if self.count == self.number and isinstance(result, Tensor):
            result = self.change(result)
        self.count += 1
        return result
