"""Whether outputs depend on the inputs, where the dependence is lost, and through how few numbers
it goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from netwise.first_batch import INPUTS, OUTPUT_RECTIFIER, RECTIFIER, SOFTMAX_OF_ONE
from netwise.observe.nested import tensors_in, with_tensors
from netwise.observe.operations import Operation, traced
from netwise.observe.sample_axes import (
    SampleAxis,
    difference,
    rolled,
    tolerance_of,
    with_sample_changed,
)

Call = Callable[[Any, Any], list[Tensor]]

_RECTIFIERS = ("relu", "relu6", "threshold", "clamp", "clamp_min", "hardtanh", "maximum")
STEPS = 2  # of gradient ascent, after which a layer that started at zero lets signals through
STEP = 0.1  # of the size of the weights
MOST_NARROW = 3  # layers that are tried as the narrowest


@dataclass(frozen=True)
class LostDependence:
    """The first operation whose result does not depend on the inputs.

    Args:
        after: the innermost layer in which it is, or `INPUTS`; "" for the module itself.
        kind: `SOFTMAX_OF_ONE`, `RECTIFIER`, or the name of the operation; "" for `INPUTS`.
    """

    after: str
    kind: str = ""


def is_constant(before: Sequence[Tensor], after: Sequence[Tensor]) -> bool:
    """Whether outputs for two batches are equal, up to rounding."""
    return all(
        not b.numel() or float(difference(b, a).max()) <= tolerance_of(b) / 10
        for b, a in zip(before, after, strict=True)
    )


def stays_constant(module: nn.Module, call: Call, args: Any, kwargs: Any, axis: SampleAxis) -> bool:
    """Whether outputs are still the same for all samples after steps along a gradient.

    A last layer of zeros, or an added branch that starts at zero, gives constant outputs and
    learns well: its own gradient is not zero. This changes the weights of the copy.
    """
    other = with_sample_changed(args, kwargs, axis, 0) or rolled(args, kwargs, axis)
    weights = [p for p in module.parameters() if p.requires_grad]
    generator = torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        with torch.enable_grad():
            outputs = [t for t in call(args, kwargs) if t.requires_grad]
            if not outputs or not weights:
                return True
            random = [torch.randn(t.shape, generator=generator).to(t) for t in outputs]
            gradients: tuple[Tensor | None, ...] = torch.autograd.grad(
                outputs, weights, random, allow_unused=True
            )
        with torch.no_grad():
            for p, gradient in zip(weights, gradients, strict=True):
                size = 0.0 if gradient is None else float(gradient.norm())
                if gradient is not None and 0 < size < math.inf:
                    scale = max(float(p.norm()), math.sqrt(p.numel()) * STEP)
                    p.add_(gradient.to(p.dtype), alpha=STEP * scale / size)
    with torch.no_grad():
        return is_constant(call(args, kwargs), call(*other))


def where_lost(
    module: nn.Module, call: Call, args: Any, kwargs: Any, axis: SampleAxis
) -> LostDependence | None:
    """The first operation whose result does not change with the inputs though its own do; None
    where none shows it."""
    before = traced(module, call, (args, kwargs))
    after = traced(module, call, rolled(args, kwargs, axis))
    if [each.name for each in before] != [each.name for each in after]:
        return None
    reached = False
    for old, new in zip(before, after, strict=True):
        if old.name.endswith("_like") or old.name.startswith("new_"):
            continue  # reads the shape alone
        moved = not is_constant([old.output], [new.output])
        given = _symbols(old), _symbols(new)
        if not moved and not (_unchanged(old.inputs, new.inputs) and _equal(*given)):
            kind = _kind(old)
            at_end = kind == RECTIFIER and old is before[-1]
            return LostDependence(old.layer, OUTPUT_RECTIFIER if at_end else kind)
        reached = reached or moved or not _unchanged(old.inputs, new.inputs)
    return None if reached else LostDependence(INPUTS)


def _symbols(operation: Operation) -> list[Tensor]:
    """Whole numbers that an operation gets, as an embedding does."""
    return [t for t in tensors_in(operation.args) if not t.is_floating_point()]


def _equal(before: Sequence[Tensor], after: Sequence[Tensor]) -> bool:
    return len(before) == len(after) and all(map(torch.equal, before, after))


def _unchanged(before: Sequence[Tensor], after: Sequence[Tensor]) -> bool:
    same = [t.shape for t in before] == [t.shape for t in after]
    return same and is_constant(before, after)


def _kind(operation: Operation) -> str:
    """What loses the inputs, as in `LostDependence.kind`."""
    name = operation.name.strip("_")
    output = operation.output
    if "softmax" in name:
        single = bool((output == (0.0 if name.startswith("log") else 1.0)).all())
        return SOFTMAX_OF_ONE if single else name
    return RECTIFIER if name in _RECTIFIERS else name


def narrowest(
    module: nn.Module,
    call: Call,
    args: Any,
    kwargs: Any,
    before: Sequence[Tensor],
    axis: SampleAxis,
) -> tuple[str, int] | None:
    """The layer with the fewest numbers for each sample, fewer than there are outputs, through
    which all that the outputs depend on goes; None without one.

    A layer is one where moving its outputs by one sample moves the network's outputs likewise.

    Args:
        module: a copy.
        call: gives its outputs for inputs.
        args, kwargs: the inputs.
        before: the outputs for them.
        axis: where samples lie; only axis 0 is read.
    """
    n = axis.samples
    outputs = [t for t in before if t.dim() > 1 and t.shape[0] == n]
    if axis.axis or len(outputs) != len(before) or not outputs:
        return None
    most = outputs[0][0].numel()
    widths: dict[str, list[int]] = {}

    def note(name: str) -> Callable[..., None]:
        def ended(part: nn.Module, args: Any, output: Any) -> None:
            rows = isinstance(output, Tensor) and output.dim() > 1 and output.shape[0] == n
            widths.setdefault(name, []).append(output[0].numel() if rows else 0)

        return ended

    layers = {
        name: part
        for name, part in module.named_modules()
        if name and next(part.parameters(recurse=False), None) is not None
    }
    handles = [part.register_forward_hook(note(name)) for name, part in layers.items()]
    try:
        call(args, kwargs)
    finally:
        for handle in handles:
            handle.remove()
    narrow = sorted(
        (seen[0], name) for name, seen in widths.items() if len(seen) == 1 and 0 < seen[0] < most
    )
    for width, name in narrow[:MOST_NARROW]:
        if _all_goes_through(layers[name], call, args, kwargs, before):
            return name, width
    return None


def _all_goes_through(
    layer: nn.Module, call: Call, args: Any, kwargs: Any, before: Sequence[Tensor]
) -> bool:
    def move(part: nn.Module, args: Any, output: Any) -> Any:
        return with_tensors(output, lambda t: t.roll(1, 0))

    handle = layer.register_forward_hook(move)
    try:
        moved = call(args, kwargs)
    finally:
        handle.remove()
    expected = [t.roll(1, 0) for t in before]
    return is_constant(expected, moved) and not is_constant(before, moved)
