"""How a program is distributed over processes, and which module of it the user wrote."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from netwise.observe.observed_parts import Root

DDP, DATA_PARALLEL, FSDP2, SHARDED = "DDP", "DataParallel", "FSDP2", "sharded weights"


def unwrapped(module: nn.Module) -> nn.Module:
    """The module inside of DDP or DataParallel, whose names of weights the user knows; any other
    module itself.

    Example:
        >>> from torch import nn
        >>> from netwise.observe.distribution import unwrapped
        >>> unwrapped(nn.DataParallel(nn.Linear(2, 1)))
        Linear(in_features=2, out_features=1, bias=True)
    """
    if isinstance(module, nn.parallel.DistributedDataParallel | nn.DataParallel):
        inner: nn.Module = module.module
        return inner
    return module


def distributed_by(module: nn.Module) -> str:
    """What distributes a module; "" where nothing does."""
    if isinstance(module, nn.parallel.DistributedDataParallel):
        return DDP
    if isinstance(module, nn.DataParallel):
        return DATA_PARALLEL
    if any(base.__name__ == "FSDPModule" for base in type(module).__mro__):
        return FSDP2  # by its name: its package takes seconds to import
    return SHARDED if any(hasattr(p, "to_local") for p in module.parameters()) else ""


def processes() -> int:
    """Processes of the program's default group; 1 without one."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size()
    return 1


def distribution(roots: Sequence[Root]) -> tuple[str, ...]:
    """Such as ("DDP, 2 processes",); () for a program in one process.

    Args:
        roots: the modules of the program.
    """
    kinds = sorted({root.distributed_by for root in roots if root.distributed_by})
    count = processes()
    if count < 2:
        return tuple(kinds)
    return tuple(f"{kind}, {count} processes" for kind in kinds) or (f"{count} processes",)
