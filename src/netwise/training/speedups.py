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

from netwise.recipe.memory_layout import inputs_channels_last, weights_channels_last
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
CAPTURED_STEPS, COMPILED_STEPS = "captured_steps", "compiled_steps"

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
    Speedup(
        CAPTURED_STEPS,
        "Operations of a step are recorded once, and repeated without modules and autograd, "
        "several steps in one call.",
        same_bits=True,
    ),
    Speedup(
        COMPILED_STEPS,
        "Captured steps of long runs are compiled by the machine's own compiler, to calls of "
        "torch's own kernels.",
        same_bits=True,
    ),
)
# Of runs that were begun before they were recorded.
UNRECORDED = (CHANNELS_LAST, SLICED_POOLING, FUSED_UPDATE, GATHERED_BATCHES, LATE_CHECKS)


def speedups_by_rule(recipe: Recipe, device: str) -> tuple[str, ...]:
    """Those that a run uses, unless it is told otherwise."""
    return (
        *((CHANNELS_LAST,) if inputs_channels_last(device) else ()),
        *((LAST_IN_WEIGHTS,) if weights_channels_last(recipe, device) else ()),
        FUSED_UPDATE,
        GATHERED_BATCHES,
        LATE_CHECKS,
        CAPTURED_STEPS,
        COMPILED_STEPS,
    )


def use_layout(module: Module, names: Collection[str]) -> Module:
    """Set the layout and the pooling of all layers of a module; returns it."""
    switches = {"sliced": SLICED_POOLING in names, "channels_last": CHANNELS_LAST in names}
    for layer in module.modules():
        if type(layer).__module__.startswith("netwise."):
            for switch, on in switches.items():
                if hasattr(type(layer), switch):
                    setattr(layer, switch, on)
    if LAST_IN_WEIGHTS in names:
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module


def use_stock_weights(module: nn.Module) -> None:
    """Lay the kernels of convolutions out as torch does, for whoever gets the trained module."""
    module.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


def recorded_speedups(how: Any) -> Any:
    """The entry `how` of a run folder, with the speedups of a run that recorded none: such runs
    are of earlier versions, and go on with what they began with."""
    return {"speedups": UNRECORDED, **how} if isinstance(how, dict) else how
