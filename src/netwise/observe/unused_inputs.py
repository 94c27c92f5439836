"""Arguments of a module that its outputs do not depend on."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.input_dependence import is_constant
from netwise.observe.nested import with_tensors

NOISE = 0.1  # added to all weights, in standard deviations: a gate of zeros lets signals through
FEWEST = 4  # numbers of an argument

Call = Callable[[nn.Module, Any, Any, bool], list[Tensor]]


def unused_input(module: nn.Module, call: Call, args: Any, kwargs: Any, samples: int) -> str:
    """The name of an argument with a row for each sample that no output changes with, in either
    mode, where the module gets several; "" without one. Only inside of `undisturbed`.

    Args:
        module: a copy.
        call: (module, args, kwargs, training) -> outputs, equal for equal arguments.
        args, kwargs: of one call.
        samples: of the batch.

    Example:
        >>> class Net(nn.Module):
        ...     def forward(self, one, other):
        ...         return other + 1
        >>> x = torch.eye(4)
        >>> unused_input(Net(), lambda m, a, k, t: [m(*a, **k)], (x, x + 1), {}, 4)
        'one'
    """
    arguments = list(_arguments(module, args, kwargs, samples))
    if len(arguments) < 2:
        return ""
    moved = copy.deepcopy(module)
    generator = torch.Generator().manual_seed(0)
    for p in moved.parameters():
        if p.is_floating_point() and p.numel():
            scale = float(p.std()) if p.numel() > 1 else 0.0
            noise = torch.randn(p.shape, generator=generator).to(p)
            p.data.add_(noise, alpha=NOISE * (scale or 1.0))
    unused = [
        name
        for name, tensor in arguments
        if not any(_depends(moved, call, args, kwargs, tensor, mode) for mode in (False, True))
    ]
    return unused[0] if len(unused) < len(arguments) and unused else ""


def _arguments(
    module: nn.Module, args: Any, kwargs: Any, samples: int
) -> Iterator[tuple[str, Tensor]]:
    """Arguments that are tensors with a row for each sample, not all alike, by their names."""
    try:
        bound = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return
    for name, value in bound.items():
        if not isinstance(value, Tensor) or value.dim() < 1 or value.shape[0] != samples:
            continue
        if value.numel() >= FEWEST and bool((value != value.roll(1, 0)).any()):
            yield name, value


def _depends(
    module: nn.Module, call: Call, args: Any, kwargs: Any, tensor: Tensor, training: bool
) -> bool:
    """Whether outputs change when an argument has its rows at other places."""
    rolled = tensor.detach().roll(1, 0)
    others, named = with_tensors((args, kwargs), lambda t: rolled if t is tensor else t)
    before = call(module, args, kwargs, training)
    after = call(module, others, named, training)
    same = [t.shape for t in before] == [t.shape for t in after]
    return not (same and is_constant(before, after))
