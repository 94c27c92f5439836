"""The training loop: from a setup and a state to a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from netwise.file_errors import work_can_continue
from netwise.history import DIVERGED, FINISHED, INTERRUPTED, RUNNING, STOPPED_EARLY, RunEnd
from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.step_wiring import StepWiring
from netwise.scoring.score import Score
from netwise.storage.checkpoints import Checkpoint
from netwise.storage.run_folder import RunFolder
from netwise.training.answers import validation_errors
from netwise.training.captured.captured_steps import CapturedSteps, hindrance
from netwise.training.checkpoint_contents import restore_checkpoint
from netwise.training.chosen_metric import answers_of_outputs
from netwise.training.epoch import end_epoch, set_modes, start_epoch
from netwise.training.evaluate import outputs_of, score
from netwise.training.facts import end_facts, run_facts
from netwise.training.initial_weights import start_signals
from netwise.training.input_pipeline import InputPipeline
from netwise.training.interrupt import Interrupt
from netwise.training.pace import Pace
from netwise.training.precision import matrix_products
from netwise.training.progress import Progress
from netwise.training.ranks.agreed_interrupt import AgreedInterrupt
from netwise.training.ranks.ranks import Ranks
from netwise.training.ranks.sharding import whole
from netwise.training.ranks.shared_step import SharedStep
from netwise.training.ranks.synced_norm import synced_batch_norm
from netwise.training.run import Run, build_module
from netwise.training.run_recorder import RunRecorder
from netwise.training.run_setup import Setup
from netwise.training.run_state import (
    RunState,
    set_epoch_rates,
    set_step_rate,
    switch_optimizer,
    update_average,
)
from netwise.training.snapshots import Keeper, load_module, module_tensors
from netwise.training.speedups import (
    CAPTURED_STEPS,
    COMPILED_STEPS,
    FUSED_UPDATE,
    GATHERED_BATCHES,
    LAST_IN_WEIGHTS,
    LATE_CHECKS,
    use_stock_weights,
)
from netwise.training.step import NonFinite, Stepper, StepResults, count_correct
from netwise.training.stop_on_finding import StopOnFinding
from netwise.training.threads import cores, threads

# Called after each epoch with (epochs done, signals of the epoch): why to interrupt the run, or
# None.
Halt = Callable[[int, Mapping[str, Any]], str | None]
# Steps between two checks that all values are finite. Where they are not, the same steps are taken
# again, one by one, to find the first such value.
CHECK_EVERY = 64


@dataclass(frozen=True, eq=False)
class Callbacks:
    """What the training loop calls from outside of it.

    Args:
        progress: a display.
        halt: see `fit`; None: nothing but rules and signals ends the run.
        interrupt: Ctrl-C and SIGTERM.
        stop_on: ends the run at a finding; None: no finding does.
    """

    progress: Progress
    halt: Halt | None
    interrupt: AgreedInterrupt
    stop_on: StopOnFinding | None = None


class Stopwatch:
    """Measures the time of consecutive laps."""

    def __init__(self) -> None:
        self._lap_start = time.monotonic()

    def lap(self) -> float:
        """Seconds since the last call, or since the stopwatch was made."""
        before, self._lap_start = self._lap_start, time.monotonic()
        return self._lap_start - before


def run_training(
    setup: Setup,
    state: RunState,
    *,
    folder: RunFolder | None,
    checkpoint: Checkpoint | None,
    progress: Progress,
    halt: Halt | None = None,
    stop_on: StopOnFinding | None = None,
) -> Run:
    """Train from `state`, or from a checkpoint, to the end of the run.

    Args:
        setup: what is fixed.
        state: where the run starts.
        folder: where to write the run, locked by the caller; None: nowhere.
        checkpoint: of the folder, to resume from; None: the rows in the folder are deleted.
        progress: a display.
        halt, stop_on: see `fit`.
    """
    recipe, module, ranks = setup.recipe, setup.module, setup.ranks
    shared = None if ranks.alone else SharedStep(ranks, module, setup.settings.sync_batch_norm)
    cuda = [setup.device] if setup.device.type == "cuda" else []
    probe = HookedProbe(module, later=True)
    # An energy model's loss only carries gradients that are computed without autograd.
    wiring = None if recipe.network.is_energy_model else StepWiring(module)
    with (
        ranks.together(),
        _saying_how_to_continue(folder),
        threads(setup.settings.threads),
        matrix_products(setup.settings.precision, setup.device),
        torch.random.fork_rng(devices=cuda),
        Interrupt() as own_interrupt,
        synced_batch_norm(module, shared if setup.settings.sync_batch_norm else None),
    ):
        interrupt = AgreedInterrupt(own_interrupt, ranks)
        log = None if folder is None else folder.return_to(checkpoint)
        if checkpoint is not None:
            state.rows = ranks.from_first(lambda: [] if folder is None else folder.rows())
            restore_checkpoint(setup, state, probe, checkpoint, wiring)
        elif first := start_signals(setup.module, recipe, setup.train.x, setup.train.y):
            state.rows.append({"step": 0, "epoch": 0, **first})
        stepper = _stepper(setup, state, probe, wiring, interrupt, shared)
        facts = run_facts(setup, state, stepper.loss)
        text = "" if folder is None else folder.recipe_text()
        pace = Pace(setup.settings.threads, cores())
        recorder = RunRecorder(
            folder, setup, facts, probe, pace, stepper.captured, wiring, log, text
        )
        recorder.write_running(state)
        progress.start(recipe.epochs, setup.steps_per_epoch * recipe.epochs, state.step)
        try:
            ended = _train(
                setup, state, stepper, recorder, Callbacks(progress, halt, interrupt, stop_on)
            )
        finally:
            probe.detach()
            stepper.close()
        _load_final_weights(setup, state, ended)
        if LAST_IN_WEIGHTS in setup.settings.speedups and not setup.sharded:
            use_stock_weights(module)
        module.eval()
        final = _final_score(setup, ended)
        if ended.how in (FINISHED, STOPPED_EARLY):
            recorder = replace(recorder, facts=end_facts(setup, facts))
        history = recorder.history(state, ended)
        pipeline = _with_errors(setup, ended)
        if setup.sharded:
            module = build_module(recipe, _whole_on_cpu(module))
            recorder = replace(recorder, setup=replace(setup, module=module))
        recorder.write_end(state, ended, final, pipeline)
    progress.end(ended)
    return Run(recipe, history, module, pipeline, final, folder.path if folder else None)


def _saying_how_to_continue(folder: RunFolder | None) -> AbstractContextManager[None]:
    """Inside, errors of writing the run say how to resume it."""
    if folder is None:
        return nullcontext()
    return work_can_continue(f"then continue: netwise train --resume {folder.path}")


def _stepper(
    setup: Setup,
    state: RunState,
    probe: HookedProbe,
    wiring: StepWiring | None,
    interrupt: AgreedInterrupt,
    shared: SharedStep | None,
) -> Stepper:
    recipe = setup.recipe
    averages_steps = recipe.average is not None and recipe.average.each_step
    return Stepper(
        recipe,
        setup.module,
        state.optimizer,
        setup.train,
        setup.samples.task,
        probe,
        setup.settings.watch_every,
        setup.samples.in_order,
        needs_closure=state.part.needs_closure,
        precision=setup.settings.precision,
        captured=CapturedSteps(_why_not_captured(setup)),
        left=_steps_to_compile(setup, state),
        fused_update=FUSED_UPDATE in setup.settings.speedups,
        gathered=GATHERED_BATCHES in setup.settings.speedups,
        wiring=wiring,
        before_step=partial(set_step_rate, setup, state) if recipe.schedule.each_step else None,
        after_step=partial(update_average, setup, state) if averages_steps else None,
        should_stop=interrupt.at_once,
        shared=shared,
    )


def _why_not_captured(setup: Setup) -> str:
    settings = setup.settings
    if CAPTURED_STEPS not in settings.speedups:
        return "switched off"
    if setup.sharded or (settings.sync_batch_norm and not setup.ranks.alone):
        return "layers send numbers to other processes"
    return hindrance(setup.recipe, settings.device, settings.precision)


def _steps_to_compile(setup: Setup, state: RunState) -> int | None:
    if COMPILED_STEPS not in setup.settings.speedups:
        return None
    return setup.steps_per_epoch * setup.recipe.epochs - state.step


def _train(
    setup: Setup, state: RunState, stepper: Stepper, recorder: RunRecorder, callbacks: Callbacks
) -> RunEnd:
    """Train all epochs that are left; returns how the run ended."""
    epochs, interrupt = setup.recipe.epochs, callbacks.interrupt
    keepers, stopwatch = _keepers(setup, state), Stopwatch()
    while state.epoch < epochs:
        if state.batch == 0:
            start_epoch(setup, state)
        if switch_optimizer(setup, state):
            stepper.use_optimizer(state.optimizer, state.part.needs_closure)
            keepers = _keepers(setup, state)
        set_modes(setup, state, stepper)
        set_epoch_rates(setup, state)
        batches = stepper.batches(state.epoch)
        ended = _train_batches(
            setup, state, stepper, recorder, callbacks, keepers, stopwatch, batches
        )
        if ended is not None:
            return ended
        row, ended = end_epoch(setup, state, stepper, [batch.shape[0] for batch in batches])
        callbacks.progress.epoch(state.epoch, row)
        recorder.write_checkpoint(state)
        if ended is not None:
            return ended
        reason = setup.ranks.from_first(lambda: _reason_to_leave_off(state, recorder, callbacks))
        if reason is not None and state.epoch < epochs:
            sentence = f"Left off after epoch {state.epoch} of {epochs}: {reason}"
            return RunEnd(INTERRUPTED, f"{sentence}; everything is kept.", state.step)
        if interrupt.requested() and state.epoch < epochs:
            return _interrupted(state, interrupt)
    return RunEnd(FINISHED, f"All {epochs} epochs done.", state.step)


def _reason_to_leave_off(
    state: RunState, recorder: RunRecorder, callbacks: Callbacks
) -> str | None:
    """What `halt` says after an epoch, or a finding that ends the run."""
    if callbacks.halt is not None:
        reason = callbacks.halt(state.epoch, state.rows[-1])
        if reason is not None:
            return reason
    if callbacks.stop_on is None:
        return None
    running = RunEnd(RUNNING, "Still running.", state.step)
    return callbacks.stop_on.reason(state.epoch, lambda: recorder.history(state, running))


def _train_batches(
    setup: Setup,
    state: RunState,
    stepper: Stepper,
    recorder: RunRecorder,
    callbacks: Callbacks,
    keepers: tuple[Keeper, Keeper],
    stopwatch: Stopwatch,
    batches: tuple[Tensor, ...],
) -> RunEnd | None:
    """Train the batches of the epoch that are left; returns how the run ended, or None."""
    checkpoint_every, interrupt = setup.settings.checkpoint_every, callbacks.interrupt
    check_every = CHECK_EVERY if LATE_CHECKS in setup.settings.speedups else 1
    ranks, most = setup.ranks, check_every
    check_every = most if ranks.alone else 1
    while state.batch < len(batches):
        count = _steps_to_check(state.step, checkpoint_every, check_every)
        begun = time.monotonic()
        results, non_finite = _take_steps(
            state, stepper, recorder.probe, keepers, batches[state.batch : state.batch + count]
        )
        recorder.pace.add(results.steps, time.monotonic() - begun)
        _add_results(state, results, ranks)
        if not ranks.alone:  # which stop together, at a check: a second may lie between two
            steps = results.steps / max(1e-9, time.monotonic() - begun)
            check_every = max(1, min(most, int(ranks.number_of_first(steps))))
        state.seconds += stopwatch.lap()
        callbacks.progress.step(state.step)
        if non_finite is not None:
            recorder.write_rows(state)
            sentence = f"Diverged at step {non_finite.step + 1}: {non_finite.sentence}."
            sentence += " The weights from before it are kept."
            return RunEnd(DIVERGED, sentence, state.step)
        if state.batch < len(batches):
            if interrupt.requested():
                recorder.write_checkpoint(state)
                return _interrupted(state, interrupt)
            if checkpoint_every and state.step % checkpoint_every == 0:
                recorder.write_checkpoint(state)
    return None


def _steps_to_check(step: int, checkpoint_every: int, check_every: int = CHECK_EVERY) -> int:
    """Steps until the next check for finite values, which falls on checkpoints too; checks change
    no number."""
    if not checkpoint_every:
        return check_every
    return min(check_every, checkpoint_every - step % checkpoint_every)


def _take_steps(
    state: RunState,
    stepper: Stepper,
    probe: HookedProbe,
    keepers: tuple[Keeper, Keeper],
    batches: tuple[Tensor, ...],
) -> tuple[StepResults, NonFinite | None]:
    """Take the steps fast; where a value is not finite, take them again, checking each."""
    before_all, before_each = keepers
    before_all.take()
    probe_before, wiring = probe.snapshot(), stepper.wiring
    wiring_before = None if wiring is None else wiring.snapshot()
    results = stepper.take(batches, state.epoch, state.batch, state.step)
    if stepper.is_finite(results):
        return results, None
    before_all.restore()
    probe.restore(probe_before)
    if wiring is not None and wiring_before is not None:
        wiring.restore(wiring_before)
    return stepper.take_checked(
        batches, state.epoch, state.batch, state.step, before_each.take, before_each.restore
    )


def _add_results(state: RunState, results: StepResults, ranks: Ranks) -> None:
    if results.losses:
        losses = torch.stack(results.losses)
        ranks.add([losses])
        state.losses += losses.tolist()
    state.correct += int(ranks.total(count_correct(results))[0])
    for step, row in results.rows:
        found = row.copy()
        row.clear()  # the probe adds to the same row later
        row.update({"step": step, "epoch": state.epoch}, **found)
        state.rows.append(row)
    state.batch += results.steps
    state.step += results.steps


def _keepers(setup: Setup, state: RunState) -> tuple[Keeper, Keeper]:
    """For the values at the last check, and for those before each step that is checked."""
    return (
        Keeper(setup.module, state.optimizer, setup.device),
        Keeper(setup.module, state.optimizer, setup.device),
    )


def _interrupted(state: RunState, interrupt: AgreedInterrupt) -> RunEnd:
    place = f"after step {state.step}, in epoch {state.epoch + 1}"
    sentence = f"Interrupted by {interrupt.name} {place}; everything is kept."
    return RunEnd(INTERRUPTED, sentence, state.step)


def _load_final_weights(setup: Setup, state: RunState, ended: RunEnd) -> None:
    """The run ends with its best weights or their average, where it has them."""
    if ended.how not in (FINISHED, STOPPED_EARLY):
        return
    if state.best is not None:
        load_module(setup.module, state.best[1])
    elif state.average.tensors:
        load_module(setup.module, state.average.tensors)


def _whole_on_cpu(module: nn.Module) -> dict[str, Tensor]:
    """All weights of a module whose weights are shared out: they may fit on no device."""
    return {name: value.cpu() for name, value in whole(module_tensors(module)).items()}


def _with_errors(setup: Setup, ended: RunEnd) -> InputPipeline:
    """The pipeline with the errors on the validation part, where the run is complete."""
    if ended.how not in (FINISHED, STOPPED_EARLY):
        return setup.pipeline
    errors, answers = validation_errors(setup.module, setup.valid, setup.pipeline)
    if not len(errors):
        return setup.pipeline
    return replace(setup.pipeline, errors=errors, answers=answers)


def _final_score(setup: Setup, ended: RunEnd) -> Score | None:
    complete = ended.how in (FINISHED, STOPPED_EARLY)
    if not setup.settings.test or not len(setup.test) or not complete:
        return None
    if setup.recipe.metric is not None and setup.metric is not None:
        output = outputs_of(setup.module, setup.test.x)
        y, weight = setup.test.y, setup.test.weight
        answers = answers_of_outputs(output, y, setup.recipe.loss, setup.samples, weight)
        metric = setup.metric.metric
        if answers is not None and metric.name != "r2" and metric.can_measure(answers):
            return metric.score(answers)
    return score(setup.module, setup.test, setup.samples.task, setup.recipe.seed)
