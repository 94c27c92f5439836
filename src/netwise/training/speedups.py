"""What makes steps faster than plain torch: the list, and a fixed rule for where each is used.

Each has a switch, `fit(speedups=)`. Those that are used are recorded with the run and kept when it
is resumed. `scripts/bench layouts` measures those of layout on and off.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import nn

from netwise.parts.optimizers import SGD, Adam, AdamW, Momentum
from netwise.recipe.recipe import Recipe

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class Speedup:
    """One of them.

    Args:
        name: in `fit(speedups=)` and in the folder of a run.
        what: it does, one sentence.
        same_bits: whether all numbers of a run are the same to the last bit with and without it.
    """

    name: str
    what: str
    same_bits: bool


CHANNELS_LAST, LAST_IN_WEIGHTS = "channels_last", "channels_last_weights"
SLICED_POOLING = "sliced_pooling"
FUSED_UPDATE, GATHERED_BATCHES, LATE_CHECKS = "fused_update", "gathered_batches", "late_checks"

SPEEDUPS = (
    Speedup(
        CHANNELS_LAST,
        "Inputs of `ConvNet` and residual networks are laid out channels last in memory.",
        same_bits=False,
    ),
    Speedup(
        LAST_IN_WEIGHTS,
        "Kernels of convolutions are laid out channels last, and so is all that they compute.",
        same_bits=False,
    ),
    Speedup(
        SLICED_POOLING,
        "Max pooling over 2x2 by four slices. Slower than torch's kernel: of earlier runs only.",
        same_bits=False,
    ),
    Speedup(FUSED_UPDATE, "The optimizer's kernel is called without its `step`.", same_bits=True),
    Speedup(GATHERED_BATCHES, "Small batches are gathered several at a time.", same_bits=True),
    Speedup(LATE_CHECKS, "Values are checked to be finite every 64 steps.", same_bits=True),
)
# Of runs that were begun before they were recorded.
UNRECORDED = (CHANNELS_LAST, SLICED_POOLING, FUSED_UPDATE, GATHERED_BATCHES, LATE_CHECKS)


# Multiply-adds of a forward pass over one batch, from which on convolutions with the channels last
# were never slower than 1.03 times those of stock torch: at 0.3 million 1.11, at 4 million 0.73.
LAST_FROM = 2_000_000
ANY_LAYOUT = (SGD, Momentum, Adam, AdamW)  # optimizers whose update is the same in any layout


def speedups_by_rule(recipe: Recipe, device: str, multiply_adds: int) -> tuple[str, ...]:
    """Those that a run uses, unless it is told otherwise.

    The channels are last where that was measured, or where the makers of the kernels advise it: on
    CPUs with oneDNN and AVX2 or AVX-512, and for inputs on other devices. Elsewhere the layout is
    torch's. The kernels of convolutions have it in the networks that were measured, and with
    optimizers that take tensors of any layout.

    Args:
        recipe: that is trained.
        device: of torch.
        multiply_adds: of the forward pass over one batch.
    """
    on_cpu = torch.device(device).type == "cpu"
    vector_units = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    measured = on_cpu and vector_units and torch.backends.mkldnn.is_available()
    in_weights = (
        measured
        and multiply_adds >= LAST_FROM
        and recipe.network.gains_from_channels_last
        and type(recipe.optimizer) in ANY_LAYOUT
    )
    return (
        *((CHANNELS_LAST,) if measured or not on_cpu else ()),
        *((LAST_IN_WEIGHTS,) if in_weights else ()),
        FUSED_UPDATE,
        GATHERED_BATCHES,
        LATE_CHECKS,
    )


def use_layout(module: Module, names: Collection[str]) -> Module:
    """Set the layout and the pooling of all layers of a module; returns it."""
    switches = {"sliced": SLICED_POOLING in names, "channels_last": CHANNELS_LAST in names}
    for layer in module.modules():
        if type(layer).__module__.startswith("netwise."):
            for switch, on in switches.items():
                if hasattr(type(layer), switch):
                    setattr(layer, switch, on)
        if isinstance(layer, nn.Conv2d) and LAST_IN_WEIGHTS in names:
            layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
    return module


def use_stock_weights(module: nn.Module) -> None:
    """Lay the kernels of convolutions out as torch does, for whoever gets the trained module."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.data = layer.weight.data.contiguous()


def recorded_speedups(how: Any) -> Any:
    """The entry `how` of a run folder, with the speedups of a run that recorded none: such runs
    are of earlier versions, and go on with what they began with."""
    return {"speedups": UNRECORDED, **how} if isinstance(how, dict) else how
