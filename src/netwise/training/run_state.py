"""What changes while a run trains, besides weights, buffers and torch's random generators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from netwise.parts.optimizers import Optimizer, SwitchOptimizer
from netwise.parts.optimizers.without_compiler import compiler_not_imported
from netwise.parts.schedules import ScheduleContext
from netwise.training.run_setup import Setup
from netwise.training.running_average import RunningAverage

RuleState = dict[str, float]  # what a schedule, a stopping rule or a switch remembers


@dataclass(kw_only=True)
class RunState:
    """Where a run is. `checkpoint_contents` lists what of it is saved.

    Args:
        part: the optimizer of the recipe that is active.
        optimizer: torch's object of it.
        average: the running average of the weights.
        schedule, stopping, switch: what these rules remember.
        epoch, batch, step: done so far: epochs, batches of this epoch, steps of the run.
        losses: of the batches of this epoch.
        correct: right answers in this epoch.
        rate_factor: of the schedule, on the learning rate.
        epoch_rate_factor: the same at the start of this epoch.
        last_loss: of the epoch before; None before the first.
        best: monitored value and tensors of the best epoch, where the stopping rule keeps it.
        rows: the history.
        seconds: of training.
    """

    part: Optimizer
    optimizer: torch.optim.Optimizer
    average: RunningAverage
    schedule: RuleState
    stopping: RuleState
    switch: RuleState
    epoch: int = 0
    batch: int = 0
    step: int = 0
    losses: list[float] = field(default_factory=list)
    correct: int = 0
    rate_factor: float = 1.0
    epoch_rate_factor: float = 1.0
    last_loss: float | None = None
    best: tuple[float, dict[str, Tensor]] | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def state_at_start(setup: Setup, seconds: float = 0.0) -> RunState:
    """The state before the first step of a run."""
    recipe = setup.recipe
    optimizer = recipe.optimizer
    part = optimizer.first if isinstance(optimizer, SwitchOptimizer) else optimizer
    return RunState(
        part=part,
        optimizer=build_optimizer(setup, part),
        average=RunningAverage(setup.module, recipe.average),
        schedule=recipe.schedule.init(),
        stopping=recipe.stopping.init(),
        switch=optimizer.start() if isinstance(optimizer, SwitchOptimizer) else {},
        seconds=seconds,
    )


def build_optimizer(setup: Setup, part: Optimizer) -> torch.optim.Optimizer:
    """torch's object of `part`. One plain group of parameters, where all have one rate, takes the
    fused update."""
    groups: Any = [{"params": group.params, "factor": group.factor} for group in setup.groups]
    with compiler_not_imported():
        optimizer = part.build(setup.groups[0].params if setup.recipe.tuning is None else groups)
    if setup.sharded and isinstance(optimizer, torch.optim.SGD):
        for group in optimizer.param_groups:  # torch has no fused kernel of it for parts of weights
            group["fused"] = False
    return optimizer


def switch_optimizer(setup: Setup, state: RunState) -> bool:
    """Build the optimizer that is active now, with an empty memory, if it is another one.

    Returns whether it is.
    """
    switch = setup.recipe.optimizer
    if not isinstance(switch, SwitchOptimizer):
        return False
    part = switch.active(state.switch)
    if part is state.part:
        return False
    state.part, state.optimizer = part, build_optimizer(setup, part)
    return True


# ---- learning rates


def set_rates(setup: Setup, state: RunState) -> None:
    """Give each group of parameters its rate."""
    for group, own in zip(state.optimizer.param_groups, setup.groups, strict=False):
        group["lr"] = state.part.lr * state.rate_factor * own.factor


def set_epoch_rates(setup: Setup, state: RunState) -> None:
    """Set the rates, and what else of the optimizer changes with the epoch."""
    set_rates(setup, state)
    for group in state.optimizer.param_groups:
        group.update(state.part.group_settings(state.epoch))


def set_step_rate(setup: Setup, state: RunState, batch: int) -> None:
    """Set the rate of batch number `batch`, for schedules that change it at each step."""
    if batch == 0:
        state.rate_factor = state.epoch_rate_factor  # computed at the start of the epoch
    else:
        recipe = setup.recipe
        epoch = state.epoch + batch / setup.steps_per_epoch
        context = ScheduleContext(epoch, recipe.epochs, state.last_loss)
        state.rate_factor, _ = recipe.schedule.next(state.schedule, context)
    set_rates(setup, state)


def update_average(setup: Setup, state: RunState) -> None:
    """Take the present weights into the running average."""
    state.average.update((state.epoch + 1) / setup.recipe.epochs)
