"""Tensors whose numbers can be read: for all others there is nothing to measure."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

_PLAIN = (Tensor, torch.nn.Parameter)
_is_wrapped = torch._C._functorch.is_functorch_wrapped_tensor
_NO_DISPATCH = torch._C._disabled_torch_dispatch_impl


def readable(tensor: Tensor) -> Tensor | None:
    """The numbers of a tensor, without its graph and without a copy; None where it has none.

    A `DTensor` gives the part of this process. There are no numbers in: uninitialised parameters of
    lazy layers, meta and fake tensors, tensors inside of `torch.func.vmap` and `grad`, partial sums
    of a `DTensor`, and packed ones (quantised, or of a class that computes itself).

    >>> readable(torch.zeros(2, device="meta")) is None
    True
    """
    kind: Any = type(tensor)
    if kind not in _PLAIN:
        if is_lazy(tensor):
            return None
        if hasattr(tensor, "to_local"):
            if any(placement.is_partial() for placement in getattr(tensor, "placements", ())):
                return None
            local: Tensor = tensor.detach().to_local()  # type: ignore[attr-defined]
            return readable(local)
        if kind.__torch_dispatch__ is not _NO_DISPATCH:
            return None
        with torch._C.DisableTorchFunctionSubclass():
            tensor = tensor.as_subclass(Tensor)
    if tensor.is_meta or tensor.is_quantized or _is_wrapped(tensor):
        return None
    return tensor.detach()


def values_of(scalars: list[Tensor]) -> list[float]:
    """The numbers of tensors with one element each, in one transfer per device."""
    if False not in [scalar.is_cpu for scalar in scalars]:
        return [float(scalar) for scalar in scalars]
    values = [0.0] * len(scalars)
    places: dict[torch.device, list[int]] = {}
    for i, scalar in enumerate(scalars):
        places.setdefault(scalar.device, []).append(i)
    for indices in places.values():
        together = torch.stack([scalars[i].reshape(()).to(torch.float32) for i in indices])
        for i, value in zip(indices, together.tolist(), strict=True):
            values[i] = value
    return values
