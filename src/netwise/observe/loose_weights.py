"""Weights that belong to no module, as in programs that compute with tensors alone.

An optimizer may hold tensors of a loop that multiplies and adds by itself, or of a module whose
`forward` is called directly. Such a program has no call of a module that torch could show; what its
losses, gradients and steps do is seen all the same, once the tensors have a module to belong to.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn


class Tensors(nn.Module):
    """Stands for tensors: each is the `weight` of a part that has its name.

    Args:
        tensors: of an optimizer, or those that a loss reaches.
        names: of tensors in the program, by id; the n-th without one is `tensor<n>`.
    """

    def __init__(self, tensors: Iterable[Tensor], names: Mapping[int, str] | None = None) -> None:
        super().__init__()
        for number, tensor in enumerate(tensors, 1):
            holder = nn.Module()
            # Not by `register_parameter`, which would want an `nn.Parameter`.
            holder._parameters["weight"] = tensor  # type: ignore[assignment]
            name = (names or {}).get(id(tensor), "")
            self.add_module(name if name and not hasattr(self, name) else f"tensor{number}", holder)


class LooseWeights:
    """The stand-ins: that of an optimizer lives as long as it, and adds no time to the life of its
    tensors; that of a loop without an optimizer lives as long as the observer listens."""

    def __init__(self) -> None:
        self._modules: weakref.WeakKeyDictionary[torch.optim.Optimizer, Tensors] = (
            weakref.WeakKeyDictionary()
        )
        self.of_loop: Tensors | None = None

    def module(self, optimizer: torch.optim.Optimizer) -> Tensors | None:
        """The stand-in for the weights of an optimizer; None where it trains none of this kind."""
        known = self._modules.get(optimizer)
        if known is None:
            tensors = [p for group in optimizer.param_groups for p in group["params"]]
            if not any(t.requires_grad and t.is_floating_point() for t in tensors):
                return None
            known = self._modules[optimizer] = Tensors(tensors)
        return known
