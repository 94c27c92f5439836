"""The observer: receives the events of a training program, and records what they show.

Every event costs little while no step is watched: a backward pass reads its loss, a step is
counted. On watched steps module calls, the autograd graph of the loss and norms of gradients are
read too. A window of watched steps is opened after a step and closed after the next one of each
optimizer; `netwise.observe.sampling` decides when.

Nothing of it may stop or change the program: each part runs inside `safely`, which records an
error once and switches that part off.
"""

from __future__ import annotations

import math
import os
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.observe import autograd_graph
from netwise.observe.backward_reader import BackwardReader
from netwise.observe.distribution import distribution
from netwise.observe.evaluation_blocks import EvaluationBlocks
from netwise.observe.finite_check import FiniteCheck
from netwise.observe.functional_updates import FunctionalUpdates, is_training
from netwise.observe.gradient_ledger import BackwardPass, account as account_of, gradient_norms
from netwise.observe.idle_passes import IdlePasses
from netwise.observe.kept_states import LARGE_LIMIT, LIMIT, kept_optimizer, kept_state
from netwise.observe.made_samples import MadeSamples
from netwise.observe.model_table import ModelTable
from netwise.observe.module_calls import ModuleCalls
from netwise.observe.nested import tensors_in
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import OptimizerAccount, PassNumbers, Root
from netwise.observe.program_facts import ProgramFacts
from netwise.observe.program_place import calling_frameworks, names_of_tensors, program_place
from netwise.observe.readable import readable
from netwise.observe.sampling import READ_EVERY, Sampling, is_read
from netwise.observe.torch_hooks import QUIET, TorchHooks

LONGEST_WINDOW = 64  # optimizer steps that one window may last
INPUTS_READ = 6  # watched passes whose inputs are all read
WITHOUT_STEP = 8  # backward passes without any optimizer step, each of which is then a step


class Observer:
    """Records one program, in the thread that starts it.

    Args:
        model: the module to record; None: every module that is trained.
        every: watch one step of so many; None: first all, then fewer and fewer.
        on_rows: called with a model that has new rows, to write them to files.
        after_step: called after each step, outside of `safely`: what it raises ends the program.
        first_batch: ask copies of each module about its first batch.
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        every: int | None = None,
        on_rows: Callable[[ObservedModel], None] | None = None,
        after_step: Callable[[], None] | None = None,
        first_batch: bool = False,
    ) -> None:
        self._sampling = Sampling(every)
        self._reads_losses = every is None  # of steps that are not watched
        self._on_rows = on_rows
        self._after_step = after_step
        self._asks_first_batch = first_batch
        self._hooks = TorchHooks(self)
        self._thread = 0
        self._began, self._ended = 0.0, 0.0
        self.running = False
        self.watching = False
        self.switched_off: dict[str, str] = {}  # parts that failed, with their error
        self.table = ModelTable(model)
        self.finite = FiniteCheck()
        self._reader = BackwardReader(self.table, self.safely)
        self._blocks = EvaluationBlocks(self.table, self._rows_changed)
        self._calls = ModuleCalls(self.table)
        self._made = MadeSamples()
        self.functional = FunctionalUpdates()
        self._idle = IdlePasses()
        # The watched window.
        self._first_window = True
        self._called_by: tuple[str, ...] = ()  # frameworks whose code calls `backward`
        self._window_ticks = 0
        self._ticks, self._next_tick = 0, 0  # steps of all optimizers
        self._passes = PassNumbers()
        # The running event.
        self._depth = 0  # inside of a backward pass
        self._stepping: OptimizerAccount | None = None
        self._pending_loss, self._pending_count = 0.0, 0
        # What the program states itself.
        self.keeps_output = False  # up to the next step, to compare it with stated targets
        self._output: Tensor | None = None
        self.stated: list[tuple[float, dict[str, float]]] = []  # losses and signals of the step
        self._early_epochs: list[tuple[dict[str, float], int]] = []  # before the first step
        # For short trials afterwards.
        self.for_trials = False  # keep modules alive, and large states

    # ---- start and end

    def start(self) -> None:
        """Begin to listen."""
        self._thread = get_ident()
        self._began, self.running = time.monotonic(), True
        _ACTIVE.add(self)
        self._hooks.install()
        self._open_window()

    def stop(self) -> None:
        """Finish the last row, and remove everything from torch."""
        if not self.running:
            return
        self.safely("rows", self._finish_rows)
        self.complete_rows()
        self.safely("evaluation", self._blocks.finish)
        self._blocks.release()
        self.safely("trials", self._keep_ends)
        self._hooks.remove()
        _ACTIVE.discard(self)
        self.watching = self.running = False
        self._ended = time.monotonic()
        self._calls.clear()
        self._output = None
        self.table.forget_loop()
        self._reader.forget_outputs()
        for root in self.table.roots.values():
            self.safely("layers", root.probe.forget)
            root.kept.forget_waiting()

    @property
    def models(self) -> list[ObservedModel]:
        """The models that were trained."""
        return self.table.models

    def program(self, given: Mapping[str, Any]) -> ProgramFacts:
        """What is known of the program as a whole.

        Args:
            given: facts that the user stated.
        """
        modules = [root.module for root in self.table.roots.values()]
        devices = [str(p.device) for m in modules if m is not None for p in m.parameters()]
        return ProgramFacts(
            running=self.running,
            seconds=(time.monotonic() if self.running else self._ended) - self._began,
            device=devices[0] if devices else "cpu",
            not_finite=self.finite.sentence,
            not_finite_step=self.finite.step,
            not_finite_in_loss=self.finite.in_loss,
            frameworks=(*self._called_by, *distribution(list(self.table.roots.values()))),
            switched_off={
                part: f"the observer failed: {error}" for part, error in self.switched_off.items()
            },
            idle=self._idle.found,
            shared=self._idle.shared(self.table),
            left_out=self._idle.left_out(self.table),
            given=given,
        )

    def safely(self, part: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call a part of the observer. An error is never raised: it switches the part off."""
        if part in self.switched_off:
            return None
        if QUIET.depth:  # inside of another part: gradients are off
            try:
                return function(*args)
            except Exception as error:
                self._switch_off(part, error)
                return None
        QUIET.depth += 1
        before = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)
        try:
            return function(*args)
        except Exception as error:
            self._switch_off(part, error)
            return None
        finally:
            torch._C._set_grad_enabled(before)
            QUIET.depth -= 1

    def _switch_off(self, part: str, error: Exception) -> None:
        self.switched_off.setdefault(part, f"{type(error).__name__}: {str(error)[:200]}")
        if part == "evaluation":
            self._blocks.release()

    def _foreign(self) -> bool:
        """Whether an event is none of the observed program's training."""
        return (
            QUIET.depth > 0
            or get_ident() != self._thread
            or torch.compiler.is_compiling()
            or torch._C._get_tracing_state() is not None
        )

    # ---- windows

    def _open_window(self) -> None:
        self.watching, self._window_ticks = True, 0
        self._passes.clear()
        for account in self.table.all_accounts:
            account.since = self._passes.next
            account.whole_steps = 0
        for root in self.table.roots.values():
            root.new_row()
        self._hooks.listen_to_modules(True)

    def _close_window(self) -> None:
        self.watching = self._first_window = False
        self._passes.clear()
        self._made.forget()
        self._reader.forget_outputs()
        if not self._blocks.open and not self._blocks.lasts:
            self._hooks.listen_to_modules(False)
            self._calls.clear()
        for account in self.table.all_accounts:
            account.complete = False
        for root in self.table.roots.values():
            root.first_inputs = None  # of a module that no optimizer updates

    def _consider_closing(self, account: OptimizerAccount) -> None:
        """Close the window once each optimizer that still steps has a whole step in it."""
        self._window_ticks += 1
        active = self.table.active(self._ticks) or [account]
        if self._window_ticks < LONGEST_WINDOW and not all(a.whole_steps for a in active):
            return
        distance = self._sampling.distance(min(a.steps for a in active))
        if distance <= 1:
            self._window_ticks = 0
            for each in active:
                each.whole_steps = 0
            return
        self._finish_rows()
        # The window opens after the step before the watched one.
        self._next_tick = self._ticks + (distance - 1) * len(active)
        self._close_window()

    # ---- backward passes

    def backward(self, run: Callable[..., Any], tensors: Any, args: Any, kwargs: Any) -> Any:
        """See `Listener`."""
        if self._depth or get_ident() != self._thread or QUIET.depth:
            return run(tensors, *args, **kwargs)
        if self._blocks.lasts:
            self.finish_evaluation()
        entry: BackwardPass | None = None
        held = False
        functional: Any = None
        if kwargs.get("accumulate_grad", True):
            if self.watching:
                entry = self.safely("gradients", self._before_backward, tensors)
            elif self._reads_losses:
                held = self._before_unwatched(tensors)
        elif not self.table.all_accounts:
            functional = self.safely("functional updates", self._before_functional, tensors, args)
        self._depth = 1
        self._made.running = -1 if entry is None else entry.number
        result: Any = None
        try:
            result = run(tensors, *args, **kwargs)
        finally:
            self._depth, self._made.running = 0, -1
            if entry is not None:
                self.safely("gradients", self._after_backward, entry)
            elif functional is not None and result is not None:
                self.safely("functional updates", self._after_functional, functional, result)
            elif held:
                self.safely("values", self.finite.release, math.nan, "", self._steps())
        if self._after_step is not None and self.table.loop is not None:
            self._after_step()
        return result

    def _before_functional(self, tensors: Any, args: Any) -> Any:
        """Gradients are asked for as values, and no optimizer is known: maybe a step of its own."""
        loss, inputs = next(tensors_in(tensors), None), args[3] if len(args) > 3 else None
        if loss is None or loss.grad_fn is None or loss.dim() or inputs is None:
            return None
        if not is_training(inputs):
            return None
        key = (program_place(), tuple(tuple(each.shape) for each in inputs))
        self.functional.before(loss, key)
        return loss, inputs, key

    def _after_functional(self, functional: Any, gradients: Any) -> None:
        loss, inputs, key = functional
        if all(isinstance(each, Tensor) for each in gradients):
            self.functional.after(loss, inputs, gradients, key, names_of_tensors)

    def _before_unwatched(self, tensors: Any) -> bool:
        """Add up the loss of a step that is not watched; returns whether values were held to find
        a gradient that is not finite."""
        try:
            loss = tensors[0] if type(tensors) is tuple else next(tensors_in(tensors), None)
            held = False
            if self._reader.scaler is not None:
                self._reader.take_scaler()
            elif type(loss) is Tensor and loss.is_cpu and not loss.dim():
                value = loss.item()
                self._pending_loss += value
                self._pending_count += 1
                if not -math.inf < value < math.inf:
                    self.safely("values", self._loss_not_finite, loss, value)
                elif self.finite.holds:
                    self.safely("values", self.finite.hold, loss)
                    held = True
            if self.table.loop is not None:
                self._count_loop_step(self.table.loop)
            return held
        except Exception as error:
            self._reads_losses = False
            self._switch_off("losses of unwatched steps", error)
            return False

    def _steps(self) -> int:
        return max((account.steps for account in self.table.all_accounts), default=0)

    def _loss_not_finite(self, loss: Tensor, value: float) -> None:
        self.finite.loss(loss, value, program_place(), self._steps())

    def _before_backward(self, tensors: Any) -> BackwardPass | None:
        loss = next(tensors_in(tensors), None)
        if loss is None or loss.grad_fn is None or readable(loss) is None:
            return None
        self._finish_rows()
        place = program_place()
        if self._first_window and not self._called_by:
            self._called_by = calling_frameworks()
        entry = self._reader.before(loss, place, self._passes.next, self._stepping is not None)
        if entry.scale == 1:  # a gradient scaler finds its scale by values that are not finite
            if loss.numel() == 1 and not math.isfinite(entry.value):
                self.safely("values", self.finite.loss, loss, entry.value, place, self._steps())
            self.safely("values", self.finite.watch_place, loss, place, self.table.weights())
            if self.finite.holds:
                self.safely("values", self.finite.hold, loss)
        if not self.table.accounts:
            self.safely("loop", self._note_loose)
        if not self.table.accounts and self._ends_loop_step(entry):
            # The window has been closed: this step is not watched.
            self._pending_loss, self._pending_count = entry.value, 1
            self._count_loop_step(self.table.new_loop())
            return None
        return entry

    def _after_backward(self, entry: BackwardPass) -> None:
        self._reader.after(entry)
        self._passes.add(entry)
        self.safely("idle passes", self._idle.add, entry, self.table)
        if self.finite.holds:
            self.safely("values", self.finite.release, entry.value, entry.place, self._steps())
        if self._stepping is not None:
            self._stepping.passes_in_step += 1

    # ---- loops without a torch optimizer

    def _ends_loop_step(self, entry: BackwardPass) -> bool:
        """Close a step before a backward pass, where no torch optimizer is seen to step: the last
        gradients were set to zero, the loss of the step was stated, or backward passes go on and
        on. Returns whether the window was closed with it."""
        loop = self.table.loop
        passes = self._passes.since(0 if loop is None else loop.since)
        if not passes:
            return False
        ends = passes[-1].ends
        cleared = any(end and not entry.begins.get(key) for key, end in ends.items())
        if not cleared and not self.stated and len(passes) < WITHOUT_STEP:
            return False
        loop = self.table.new_loop()
        loop.ids |= {key for each in passes for key in each.reached}
        loop.at_step = ends
        self._ticks += 1
        self._record_step(loop, passes, list(ends))
        entry.number = self._passes.next
        return not self.watching

    def _note_loose(self) -> None:
        """Let a module stand for tensors that are updated by hand and belong to none."""
        if "modules" in self.switched_off:  # the tensors may well belong to one
            return
        if any(not root.is_loose for root in self.table.roots.values()):
            return
        names = {} if self.table.roots else names_of_tensors()
        loose = self.table.loose_root_of_loop(self._reader.leaves, names)
        if loose is not None:
            loose.trained, loose.passes = True, loose.passes + 1

    def _count_loop_step(self, loop: OptimizerAccount) -> None:
        """A backward pass of a loop without a torch optimizer, on a step that is not watched."""
        self._ticks += 1
        self._add_pending_loss(loop)
        loop.steps += 1
        loop.last_tick = self._ticks
        if self._ticks >= self._next_tick:
            self.safely("steps", self._open_window)
            loop.complete = True

    def _add_pending_loss(self, account: OptimizerAccount) -> None:
        if self._pending_count:
            loss = self._pending_loss * account.normaliser
            is_new = account.losses.add(account.steps, loss)
            self._pending_loss, self._pending_count = 0.0, 0
            if is_new and self._on_rows is not None:
                model = self.table.model_known(account)
                if model is not None:
                    self._on_rows(model)

    # ---- optimizer steps

    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """See `Listener`."""
        if self.watching and not self._foreign():
            self.safely("steps", self._begin_step, optimizer)

    def _begin_step(self, optimizer: torch.optim.Optimizer) -> None:
        account = self._account(optimizer)
        model = self.table.model_known(account)
        if model is not None and model.waiting and id(account) in model.pending:
            self._finish_row(model)
        account.read_groups()
        account.at_step = gradient_norms(account.chosen())
        account.passes_in_step = 0
        if self._asks_first_batch:
            self.safely("first batch", self._ask_first_batch, account)
        self._stepping = account
        loose = self.table.loose_root(account)
        if loose is not None:
            loose.trained, loose.passes = True, loose.passes + 1
        for root in self.table.roots.values():
            stray = model is not None and root in model.roots
            if not root.stepping and (stray or account.ids & root.parameters.keys()):
                root.stepping = True
                self.safely("layers", root.probe.step_begins)

    def _ask_first_batch(self, account: OptimizerAccount) -> None:
        """Ask copies of the modules that are about to change, while they are at their start."""
        for root in self.table.roots.values():
            if root.first_inputs is not None and account.ids & root.parameters.keys():
                shapes = {
                    term.target_shape
                    for each in self._passes.since(account.since)
                    if each.site is not None
                    for term in each.site.terms
                }
                # Only targets of one number for each sample show which axis is that of samples.
                sizes = {shape[0] for shape in shapes if len(shape) == 1}
                samples = sizes.pop() if len(sizes) == len(shapes) == 1 else None
                root.ask_first_batch(samples)

    def _account(self, optimizer: torch.optim.Optimizer) -> OptimizerAccount:
        account = self.table.known_account(optimizer)
        if account is not None:
            return account
        self.functional.forget()
        account = self.table.new_account(optimizer, self._first_window and self.watching)
        account.start = self.safely("trials", kept_optimizer, optimizer)
        return account

    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """See `Listener`."""
        if get_ident() != self._thread or QUIET.depth:
            return
        self._count_or_record(optimizer)
        if self._after_step is not None:
            self._after_step()

    def _count_or_record(self, optimizer: torch.optim.Optimizer) -> None:
        self._ticks += 1
        if not self.watching:
            try:
                account = self.table.known_account(optimizer)
                if account is not None:
                    self._count_step(optimizer, account)
                    return
            except Exception as error:
                self._switch_off("steps", error)
        if not torch.compiler.is_compiling():
            self.safely("steps", self._end_step, optimizer)

    def _count_step(self, optimizer: torch.optim.Optimizer, account: OptimizerAccount) -> None:
        """Count a step that is not watched."""
        if self._pending_count:
            self._add_pending_loss(account)
        account.steps += 1
        account.last_tick = self._ticks
        rate = optimizer.param_groups[0].get("lr")
        if rate is not account.rate and type(rate) is float:
            account.note_rate(rate)
        if self._ticks >= self._next_tick:
            self.safely("steps", self._open_window)
            account.complete = True

    def _end_step(self, optimizer: torch.optim.Optimizer) -> None:
        account = self._account(optimizer)
        self._stepping = None
        if not self.watching:  # an optimizer that was not known
            account.steps += 1
            account.last_tick = self._ticks
            self._open_window()
            account.complete = True
            return
        account.read_rates()
        passes = self._passes.since(account.since)
        if account.passes_in_step:  # a closure: gradients were computed inside of the step
            account.at_step = gradient_norms(account.chosen())
        self._record_step(account, passes, [id(p) for p in account.chosen()])

    def _record_step(
        self, account: OptimizerAccount, passes: list[BackwardPass], weights: list[int]
    ) -> None:
        """Record a step that has just been done, and close the window if it was the last."""
        account.row = account_of(passes, weights, account.at_step)
        account.counted = {each.number for each in account.row.counted}
        model = self.table.model_of(account)
        if model is None or not any(root.trained for root in model.roots):
            model = self.table.stray_model(account, passes) or model
        account.steps += 1
        account.last_tick = self._ticks
        self._pending_loss, self._pending_count = 0.0, 0
        if model is not None:
            self._note_step(model, account, passes)
        account.whole_steps += account.complete
        account.since, account.passes_in_step, account.complete = self._passes.next, 0, True
        self._consider_closing(account)

    def _note_step(
        self, model: ObservedModel, account: OptimizerAccount, passes: list[BackwardPass]
    ) -> None:
        """Add a step to a model."""
        model.stated_losses = [loss for loss, _ in self.stated]
        for _, row in self.stated:
            model.stated_signals.update(row)
        self.stated, self._output = [], None
        if self._early_epochs:
            early, self._early_epochs = self._early_epochs, []
            for epoch_row, epoch in early:
                self.state_epoch(epoch_row, epoch)
        loss = model.step_loss(account)
        if loss is not None:
            account.losses.add(account.steps - 1, loss)
            if account.steps == 1:
                account.first_loss = loss
        ids = {key for root in model.roots for key in root.parameters}
        own = [each for each in passes if each.reached & ids or each.opaque]
        model.note_passes(own)
        model.passes_seen += len(passes)
        self.table.read_weights(model)
        if model.trainable & model.owned - model.reached:
            model.note_gradients()
            for root in model.roots:
                model.note_cut(root.calls)
        self.table.note_opponents(model, account, own)
        self.safely("made samples", self._made.step, model.roots, account.counted)
        model.cycles += 1
        model.pending.add(id(account))
        model.waiting = True
        if model.cycles > 1 and len(model.pending) >= len(model.accounts):
            self._finish_row(model)

    # ---- rows

    def _finish_rows(self) -> None:
        """Finish the rows of models whose step is done, before anything new begins."""
        for model in self.table.models:
            if model.waiting:
                self._finish_row(model)

    def _finish_row(self, model: ObservedModel) -> None:
        self.safely("rows", model.finish_row)
        self._rows_changed(model)

    def _rows_changed(self, model: ObservedModel) -> None:
        if self._on_rows is None:
            model.drop_new_rows()
        else:
            self.safely("rows", model.complete_rows)
            self._on_rows(model)

    def complete_rows(self) -> None:
        """Compute what rows still lack, before they are read."""
        for model in self.table.models:
            self.safely("rows", model.complete_rows)

    def state_epoch(self, row: dict[str, float], epoch: int) -> None:
        """Record what the program states at the end of an epoch."""
        self.finish_evaluation()
        model = self.table.main_model()
        if model is None:
            self._early_epochs.append((row, epoch))
            return
        if row and not self._blocks.scores_are_stated:
            self._blocks.scores_are_stated = True
            for each in self.table.models:
                each.drop_observed_scores()
        self._finish_rows()
        account = model.accounts[0] if model.accounts else None
        if account is not None and account.rate is not None:
            row = {**row, signals.RATE: account.rate}
        model.add_event({"epoch": epoch, **row})
        self._rows_changed(model)

    # ---- gradient scaler

    def loss_scales(self, scaler: Any) -> None:
        """See `Listener`."""
        if not self._foreign():
            self.safely("gradient scaler", self._reader.loss_scales, scaler)

    def gradients_unscale(self, scaler: Any, optimizer: torch.optim.Optimizer) -> None:
        """See `Listener`."""
        if self.watching and not self._foreign():
            self.safely("gradient scaler", self._compare_before_unscale, optimizer)

    def _compare_before_unscale(self, optimizer: torch.optim.Optimizer) -> None:
        account = self.table.known_account(optimizer)
        if account is None:
            return
        now = gradient_norms(account.chosen())
        row = account_of(self._passes.since(account.since), list(now), now)
        if row.counted and row.factor is not None:
            change = row.factor / row.counted[-1].scale
            account.clipped_before_unscale += abs(change - 1) > 1e-4

    # ---- modules

    def module_begins(self, module: nn.Module) -> None:
        """See `Listener`."""
        if self._depth or self._foreign():
            return
        with_gradients = torch.is_grad_enabled()
        if not with_gradients and self._calls.begin_part(module):
            return  # the inside of an evaluation is not read
        self.safely("modules", self._module_begins, module, with_gradients)

    def _module_begins(self, module: nn.Module, with_gradients: bool) -> None:
        root = self._calls.begin(module)
        if root is not None and not with_gradients and self._blocks.open:
            self.safely("evaluation", self._blocks.pass_begins)
        if root is not None and with_gradients and self._blocks.lasts:
            self.finish_evaluation()
        if root is not None and with_gradients and self.watching:
            self._finish_rows()
            if root.start is None:
                self.safely("trials", self._keep_start, root)
            self.safely("layers", root.probe.forward_begins)

    def _keep_start(self, root: Root) -> None:
        module = root.module
        if module is not None:
            root.start = kept_state(module, LARGE_LIMIT if self.for_trials else LIMIT)
            if self.for_trials:
                root.held = module

    def _keep_ends(self) -> None:
        for root in (root for model in self.models for root in model.roots):
            module = root.module
            if module is not None and root.start is not None:
                root.end = kept_state(module, LARGE_LIMIT if self.for_trials else LIMIT)

    def module_ended(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """See `Listener`."""
        if not self._depth and self._calls.any and not self._foreign():
            grad = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
            is_norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
            if not grad and not is_norm and self._calls.end_part(module):
                return
            self.safely("modules", self._module_ended, module, args, kwargs, output, grad)

    def _module_ended(
        self, module: nn.Module, args: Any, kwargs: Any, output: Any, with_gradients: bool
    ) -> None:
        is_root, root = self._calls.end(module)
        if output is None or root is None:  # after an exception there is no output
            return
        if with_gradients and self.watching:
            self.safely("layers", root.probe.module_called, module, args, kwargs, output)
            if is_read(root.passes):
                self._calls.note(root, module, args, kwargs, output)
        elif not with_gradients and isinstance(module, nn.modules.batchnorm._BatchNorm):
            first = next(tensors_in(args), None)
            if first is not None:
                self.safely("evaluation", root.evaluation.norm_called, module, first)
        if not is_root:
            return
        inputs = list(tensors_in((args, kwargs)))
        if self.watching:
            outputs = list(tensors_in(output))
            self.safely("made samples", self._made.called, root, inputs, outputs)
        if with_gradients:
            if self.watching:
                if self._asks_first_batch and root.first_batch is None:
                    self.safely("first batch", root.keep_first_inputs, args, kwargs)
                self._training_pass(root, args, kwargs, inputs, output)
        elif self._blocks.open:
            self.safely("evaluation", self._blocks.pass_ended, root, inputs, output)
            self.safely("kept batches", self._keep_evaluated, root, args, kwargs, output)

    def _keep_evaluated(self, root: Root, args: Any, kwargs: Any, output: Any) -> None:
        known = root.evaluation.on_training_rows
        if root.evaluates_anew and not known:
            root.evaluated.clear()
            root.evaluates_anew = False
        answers = None if known else root.evaluated
        self._blocks.losses.evaluates(root.kept, answers, tensors_in(output))
        root.kept.evaluation_pass(args, kwargs, self._steps(), known, self._blocks.number)

    def _training_pass(
        self, root: Root, args: Any, kwargs: Any, inputs: list[Tensor], output: Any
    ) -> None:
        outputs = [t for t in tensors_in(output) if t.is_floating_point()]
        module = root.module
        if module is None or not any(t.requires_grad for t in outputs):
            return
        if all(readable(t) is None for t in outputs):  # a pass that only finds shapes
            return
        root.trained = True
        root.note_stand_ins()
        root.training_mode = module.training
        if self.keeps_output:
            self._output = next((t.detach() for t in outputs if t.dim()), None)
        for number, tensor in enumerate(outputs):
            if tensor.grad_fn is not None and tensor.dim():
                node: Any = tensor.grad_fn  # torch's annotation lacks `metadata`'s type
                node.metadata[autograd_graph.MARK] = (id(module), number)
                root.marked.add(number)
                self._reader.note_output(tensor)
        if not root.linear_read:
            root.linear_read = True
            root.linear = self.safely("losses", _linear, outputs, inputs)
        root.passes += 1
        if is_read(root.passes - 1, first=INPUTS_READ, every=2 * READ_EVERY):
            self.safely("evaluation", root.evaluation.training_pass, inputs)
        self.safely("kept batches", root.kept.training_pass, args, kwargs, self._steps())
        self.safely("layers", root.probe.forward_ends, output)

    @property
    def last_output(self) -> Tensor | None:
        """The output of the last watched forward pass with gradients, where `keeps_output`."""
        return self._output

    # ---- blocks without gradients

    def gradients_off(self, place: object) -> None:
        """See `Listener`."""
        if (
            self._blocks.open
            or self._depth
            or get_ident() != self._thread
            or self._blocks.ignores(place)
            or torch.compiler.is_compiling()
        ):
            return
        self.safely("evaluation", self._begin_block, place)

    def _begin_block(self, place: object) -> None:
        self._finish_rows()
        self._hooks.listen_to_modules(True)
        self._blocks.begin(place)

    def gradients_on(self) -> None:
        """See `Listener`."""
        if self._blocks.open and get_ident() == self._thread and not self._depth:
            self.safely("evaluation", self._end_block)

    def _end_block(self) -> None:
        self._blocks.end()
        if not self._blocks.lasts:
            self._forget_modules()

    def finish_evaluation(self) -> None:
        """Record an evaluation whose last block is over."""
        if self._blocks.lasts:
            self.safely("evaluation", self._blocks.finish)
            self.safely("evaluation", self._forget_modules)

    def _forget_modules(self) -> None:
        if self._blocks.losses.error:
            self.switched_off.setdefault("evaluation losses", self._blocks.losses.error)
        if not self.watching:
            self._hooks.listen_to_modules(False)
            self._calls.clear()


def _linear(outputs: list[Tensor], inputs: list[Tensor]) -> bool | None:
    """Whether all outputs are linear in the inputs."""
    answers = [
        autograd_graph.is_linear(output, inputs)
        for output in outputs
        if output.grad_fn is not None and output.dim() > 0
    ]
    if any(answer is False for answer in answers):
        return False
    return True if answers and all(answers) else None


_ACTIVE: weakref.WeakSet[Observer] = weakref.WeakSet()


@contextmanager
def paused() -> Iterator[None]:
    """Inside, the observers that run now record nothing: what is trained is none of the program's
    own.

    >>> with paused():
    ...     pass
    """
    threads = [(observer, observer._thread) for observer in _ACTIVE]
    for observer, _ in threads:
        observer._thread = 0
    try:
        yield
    finally:
        for observer, thread in threads:
            observer._thread = thread


def _stop_in_child() -> None:
    """In a forked process, such as a worker that loads data, nothing is observed."""
    for observer in list(_ACTIVE):
        observer._thread = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_stop_in_child)
