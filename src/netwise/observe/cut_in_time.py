"""Sequences whose early places change the outputs and get no gradient: a state that is detached at
each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.nested import tensors_in, with_tensors
from netwise.observe.output_gradients import random_sum
from netwise.observe.sample_axes import difference, tolerance_of

FEWEST_PLACES = 4  # of a sequence
MOST_NUMBERS = 4_000_000  # of a sequence
MOVED = 0.05  # of the values at early places


def cut_in_time(
    module: nn.Module,
    call: Callable[[Any, Any], list[Tensor]],
    args: Any,
    kwargs: Any,
    samples: int,
) -> int:
    """The places of a sequence of which only the last gets a gradient, though outputs change with
    the values in its first half; 0 where none is so. Only inside of `undisturbed`.

    Sequences are inputs of real numbers (samples, places, features) or (places, samples, features),
    what embeddings make of symbols (samples, places), and rows or pictures that are cut into as
    many places as a layer is called. Of outputs with places those of the last one count.

    Args:
        module: a copy that `call` calls.
        call: gives its outputs.
        args, kwargs: of one call.
        samples: of the batch.

    Example:
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.cell = nn.RNNCell(2, 3)
        ...     def forward(self, x):
        ...         h = torch.zeros(len(x), 3)
        ...         for t in range(x.shape[1]):
        ...             h = self.cell(x[:, t], h.detach())
        ...         return h
        >>> net = Net()
        >>> cut_in_time(net, lambda args, kwargs: [net(*args)], (torch.randn(4, 6, 2),), {}, 4)
        6
    """
    for run, axis, sequence in _sequences(module, call, args, kwargs, samples):
        if _reached(run, sequence, axis) == 1:
            return sequence.shape[axis]
    calls = {count for count in _calls(module, call, args, kwargs) if count >= FEWEST_PLACES}
    for run, row in _rows(call, args, kwargs, samples) if calls else ():
        numbers = row.shape[1]
        places, rest = divmod(numbers, _reached(run, row, 1) or numbers)
        if places in calls and not rest:
            return places
    return 0


_Run = Callable[[Tensor], list[Tensor]]  # outputs for another sequence


def _sequences(
    module: nn.Module,
    call: Callable[[Any, Any], list[Tensor]],
    args: Any,
    kwargs: Any,
    samples: int,
) -> Iterator[tuple[_Run, int, Tensor]]:
    """How outputs follow from a sequence, the axis of its places, and the sequence."""
    for values in tensors_in((args, kwargs)):
        if values.dim() == 3 and values.is_floating_point():
            axis = _axis(values, samples)
            if axis is not None:

                def exchanged(new: Tensor, old: Tensor = values) -> list[Tensor]:
                    return call(*with_tensors((args, kwargs), lambda t: new if t is old else t))

                yield exchanged, axis, values
    for part in module.modules():
        if isinstance(part, nn.Embedding):
            made = _outputs_of_layer(part, call, args, kwargs)
            axis = _axis(made[0], samples) if len(made) == 1 and made[0].dim() == 3 else None
            if axis is not None:

                def replaced(new: Tensor, layer: nn.Module = part) -> list[Tensor]:
                    handle = layer.register_forward_hook(lambda *_: new)
                    try:
                        return call(args, kwargs)
                    finally:
                        handle.remove()

                yield replaced, axis, made[0]


def _rows(
    call: Callable[[Any, Any], list[Tensor]], args: Any, kwargs: Any, samples: int
) -> Iterator[tuple[_Run, Tensor]]:
    """How outputs follow from inputs that may be cut into places inside, each as one row."""
    for values in tensors_in((args, kwargs)):
        if values.dim() in (2, 4) and values.is_floating_point() and values.shape[0] == samples:

            def exchanged(new: Tensor, old: Tensor = values) -> list[Tensor]:
                row = new.reshape(old.shape)
                return call(*with_tensors((args, kwargs), lambda t: row if t is old else t))

            if values.numel() <= MOST_NUMBERS:
                yield exchanged, values.flatten(1)


def _calls(
    module: nn.Module, call: Callable[[Any, Any], list[Tensor]], args: Any, kwargs: Any
) -> set[int]:
    """How often the layers of a module are called in a pass."""
    counts: Counter[nn.Module] = Counter()
    handles = [
        part.register_forward_hook(lambda layer, given, output: counts.update([layer]))
        for part in module.modules()
        if part is not module
    ]
    try:
        call(args, kwargs)
    finally:
        for handle in handles:
            handle.remove()
    return set(counts.values())


def _axis(values: Tensor, samples: int) -> int | None:
    """Of the places, of (samples, places, features) or (places, samples, features)."""
    if values.numel() > MOST_NUMBERS:
        return None
    axis = 1 if values.shape[0] == samples else 0 if values.shape[1] == samples else None
    return axis if axis is not None and values.shape[axis] >= FEWEST_PLACES else None


def _outputs_of_layer(
    layer: nn.Module, call: Callable[[Any, Any], list[Tensor]], args: Any, kwargs: Any
) -> list[Tensor]:
    found: list[Tensor] = []
    handle = layer.register_forward_hook(lambda module, given, output: found.append(output))
    try:
        call(args, kwargs)
    finally:
        handle.remove()
    return [t.detach().clone() for t in found]


def _reached(run: _Run, sequence: Tensor, axis: int) -> int:
    """How many places have a gradient, all of which are at the end, though outputs change with the
    values in the first half; 0 where it is not so."""
    given = sequence.detach().clone()
    early = [slice(None)] * sequence.dim()
    early[axis] = slice(0, sequence.shape[axis] // 2)
    moved = given.clone()
    moved[tuple(early)] *= 1 + MOVED  # zeros, which may be padding, stay
    places = given.shape[axis]
    before, after = (_last(run(values), axis, places) for values in (given, moved))
    if not _changes(before, after):
        return 0
    with torch.enable_grad():
        leaf = given.requires_grad_(True)
        total = random_sum(_last(run(leaf), axis, places))
        if total is None:
            return 0
        gradient: Tensor | None = torch.autograd.grad(total, leaf, allow_unused=True)[0]
    if gradient is None:
        return 0
    reached = (gradient != 0).movedim(axis, 0).flatten(1).any(1)
    count = int(reached.sum())
    return count if 0 < count < places and bool(reached[-count:].all()) else 0


def _last(outputs: Sequence[Tensor], axis: int, places: int) -> list[Tensor]:
    """Of outputs with as many places those of the last one, which may follow from all others."""
    return [t.select(axis, -1) if t.dim() > 2 and t.shape[axis] == places else t for t in outputs]


def _changes(before: Sequence[Tensor], after: Sequence[Tensor]) -> bool:
    return len(before) == len(after) and any(
        b.shape == a.shape and b.numel() and float(difference(b, a).max()) > tolerance_of(b)
        for b, a in zip(before, after, strict=True)
    )
