"""Whether each row of a module's outputs depends on one sample of the batch alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from netwise.observe.nested import tensors_in, with_tensors

AXES = (0, 1)  # of inputs, along which samples may lie
TOLERANCE = 100  # of rounding errors, relative to the largest output


@dataclass(frozen=True)
class SampleAxis:
    """A guess of where samples lie in the inputs.

    Args:
        axis: of the inputs.
        samples: size of that axis.
        members: which of the tensors in the inputs have it, by their numbers.
    """

    axis: int
    samples: int
    members: tuple[int, ...]


@dataclass(frozen=True)
class Dependence:
    """How outputs depend on samples along one axis.

    Args:
        axis: of the inputs.
        known: whether an output has a row for each sample, and changed with it.
        mixes: whether a row depends on other samples than its own.
        share: change of the rows of other samples, over that of the changed sample's own row.
        changed: the samples that were changed.
        moved: whether any output changed.
    """

    axis: SampleAxis
    known: bool
    mixes: bool
    share: float = 0.0
    changed: tuple[int, ...] = ()
    moved: bool = False


def sample_axes(inputs: Sequence[Tensor], samples: int | None = None) -> list[SampleAxis]:
    """Where samples may lie, the likeliest first: axis 0 of all inputs with one size, then other
    axes, then those of single inputs.

    Args:
        inputs: tensors in the arguments of a module.
        samples: how many there are, where the targets show it.

    Example:
        >>> import torch
        >>> [(a.axis, a.samples) for a in sample_axes([torch.zeros(8, 5, 3)])]
        [(0, 8), (1, 5)]
    """
    found: list[SampleAxis] = []
    for axis in AXES:
        first = next((t for t in inputs if t.dim() > axis), None)
        if first is None or first.shape[axis] < 2:
            continue
        size = int(first.shape[axis])
        members = tuple(i for i, t in enumerate(inputs) if t.dim() > axis and t.shape[axis] == size)
        found.append(SampleAxis(axis, size, members))
    found += [
        SampleAxis(each.axis, each.samples, (member,))
        for each in found[:]
        if len(each.members) > 1
        for member in each.members
    ]
    fitting = [each for each in found if each.samples == samples]
    return fitting or found


def chosen_samples(axis: SampleAxis) -> tuple[int, ...]:
    """The samples to change: the first, one in the middle, the last."""
    n = axis.samples
    return tuple(sorted({0, n // 2, n - 1}))


def with_sample_changed(
    args: Any, kwargs: Any, axis: SampleAxis, sample: int
) -> tuple[Any, Any] | None:
    """The same inputs, with another sample in the place of one; None where all samples are equal.

    Other samples are valid inputs, whatever their values mean: numbers, words or masks.
    """
    tensors = list(tensors_in((args, kwargs)))
    members = [tensors[i] for i in axis.members]
    other = _another(members, axis, sample)
    if other is None:
        return None
    chosen = {id(t) for t in members}

    def change(tensor: Tensor) -> Tensor:
        if id(tensor) not in chosen:
            return tensor
        changed = tensor.detach().clone()
        changed.select(axis.axis, sample).copy_(tensor.detach().select(axis.axis, other))
        return changed

    new_args, new_kwargs = with_tensors((args, kwargs), change)
    return new_args, new_kwargs


def _another(members: Sequence[Tensor], axis: SampleAxis, sample: int) -> int | None:
    """The number of a sample that differs most from one: the first that differs in all members,
    or else in one."""
    n = axis.samples
    best, most = None, 0
    for step in range(1, min(n, 20)):
        other = (sample + step) % n
        differing = sum(
            bool((t.select(axis.axis, sample) != t.select(axis.axis, other)).any()) for t in members
        )
        if differing > most:
            best, most = other, differing
        if most == len(members):
            break
    return best


def rolled(args: Any, kwargs: Any, axis: SampleAxis) -> tuple[Any, Any]:
    """The same inputs with all samples moved by one place."""
    chosen = {id(t) for i, t in enumerate(tensors_in((args, kwargs))) if i in axis.members}
    new_args, new_kwargs = with_tensors(
        (args, kwargs), lambda t: t.detach().roll(1, axis.axis) if id(t) in chosen else t
    )
    return new_args, new_kwargs


def tolerance_of(output: Tensor) -> float:
    """The difference between two outputs that rounding alone may make."""
    finite = output.detach().nan_to_num(0.0, 0.0, 0.0).abs()
    largest = float(finite.max()) if finite.numel() else 0.0
    return min(TOLERANCE * torch.finfo(output.dtype).eps, 0.05) * largest


def difference(before: Tensor, after: Tensor) -> Tensor:
    """Absolute difference; 0 where both are not finite."""
    before, after = before.detach(), after.detach()
    both = ~(before.isfinite() | after.isfinite())
    return (after - before).abs().masked_fill(both, 0.0).nan_to_num(float("inf"))


def dependence(
    call: Callable[[Any, Any], list[Tensor]],
    args: Any,
    kwargs: Any,
    axis: SampleAxis,
    before: Sequence[Tensor],
) -> Dependence:
    """Change samples one at a time, and see which rows of the outputs change.

    Args:
        call: gives the outputs for inputs.
        args, kwargs: the inputs.
        axis: where samples lie.
        before: the outputs for them.
    """
    changes: list[tuple[int, list[Tensor]]] = []
    for sample in chosen_samples(axis):
        inputs = with_sample_changed(args, kwargs, axis, sample)
        if inputs is None:
            continue
        after = call(*inputs)
        if [t.shape for t in after] != [t.shape for t in before]:
            return Dependence(axis, known=False, mixes=False, moved=True)
        changes.append((sample, [difference(b, a) for b, a in zip(before, after, strict=True)]))
    known = mixes = moved = False
    share = 0.0
    for number, output in enumerate(before):
        limit = tolerance_of(output)
        differences = [(sample, every[number]) for sample, every in changes]
        differences = [(s, d) for s, d in differences if d.numel() and float(d.max()) > limit]
        moved = moved or bool(differences)
        arranged = list(arrangements(output.shape, axis))
        if not arranged or not differences:
            continue
        known = True
        if any(all(own_only(d, limit, s, where) for s, d in differences) for where in arranged):
            continue
        mixes = True
        share = max(share, *(_share(d, s, arranged[0]) for s, d in differences))
    return Dependence(axis, known, mixes, share, tuple(s for s, _ in changes), moved)


@dataclass(frozen=True)
class Arrangement:
    """How samples may lie along an axis of an output: sample s has the rows s * block to
    (s + 1) * block, or, where they are interleaved, s, s + n, s + 2 n, and so on."""

    axis: int
    samples: int
    block: int
    interleaved: bool = False

    def rows(self, sample: int) -> Tensor:
        """The rows of a sample."""
        if self.interleaved:
            return torch.arange(sample, self.samples * self.block, self.samples)
        return torch.arange(sample * self.block, (sample + 1) * self.block)


def arrangements(shape: Sequence[int], where: SampleAxis) -> Iterator[Arrangement]:
    """How samples may lie in an output of this shape, the simplest first."""
    n = where.samples
    for axis, size in enumerate(shape):
        if size == n:
            yield Arrangement(axis, n, 1)
    for axis, size in enumerate(shape[:2]):
        if size > n and size % n == 0 and (axis == 0 or len(shape) > 2):
            yield Arrangement(axis, n, size // n)
            yield Arrangement(axis, n, size // n, interleaved=True)


def own_only(change: Tensor, limit: float, sample: int, where: Arrangement) -> bool:
    """Whether no rows but those of the changed sample have changed."""
    others = change.index_fill(where.axis, where.rows(sample).to(change.device), 0.0)
    return float(others.max()) <= limit


def _share(change: Tensor, sample: int, where: Arrangement) -> float:
    rows = where.rows(sample).to(change.device)
    own = float(change.index_select(where.axis, rows).max())
    others = float(change.index_fill(where.axis, rows, 0.0).max())
    return others / own if own > 0 else float("inf")
