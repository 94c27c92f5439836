"""Weights that are shared out over the processes (FSDP2), for a network that fits on no device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from netwise.errors import WrongValue
from netwise.training.ranks.ranks import Ranks

_CONTAINERS = (nn.Sequential, nn.ModuleList)


def shard(module: nn.Module, device: torch.device, ranks: Ranks) -> None:
    """Leave a part of each weight in each process. Layers gather theirs for the time in which they
    compute.

    Source: Zhao et al. 2023, arXiv 2304.11277 (fully sharded data parallel training).
    """
    from torch.distributed.device_mesh import init_device_mesh  # heavy
    from torch.distributed.fsdp import fully_shard

    for layer in module.modules():
        if isinstance(layer, nn.RNNBase):
            kind = type(layer).__name__
            reason = f"cannot leave parts of the weights of {kind}, which are one piece of memory"
            raise WrongValue.of("fit", "shard", "True", reason, "False")
    mesh = init_device_mesh(device.type, (ranks.size,))
    for unit in _units(module):
        fully_shard(unit, mesh=mesh)
    fully_shard(module, mesh=mesh)


def _units(module: nn.Module) -> list[nn.Module]:
    """The parts whose weights are gathered together: the blocks inside containers, so that no block
    uses weights of another one."""
    units = []
    for child in module.children():
        if isinstance(child, _CONTAINERS):
            units += _units(child)
        elif any(True for _ in child.parameters()):
            units.append(child)
    return units


def is_sharded(tensor: Tensor) -> bool:
    """Whether this process has a part of the tensor only."""
    return hasattr(tensor, "full_tensor")


def whole(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with all their numbers; all processes have to ask for them together."""
    return {name: _whole(tensor) for name, tensor in tensors.items()}


def _whole(tensor: Any) -> Tensor:
    found: Tensor = tensor.full_tensor() if is_sharded(tensor) else tensor
    return found


def own_part(tensor: Any) -> Tensor:
    """The part of the tensor that is in this process; all of it where it is not sharded."""
    part: Tensor = tensor.to_local() if is_sharded(tensor) else tensor
    return part


def shared_out(tensor: Tensor, like: Any) -> Tensor:
    """A whole tensor, in the parts of another one."""
    if like is None or not is_sharded(like) or is_sharded(tensor) or tensor.shape != like.shape:
        return tensor
    from torch.distributed.tensor import distribute_tensor  # heavy

    found: Tensor = distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements)
    return found
