"""Batch norm layers whose running statistics are no averages."""

from __future__ import annotations

from typing import Any

from torch import nn

EAGER = 0.9  # momentum


def norm_momenta(module: nn.Module) -> dict[str, Any]:
    """Fields of `FirstBatch` about the momentum of batch norm layers in training mode.

    A momentum of 0 in a network that was trained before keeps its statistics, which is meant.

    Args:
        module: before its first step.

    >>> norm_momenta(nn.Sequential(nn.BatchNorm1d(3, momentum=0.0)))["still_norms"]
    ('0',)
    """
    layers = {
        name: part
        for name, part in module.named_modules()
        if isinstance(part, nn.modules.batchnorm._BatchNorm)
        and not isinstance(part, nn.modules.instancenorm._InstanceNorm)
        and part.training
        and part.momentum is not None
    }
    still = tuple(n for n, part in layers.items() if part.momentum == 0 and _is_new(part))
    eager = tuple(n for n, part in layers.items() if float(part.momentum or 0) >= EAGER)
    first = next((layers[name].momentum for name in (*still, *eager)), None)
    momentum = None if first is None else float(first)
    return {"still_norms": still, "eager_norms": eager, "norm_momentum": momentum}


def _is_new(norm: nn.modules.batchnorm._BatchNorm) -> bool:
    """Whether its statistics are those that it was made with."""
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        return False
    return bool((mean == 0).all()) and bool((variance == 1).all())
