"""Gradients in memory of their own, in the layout of their parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def own_gradients(
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    others: Sequence[Tensor],
    copied: Callable[[Tensor, Tensor], object] = Tensor.copy_,
) -> list[Tensor | None]:
    """The gradients in memory that nothing else shows: clipping changes them in place, and fused
    kernels read them and their parameters side by side.

    Args:
        parameters, gradients: of each its own; None: it has none.
        others: tensors whose memory is taken too.
        copied: called with (new memory, gradient) where one is needed.
    """
    taken = {each.untyped_storage()._cdata for each in (*parameters, *others)}
    own: list[Tensor | None] = []
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is None:
            own.append(None)
            continue
        if (
            gradient.untyped_storage()._cdata in taken
            or gradient.stride() != parameter.stride()
            or gradient.untyped_storage().nbytes() != gradient.nbytes
        ):
            source, gradient = gradient, torch.empty_like(parameter, requires_grad=False)
            copied(gradient, source)
        taken.add(gradient.untyped_storage()._cdata)
        own.append(gradient)
    return own
