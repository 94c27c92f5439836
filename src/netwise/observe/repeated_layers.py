"""One layer that stands several times in a list: `nn.ModuleList([layer] * 6)` has the weights of
one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.nested import tensors_in, with_tensors

# Names by which programs say that the weights of a list are shared.
SHARED = ("shar", "tied", "recur")


def repeated_layer(
    module: nn.Module, call: Callable[[Any, Any], object], args: Any, kwargs: Any
) -> tuple[str, int]:
    """A layer with weights that is several times in one `ModuleList` or `Sequential`, and of which
    a later call gets what came out of an earlier one, such as "layers: Linear", and how often it
    is there; ("", 0) without one.

    Heads and towers that share weights, each with inputs of its own, are none; nor are lists and
    layers whose names say that they are shared.

    Args:
        module: the copy that `call` calls.
        call: runs the forward pass.
        args, kwargs: the inputs.

    Example:
        >>> module = nn.Sequential(*[nn.Linear(4, 4)] * 3)
        >>> repeated_layer(module, lambda a, k: module(*a), (torch.rand(2, 4),), {})
        ('Sequential: Linear', 3)
    """
    for name, container in module.named_modules():
        if not isinstance(container, nn.ModuleList | nn.Sequential):
            continue
        words = f"{type(module).__name__}.{name}.{type(container).__name__}".lower()
        if any(word in words for word in SHARED):
            continue
        for layer, count in _repeated(container):
            try:
                chained = _feeds_itself(layer, call, args, kwargs)
            except Exception:
                continue  # what follows does not take such numbers
            if chained:
                place = name or type(container).__name__
                return f"{place}: {type(layer).__name__}", count
    return "", 0


def _repeated(container: nn.Module) -> Iterator[tuple[nn.Module, int]]:
    """Layers with weights that a list has several times."""
    parts = {id(part): part for part in container._modules.values() if part is not None}
    counts = Counter(id(part) for part in container._modules.values() if part is not None)
    for key, count in counts.items():
        # One number, as of `PReLU`, is often shared.
        if count > 1 and any(p.numel() > 1 for p in parts[key].parameters()):
            yield parts[key], count


def _feeds_itself(
    layer: nn.Module, call: Callable[[Any, Any], object], args: Any, kwargs: Any
) -> bool:
    """Whether the second call of a layer gets other inputs where its first results are changed."""
    inputs: list[list[Tensor]] = []
    is_changed = False

    def begins(part: nn.Module, args: Any, kwargs: Any) -> None:
        inputs.append([t.detach().clone() for t in tensors_in((args, kwargs))])

    def ends(part: nn.Module, args: Any, output: Any) -> Any:
        if not is_changed or len(inputs) > 1:
            return None
        return with_tensors(output, lambda t: 2 * t + 1 if t.is_floating_point() else t)

    handles = [
        layer.register_forward_pre_hook(begins, with_kwargs=True),
        layer.register_forward_hook(ends),
    ]
    try:
        call(args, kwargs)
        usual = inputs.copy()
        inputs.clear()
        is_changed = True
        call(args, kwargs)
    finally:
        for handle in handles:
            handle.remove()
    if len(usual) < 2 or len(inputs) < 2:
        return False
    return any(
        a.shape != b.shape or not torch.equal(a, b)
        for a, b in zip(usual[1], inputs[1], strict=False)
    )
