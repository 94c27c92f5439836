"""Weights that belong to no module, as in programs that compute with tensors alone.

An optimizer may hold tensors of a loop that multiplies and adds by itself, or of a module whose
`forward` is called directly. Such a program has no call of a module that torch could show; what its
losses, gradients and steps do is seen all the same, once the tensors have a module to belong to.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Tensors(nn.Module):
    """Stands for the tensors of an optimizer: the n-th of them is `tensor<n>.weight`."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        for number, tensor in enumerate(tensors, 1):
            holder = nn.Module()
            # Not by `register_parameter`, which would want an `nn.Parameter`.
            holder._parameters["weight"] = tensor  # type: ignore[assignment]
            self.add_module(f"tensor{number}", holder)


class LooseWeights:
    """The stand-ins of optimizers; each lives as long as its optimizer, and adds no time to the
    life of its tensors."""

    def __init__(self) -> None:
        self._modules: weakref.WeakKeyDictionary[torch.optim.Optimizer, Tensors] = (
            weakref.WeakKeyDictionary()
        )

    def module(self, optimizer: torch.optim.Optimizer) -> Tensors | None:
        """The stand-in for the weights of an optimizer; None where it trains none of this kind."""
        known = self._modules.get(optimizer)
        if known is None:
            tensors = [p for group in optimizer.param_groups for p in group["params"]]
            if not any(t.requires_grad and t.is_floating_point() for t in tensors):
                return None
            known = self._modules[optimizer] = Tensors(tensors)
        return known
