"""Start and end of an epoch."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from netwise import random_streams, signals
from netwise.history import STOPPED_EARLY, RunEnd
from netwise.parts.finetuning import layer_by_name
from netwise.parts.optimizers import SwitchOptimizer
from netwise.parts.schedules import ScheduleContext
from netwise.parts.stopping import EpochResult, monitored_value
from netwise.tasks import task_named
from netwise.training.evaluate import evaluate
from netwise.training.ranks.shared_outputs import shared_outputs
from netwise.training.run_setup import Setup
from netwise.training.run_state import RunState, update_average
from netwise.training.snapshots import module_tensors
from netwise.training.step import Stepper

if TYPE_CHECKING:
    from netwise.networks.recurrent import Stateful


def start_epoch(setup: Setup, state: RunState) -> None:
    """Prepare the state for the first batch of an epoch."""
    recipe = setup.recipe
    context = ScheduleContext(state.epoch, recipe.epochs, state.last_loss)
    state.rate_factor, state.schedule = recipe.schedule.next(state.schedule, context)
    state.epoch_rate_factor = state.rate_factor
    if isinstance(recipe.optimizer, SwitchOptimizer):
        state.switch = recipe.optimizer.next_state(state.switch, state.epoch, state.last_loss)
    stream = setup.ranks.stream(random_streams.FORWARD)
    random_streams.seed_global(random_streams.seed_of(recipe.seed, stream, state.epoch))
    state.losses, state.correct = [], 0
    for layer in setup.module.modules():
        if hasattr(layer, "reset_state"):  # as `Stateful` says, in a tenth of the time
            cast("Stateful", layer).reset_state()
    stack = setup.stack
    if stack is not None:  # each of its stages trains in an equal share of the epochs
        stage = state.epoch * stack.stages // recipe.epochs
        if stage != int(stack.stage) or state.epoch == 0:
            stack.start_stage(stage, setup.train.x)


def set_modes(setup: Setup, state: RunState, stepper: Stepper) -> None:
    """Set the modes and gradients of all layers for this epoch, also after a checkpoint in the
    middle of one."""
    setup.module.train()
    if setup.stack is not None:
        setup.stack.enable_stage_gradients()
        stepper.refresh_parameters()
    tuning = setup.recipe.tuning
    if tuning is None:
        return
    tuned = [name for name, factor in setup.layer_factors.items() if factor > 0]
    trainable = tuning.trainable(tuned, state.epoch)
    for name in setup.layer_factors:
        layer = layer_by_name(setup.module, name)
        layer.train(name in trainable)  # a frozen norm layer keeps its running statistics
        if name in tuned:
            for parameter in layer.parameters(recurse=False):
                parameter.requires_grad_(name in trainable)
                if name not in trainable:
                    parameter.grad = None
    stepper.refresh_parameters()


def end_epoch(
    setup: Setup, state: RunState, stepper: Stepper, sizes: list[int]
) -> tuple[dict[str, Any], RunEnd | None]:
    """Evaluate the epoch, add its row to the history, and move the state to the next epoch.

    Args:
        setup, state: of the run; `state.losses` has the loss of each batch.
        stepper: has the built loss.
        sizes: samples of each batch.

    Returns:
        The signals of the epoch, and the end of the run where a rule stops it early.
    """
    average = setup.recipe.average
    if average is not None and not average.each_step:
        update_average(setup, state)
    row = _training_signals(setup, state, sizes)
    with state.average.applied():
        row |= _validation_signals(setup, state, stepper)
        row, state.seconds = _of_first(setup, row, state.seconds)
        result = _epoch_result(setup, state, row)
        _keep_best(setup, state, result)
    state.rows.append({"step": state.step - 1, "epoch": state.epoch, **row})
    state.last_loss = result.loss
    state.epoch, state.batch = state.epoch + 1, 0
    reason = _update_rules(setup, state, result)
    epochs = setup.recipe.epochs
    if reason is None or state.epoch == epochs:
        return row, None
    sentence = f"Stopped after epoch {state.epoch} of {epochs}: {reason}."
    return row, RunEnd(STOPPED_EARLY, sentence, state.step)


def _training_signals(setup: Setup, state: RunState, sizes: list[int]) -> dict[str, Any]:
    samples = sum(sizes)
    total = math.fsum(loss * size for loss, size in zip(state.losses, sizes, strict=True))
    row = {signals.TRAIN_LOSS: total / samples, signals.RATE: state.part.lr * state.rate_factor}
    has_classes = task_named(setup.samples.task).has_classes
    if has_classes and not setup.recipe.network.is_energy_model:
        answers = samples * max(1, setup.train.y[0].numel())
        row[signals.TRAIN_ACCURACY] = state.correct / answers
    return row


def _of_first(setup: Setup, row: dict[str, Any], seconds: float) -> tuple[dict[str, Any], float]:
    """What rules decide by, the same in all processes."""
    return setup.ranks.from_first(lambda: (row, seconds))


def _validation_signals(setup: Setup, state: RunState, stepper: Stepper) -> dict[str, Any]:
    module = setup.unsupervised
    if not len(setup.valid) and module is None:
        return {}
    row: dict[str, Any] = {}
    seed = random_streams.seed_of(setup.recipe.seed, random_streams.PROBE, state.epoch)
    valid = setup.valid
    if len(valid):
        task = setup.samples.task
        per_sample = stepper.loss_per_sample
        row |= evaluate(
            setup.module,
            stepper.loss,
            valid,
            task,
            seed,
            per_sample,
            setup.metric,
            partial(shared_outputs, setup.ranks),
        )
    if module is not None:
        if setup.stack is not None:
            row[signals.STAGE] = int(module.stage) + 1
        row |= module.epoch_signals(setup.train.x, valid.x, seed)
    return row


def _epoch_result(setup: Setup, state: RunState, row: dict[str, Any]) -> EpochResult:
    """What stopping rules and schedules see of the epoch."""
    names = (signals.VALID_ACCURACY, signals.VALID_R2, signals.TRAIN_ACCURACY)
    qualities = [float(row[name]) for name in names if name in row]
    metric = setup.recipe.metric or ""
    signal = signals.metric_signal(metric)
    return EpochResult(
        epoch=state.epoch,
        loss=float(row.get(signals.VALID_LOSS, row[signals.TRAIN_LOSS])),
        train_loss=float(row[signals.TRAIN_LOSS]),
        quality=qualities[0] if qualities else None,
        seconds=state.seconds,
        metric=metric if signal in row else "",
        value=float(row.get(signal, math.nan)),
    )


def _keep_best(setup: Setup, state: RunState, result: EpochResult) -> None:
    """Keep the weights, where the stopping rule wants those of the best epoch."""
    stopping = setup.recipe.stopping
    value = monitored_value(result, stopping.by)
    if stopping.keeps_best and (state.best is None or value < state.best[0]):
        tensors = module_tensors(setup.module)
        state.best = (value, {name: t.detach().clone() for name, t in tensors.items()})


def _update_rules(setup: Setup, state: RunState, result: EpochResult) -> str | None:
    """Let the stopping rule and the schedule see an epoch that has ended.

    Returns:
        Why the run stops, or None.
    """
    recipe = setup.recipe
    reason, state.stopping = recipe.stopping.next(state.stopping, result)
    if reason is None and recipe.schedule.needs_loss:
        # What the schedule will do in the next epoch. `start_epoch` computes it again from the
        # same state.
        context = ScheduleContext(state.epoch, recipe.epochs, state.last_loss)
        reason = recipe.schedule.stop_reason(recipe.schedule.next(state.schedule, context)[1])
    return reason
