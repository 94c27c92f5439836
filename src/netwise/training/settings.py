"""How a run is computed: what does not belong to the recipe, and is recorded beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from netwise.data.dataset import Samples
from netwise.errors import Problem
from netwise.networks.network import Network
from netwise.observe.anatomy import anatomy_of
from netwise.recipe.recipe import Recipe
from netwise.training.other_load import used_by_others
from netwise.training.precision import BFLOAT16, PRECISIONS, TF32
from netwise.training.speedups import FUSED_UPDATE, SPEEDUPS, speedups_by_rule
from netwise.training.threads import cores, threads_for

# A run records signals on about this many steps: each costs time, and all together a few per cent.
RECORDED_STEPS = 60


@dataclass(frozen=True)
class RunOptions:
    """What the caller of `fit` may choose. None: a fixed rule decides.

    Args:
        device: of torch, such as "cpu" or "cuda".
        threads: for each step. Default None: by the work of a step and the free cores, see
            `threads_for`.
        watch_every: signals are recorded on one of so many steps; 0: on none. Default None: on
            about 60 steps of the run.
        checkpoint_every: a checkpoint after so many steps, besides those at the ends of epochs; 0:
            none.
        test: score the test part at the end.
        precision: of the steps on float32 weights: "float32", "tf32" or "bfloat16". Default None:
            as torch is set, which is float32 except in the convolutions of a CUDA device.
        speedups: names of those that are used. Default None: by a fixed rule, see
            `speedups_by_rule`.
        sync_batch_norm: of several processes: batch norm over the rows of all of them.
        shard: each of several processes keeps a part of the weights.
        busy_cores: how many cores other processes used when the run began, where that decided on
            `threads`; only recorded.
    """

    device: str = "cpu"
    threads: int | None = None
    watch_every: int | None = None
    checkpoint_every: int = 0
    test: bool = True
    precision: str | None = None
    speedups: tuple[str, ...] | None = None
    sync_batch_norm: bool = False
    shard: bool = False
    busy_cores: float | None = None

    def problems(self, network: Network) -> list[Problem]:
        """The values that no run of this network can be computed with."""
        problems = []
        for name, value, least in (
            ("threads", self.threads, 1),
            ("watch_every", self.watch_every, 0),
            ("checkpoint_every", self.checkpoint_every, 0),
        ):
            if value is not None and value < least:
                problems.append(Problem(name, str(value), f"must be at least {least}", str(least)))
        try:
            kind = torch.device(self.device).type
        except RuntimeError:
            return [*problems, Problem("device", self.device, "is no device of torch", '"cpu"')]
        if kind == "cuda" and not torch.cuda.is_available():
            reason = "is not available: torch finds no CUDA device"
            problems.append(Problem("device", self.device, reason, '"cpu"'))
        if self.precision is not None and self.precision not in PRECISIONS:
            reason = f"is none of {', '.join(PRECISIONS)}"
            problems.append(Problem("precision", self.precision, reason, BFLOAT16))
        if self.precision == BFLOAT16 and network.computes_loss:
            reason = f"rounds the loss that {type(network).__name__} itself computes"
            problems.append(Problem("precision", BFLOAT16, reason, TF32))
        names = [each.name for each in SPEEDUPS]
        for name in set(self.speedups or ()) - set(names):
            reason = f"is none of {', '.join(names)}"
            problems.append(Problem("speedups", name, reason, f'("{FUSED_UPDATE}",)'))
        return problems


@dataclass(frozen=True)
class RunSettings:
    """`RunOptions` with all rules applied; recorded with the run and kept when it is resumed.

    The fields are those of the entry `how` in a run folder.
    """

    device: str
    threads: int
    watch_every: int
    checkpoint_every: int
    test: bool
    precision: str | None = None
    speedups: tuple[str, ...] = ()
    sync_batch_norm: bool = False
    shard: bool = False
    busy_cores: float | None = None


def resolve(
    options: RunOptions,
    recipe: Recipe,
    module: nn.Module,
    samples: Samples,
    batch_size: int,
    steps: int,
) -> RunSettings:
    """The settings of a run of `steps` steps on batches of `batch_size` samples."""
    count, every, speedups = options.threads, options.watch_every, options.speedups
    busy = options.busy_cores
    if count is None:
        work = anatomy_of(module, samples.shape, samples.train.x[:2]).multiply_adds * batch_size
        if threads_for(work, cores()) > 1:
            busy = used_by_others()
        count = threads_for(work, cores(), busy or 0.0)
    if speedups is None:
        speedups = speedups_by_rule(recipe, options.device)
    if every is None:
        every = max(1, math.ceil(steps / RECORDED_STEPS))
    return RunSettings(
        options.device,
        count,
        every,
        options.checkpoint_every,
        options.test,
        options.precision,
        tuple(speedups),
        options.sync_batch_norm,
        options.shard,
        None if busy is None else round(busy, 2),
    )
