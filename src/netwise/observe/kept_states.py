"""Copies of a module's weights at the start and at the end of a program, and of its optimizers'
options, for short trials. Their memory is bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.tensor_samples import plain

LIMIT = 64 * 1024 * 1024  # bytes of one state
LARGE_LIMIT = 512 * 1024 * 1024  # where the program is watched for trials
PLAIN = (int, float, bool, str, type(None))


@dataclass(frozen=True, eq=False)
class KeptState:
    """Weights and buffers of a module at one time.

    Args:
        tensors: copies on the CPU, by the names in the module.
        trainable: names of the weights that required a gradient.
        reason: why nothing was kept; "" where it was.

    Example:
        >>> sorted(kept_state(nn.Linear(2, 1)).trainable)
        ['bias', 'weight']
    """

    tensors: Mapping[str, Tensor]
    trainable: frozenset[str] = frozenset()
    reason: str = ""


@dataclass(frozen=True, eq=False)
class KeptOptimizer:
    """An optimizer before its first step.

    Args:
        kind: its class.
        groups: for each parameter group the ids of its parameters, and its other options.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> kept = kept_optimizer(torch.optim.SGD(layer.parameters(), lr=0.1))
        >>> len(kept.groups[0][0]), kept.groups[0][1]["lr"]
        (2, 0.1)
    """

    kind: type[torch.optim.Optimizer]
    groups: tuple[tuple[tuple[int, ...], Mapping[str, Any]], ...]


def kept_state(module: nn.Module, limit: int = LIMIT) -> KeptState:
    """Copies of the weights and buffers of a module; where they are larger than `limit` bytes or
    cannot be copied, the reason."""
    named = [*module.named_parameters(), *module.named_buffers()]
    size, tensors = 0, {}
    for name, tensor in named:
        values = plain(tensor)
        if values is None:
            return KeptState({}, reason=f"the values of {name} cannot be copied")
        size += values.numel() * values.element_size()
        tensors[name] = values
    if size > limit:
        return KeptState(
            {},
            reason=f"weights of {size / 2**20:.0f} MiB are more than the {limit / 2**20:.0f} MiB "
            "that are kept. Write nw.watch(trials=True)",
        )
    with torch.no_grad(), torch.inference_mode(False):
        copies = {
            name: t.clone() if t.device.type == "cpu" else t.cpu() for name, t in tensors.items()
        }
    trainable = frozenset(name for name, p in module.named_parameters() if p.requires_grad)
    return KeptState(copies, trainable)


def kept_optimizer(optimizer: torch.optim.Optimizer) -> KeptOptimizer:
    """Class and options of an optimizer; options that are no plain values are left out."""
    groups = []
    for group in optimizer.param_groups:
        options: dict[str, Any] = {}
        for name, value in group.items():
            if isinstance(value, Tensor) and value.numel() == 1:
                options[name] = float(value)
            elif isinstance(value, PLAIN) or (
                isinstance(value, tuple) and all(isinstance(each, PLAIN) for each in value)
            ):
                options[name] = value
        groups.append((tuple(id(p) for p in group["params"]), options))
    return KeptOptimizer(type(optimizer), tuple(groups))
