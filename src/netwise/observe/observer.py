"""The observer: receives the events of a training program, and records what they show.

On watched steps module calls, the autograd graph of the loss and norms of gradients are read. A
window of watched steps is opened after a step and closed after the next one of each optimizer;
`netwise.observe.sampling` decides when. Between windows `netwise.observe.unwatched_steps` receives
the events of each step.

Nothing of it may stop or change the program: each part runs inside `safely`, which records an
error once and switches that part off.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.observe.active_observers import ACTIVE
from netwise.observe.backward_reader import BackwardReader
from netwise.observe.caught_errors import CaughtErrors
from netwise.observe.distribution import distribution
from netwise.observe.evaluation_blocks import MODE, EvaluationBlocks
from netwise.observe.finite_check import FiniteCheck
from netwise.observe.functional_updates import FunctionalUpdates, is_training
from netwise.observe.gradient_ledger import BackwardPass, account as account_of, gradient_norms
from netwise.observe.guard import Guard
from netwise.observe.idle_passes import IdlePasses
from netwise.observe.inner_gradients import InnerGradients
from netwise.observe.kept_states import kept_optimizer
from netwise.observe.loaded_states import LoadedStates
from netwise.observe.made_samples import MadeSamples
from netwise.observe.model_table import ModelTable
from netwise.observe.module_calls import ModuleCalls
from netwise.observe.nested import tensors_in
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import OptimizerAccount, PassNumbers, Root
from netwise.observe.program_facts import ProgramFacts
from netwise.observe.program_place import calling_frameworks, names_of_tensors, program_place
from netwise.observe.random_states import RandomStates
from netwise.observe.readable import readable
from netwise.observe.sampling import Sampling
from netwise.observe.step_rows import StepRows
from netwise.observe.still_copies import StillCopies
from netwise.observe.torch_hooks import QUIET, TorchHooks, in_backward
from netwise.observe.training_passes import TrainingPasses
from netwise.observe.unwatched_steps import UnwatchedSteps

LONGEST_WINDOW = 64  # optimizer steps that one window may last
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
        self._guard = Guard(self._part_failed)
        self.safely = self._guard.safely
        self._after_step = after_step
        self._asks_first_batch = first_batch
        self._hooks = TorchHooks(self)
        self._began, self._ended = 0.0, 0.0
        self.running = False
        self.watching = False
        self.table = ModelTable(model)
        self.finite = FiniteCheck()
        self._reader = BackwardReader(self.table, self.safely)
        self._calls = ModuleCalls(self.table)
        self._made = MadeSamples()
        self.functional = FunctionalUpdates()
        self._idle = IdlePasses()
        self.inner = InnerGradients()
        self.random = RandomStates()
        self._copies = StillCopies()
        self._states = LoadedStates()
        self.caught = CaughtErrors()
        self._rows = StepRows(self.table, self._guard, self._made, on_rows)
        self._unwatched = UnwatchedSteps(
            self, self.table, self._guard, self._reader, self.finite, on_rows, reads=every is None
        )
        self._blocks = EvaluationBlocks(self.table, self._rows.changed)
        self.passes = TrainingPasses(
            self._guard, self._calls, self._made, self._reader, first_batch
        )
        # The watched window.
        self._first_window = True
        self._called_by: tuple[str, ...] = ()  # frameworks whose code calls `backward`
        self._window_ticks = 0
        self._numbers = PassNumbers()
        # The running event.
        self._stepping: OptimizerAccount | None = None
        self._evaluating: Root | None = None  # it runs in a block of evaluation mode
        self._early_epochs: list[tuple[dict[str, float], int]] = []  # stated before the first step

    # ---- start and end

    @property
    def thread(self) -> int:
        """The thread whose events are recorded; 0: none."""
        return self._unwatched.thread

    @thread.setter
    def thread(self, thread: int) -> None:
        self._unwatched.thread = thread

    def start(self) -> None:
        """Begin to listen."""
        self.thread = get_ident()
        self._began, self.running = time.monotonic(), True
        ACTIVE.add(self)
        self._hooks.install()
        self._open_window()

    def stop(self) -> None:
        """Finish the last row, and remove everything from torch."""
        if not self.running:
            return
        self.safely("rows", self._rows.finish)
        self._rows.complete()
        self.safely("evaluation", self._blocks.finish)
        self._blocks.release()
        for root in (root for model in self.models for root in model.roots):
            self.safely("trials", self.passes.keep_end, root)
        self._hooks.remove()
        ACTIVE.discard(self)
        self.watching = self.running = False
        self._ended = time.monotonic()
        self._calls.clear()
        self.passes.output = None
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
            inner=self.inner.idle,
            asks=bool(self.safely("copies", self._copies.asked, self.table)),
            repeated=self.random.repeated,
            copies=self.safely("copies", self._copies.found, self.table) or (),
            unmatched=self._states.unmatched,
            given=given,
        )

    def _part_failed(self, part: str) -> None:
        if part == "evaluation":
            self._blocks.release()

    @property
    def switched_off(self) -> dict[str, str]:
        """Parts that failed, with their error."""
        return self._guard.switched_off

    @property
    def _trains(self) -> bool:
        """Whether a training step was seen."""
        return self._unwatched.ticks > 0 or self.functional.steps > 0

    def _foreign(self) -> bool:
        """Whether an event is none of the observed program's training."""
        return (
            QUIET.depth > 0
            or get_ident() != self.thread
            or torch.compiler.is_compiling()
            or torch._C._get_tracing_state() is not None
        )

    # ---- windows

    def _open_window(self) -> None:
        self.watching, self._window_ticks = True, 0
        self._hooks.of_steps = None
        self._numbers.clear()
        for account in self.table.all_accounts:
            account.since = self._numbers.next
            account.whole_steps = 0
        for root in self.table.roots.values():
            root.new_row()
        self._hooks.listen_to_modules(True)

    def _close_window(self) -> None:
        self.watching = self._first_window = False
        self._numbers.clear()
        self._made.forget()
        self._reader.forget_outputs()
        self._rest()
        for account in self.table.all_accounts:
            account.complete = False
        for root in self.table.roots.values():
            root.first_inputs = None  # of a module that no optimizer updates

    def _rest(self) -> None:
        """Hear of modules no more, where nothing is watched; and of steps only what is needed."""
        if self.watching or self._blocks.open or self._blocks.lasts:
            return
        self._hooks.listen_to_modules(False)
        self._calls.clear()
        if self._after_step is None and self._unwatched.suffice:
            self._hooks.of_steps = self._unwatched

    def backward_failed(self, error: Exception) -> None:
        """A backward pass of a step that is not watched raised an error."""
        self.safely("errors", self.caught.add, error)

    def wake(self, account: OptimizerAccount) -> None:
        """Watch the next step; an optimizer has just stepped."""
        self.safely("steps", self._open_window)
        account.complete = True

    def _consider_closing(self, account: OptimizerAccount) -> None:
        """Close the window once each optimizer that still steps has a whole step in it."""
        self._window_ticks += 1
        active = self.table.active(self._unwatched.ticks) or [account]
        if self._window_ticks < LONGEST_WINDOW and not all(a.whole_steps for a in active):
            return
        distance = self._sampling.distance(min(a.steps for a in active))
        if distance <= 1:
            self._window_ticks = 0
            for each in active:
                each.whole_steps = 0
            return
        self._rows.finish()
        # The window opens after the step before the watched one.
        self._unwatched.next_tick = self._unwatched.ticks + (distance - 1) * len(active)
        self._close_window()

    # ---- backward passes

    def backward(self, run: Callable[..., Any], tensors: Any, args: Any, kwargs: Any) -> Any:
        """See `Listener`."""
        if in_backward() or get_ident() != self.thread or QUIET.depth:
            return run(tensors, *args, **kwargs)
        if self._blocks.by_mode:
            self.safely("evaluation", self._end_block)
            self._blocks.contradicted()
        if self._blocks.lasts:
            self.finish_evaluation()
        entry: BackwardPass | None = None
        held = False
        functional: Any = None
        inner: Any = None
        if kwargs.get("accumulate_grad", True):
            if self.watching:
                entry = self.safely("gradients", self._before_backward, tensors)
            else:
                held = self._before_unwatched(tensors)
        elif self.watching:
            inner = self.safely("inner gradients", self._before_inner, tensors, args)
        if (
            entry is None
            and not self.table.all_accounts
            and not kwargs.get("accumulate_grad", True)
        ):
            functional = self.safely("functional updates", self._before_functional, tensors, args)
        self._made.running = -1 if entry is None else entry.number
        result: Any = None
        try:
            result = run(tensors, *args, **kwargs)
            self.caught.error = None  # the training went on
        except Exception as error:
            self.safely("errors", self.caught.add, error)
            raise
        finally:
            self._made.running = -1
            if entry is not None:
                self.safely("gradients", self._after_backward, entry)
            if inner is not None and result is not None:
                self.safely("inner gradients", self.inner.taken, *inner[:1], result, inner[1])
            if functional is not None and result is not None:
                self.safely("functional updates", self._after_functional, functional, result)
            if held:
                self.safely("values", self.finite.release, math.nan, "", self.table.steps)
        if self._after_step is not None and (self.table.loop is not None or functional is not None):
            self._after_step()
        return result

    def _before_inner(self, tensors: Any, args: Any) -> Any:
        """Gradients are taken with a graph of their own: of weights, maybe for an inner step."""
        loss, inputs = next(tensors_in(tensors), None), args[3] if len(args) > 3 else None
        if loss is None or loss.grad_fn is None:
            return None
        self.inner.backward(loss)  # of an inner step before this one
        if args[2:3] != (True,) or loss.dim() or not is_training(inputs):
            return None
        return loss, program_place()

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
        """Read a backward pass of a step that is not watched; returns whether values are held."""
        held = self._unwatched.read(tensors)
        if self.table.loop is not None:
            self.safely("steps", self._count_loop_step, self.table.loop)
        return held

    def _before_backward(self, tensors: Any) -> BackwardPass | None:
        loss = next(tensors_in(tensors), None)
        if loss is None or loss.grad_fn is None or readable(loss) is None:
            return None
        self._rows.finish()
        place = program_place()
        if self._first_window and not self._called_by:
            self._called_by = calling_frameworks()
        self.safely("inner gradients", self.inner.backward, loss)
        entry = self._reader.before(loss, place, self._numbers.next, self._stepping is not None)
        if entry.scale == 1:  # a gradient scaler finds its scale by values that are not finite
            if loss.numel() == 1 and not math.isfinite(entry.value):
                self.safely("values", self.finite.loss, loss, entry.value, place, self.table.steps)
            self.safely("values", self.finite.watch_place, loss, place, self.table.weights())
            if self.finite.holds:
                self.safely("values", self.finite.hold, loss)
        if not self.table.accounts:
            self.safely("loop", self._note_loose)
        if not self.table.accounts and self._ends_loop_step(entry):
            # The window has been closed: this step is not watched.
            self._unwatched.set(entry.value)
            self._count_loop_step(self.table.new_loop())
            return None
        return entry

    def _after_backward(self, entry: BackwardPass) -> None:
        self._reader.after(entry)
        self._numbers.add(entry)
        self.safely("idle passes", self._idle.add, entry, self.table)
        if self.finite.holds:
            self.safely("values", self.finite.release, entry.value, entry.place, self.table.steps)
        if self._stepping is not None:
            self._stepping.passes_in_step += 1

    # ---- loops without a torch optimizer

    def _ends_loop_step(self, entry: BackwardPass) -> bool:
        """Close a step before a backward pass, where no torch optimizer is seen to step: the last
        gradients were set to zero, the loss of the step was stated, or backward passes go on and
        on. Returns whether the window was closed with it."""
        loop = self.table.loop
        passes = self._numbers.since(0 if loop is None else loop.since)
        if not passes:
            return False
        ends = passes[-1].ends
        cleared = any(end and not entry.begins.get(key) for key, end in ends.items())
        if not cleared and not self.stated and len(passes) < WITHOUT_STEP:
            return False
        loop = self.table.new_loop()
        loop.ids |= {key for each in passes for key in each.reached}
        loop.at_step = ends
        self._unwatched.ticks += 1
        self._record_step(loop, passes, list(ends))
        entry.number = self._numbers.next
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
        self._unwatched.ticks += 1
        self._unwatched.add_to(loop)
        loop.steps += 1
        loop.last_tick = self._unwatched.ticks
        if self._unwatched.ticks >= self._unwatched.next_tick:
            self.wake(loop)

    # ---- optimizer steps

    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """See `Listener`."""
        if self.watching and not self._foreign():
            self.safely("steps", self._begin_step, optimizer)

    def _begin_step(self, optimizer: torch.optim.Optimizer) -> None:
        account = self._account(optimizer)
        model = self.table.model_known(account)
        if model is not None and model.waiting and id(account) in model.pending:
            self._rows.finish_row(model)
        account.read_groups()
        account.at_step = gradient_norms(account.chosen())
        account.passes_in_step = 0
        if self._asks_first_batch:
            passes = self._numbers.since(account.since)
            self.safely("first batch", self.table.ask_first_batch, account, passes)
        self._stepping = account
        loose = self.table.loose_root(account)
        if loose is not None:
            loose.trained, loose.passes = True, loose.passes + 1
        for root in self.table.roots.values():
            stray = model is not None and root in model.roots
            if not root.stepping and (stray or account.ids & root.parameters.keys()):
                root.stepping = True
                self.safely("layers", root.probe.step_begins)

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
        if get_ident() != self.thread or QUIET.depth:
            return
        self._count_or_record(optimizer)
        if self._after_step is not None:
            self._after_step()

    def _count_or_record(self, optimizer: torch.optim.Optimizer) -> None:
        if not self.watching and self.table.known_account(optimizer) is not None:
            self._unwatched.step_ended(optimizer)
            return
        self._unwatched.ticks += 1
        self.caught.error = None  # the training went on
        if not torch.compiler.is_compiling():
            self.safely("steps", self._end_step, optimizer)

    def _end_step(self, optimizer: torch.optim.Optimizer) -> None:
        account = self._account(optimizer)
        self._stepping = None
        if not self.watching:  # an optimizer that was not known
            account.steps += 1
            account.last_tick = self._unwatched.ticks
            self._open_window()
            account.complete = True
            return
        account.read_rates()
        passes = self._numbers.since(account.since)
        if account.passes_in_step:  # a closure: gradients were computed inside of the step
            account.at_step = gradient_norms(account.chosen())
        self._record_step(account, passes, [id(p) for p in account.chosen()])

    def _record_step(
        self, account: OptimizerAccount, passes: list[BackwardPass], weights: list[int]
    ) -> None:
        """Record a step that has just been done, and close the window if it was the last."""
        self.inner.step_ends()
        self.safely("random numbers", self.random.step_ends)
        account.row = account_of(passes, weights, account.at_step)
        account.counted = {each.number for each in account.row.counted}
        model = self.table.model_of(account)
        if model is None or not any(root.trained for root in model.roots):
            model = self.table.stray_model(account, passes) or model
        account.steps += 1
        account.last_tick = self._unwatched.ticks
        self._unwatched.forget()
        if model is not None:
            self._state_early_epochs()
            self._rows.note(model, account, passes)
            self.passes.output = None
        account.whole_steps += account.complete
        account.since, account.passes_in_step, account.complete = self._numbers.next, 0, True
        self._consider_closing(account)

    # ---- what the program states

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
        self._rows.finish()
        account = model.accounts[0] if model.accounts else None
        if account is not None and account.rate is not None:
            row = {**row, signals.RATE: account.rate}
        model.add_event({"epoch": epoch, **row})
        self._rows.changed(model)

    def _state_early_epochs(self) -> None:
        early, self._early_epochs = self._early_epochs, []
        for row, epoch in early:
            self.state_epoch(row, epoch)

    def complete_rows(self) -> None:
        """Compute what rows still lack, before they are read."""
        self._rows.complete()

    @property
    def stated(self) -> list[tuple[float, dict[str, float]]]:
        """Losses and signals of the step that goes on, for more to be added."""
        return self._rows.stated

    # ---- gradient scaler

    def state_loaded(self, module: nn.Module, state: Mapping[str, Any], keys: Any) -> None:
        """A module was given a state."""
        if self.thread == get_ident():
            self.safely("states", self._states.loaded, module, state, keys)

    def loss_scales(self, scaler: Any) -> None:
        """See `Listener`."""
        if not self._foreign():
            self._hooks.of_steps = None
            self.safely("gradient scaler", self._reader.loss_scales, scaler)

    def gradients_unscale(self, scaler: Any, optimizer: torch.optim.Optimizer) -> None:
        """See `Listener`."""
        if self.watching and not self._foreign():
            self.safely("gradient scaler", self._before_unscale, optimizer)

    def _before_unscale(self, optimizer: torch.optim.Optimizer) -> None:
        account = self.table.known_account(optimizer)
        if account is not None:
            account.before_unscale(self._numbers.since(account.since))

    # ---- modules

    def module_begins(self, module: nn.Module) -> None:
        """See `Listener`."""
        if in_backward() or self._foreign():
            return
        if not self._calls.begin_part(module):
            self.safely("modules", self._module_begins, module, torch.is_grad_enabled())

    def _module_begins(self, module: nn.Module, with_gradients: bool) -> None:
        root = self._calls.begin(module)
        if root is None:
            return
        if self._blocks.by_mode and not module.training and self._evaluating is None:
            self._evaluating, with_gradients = root, False
        if not with_gradients:
            if self._blocks.open:
                self.safely("evaluation", self._blocks.pass_begins)
            return
        if self._blocks.lasts:
            self.finish_evaluation()
        if self.watching:
            self._rows.finish()
            self.passes.begin(root)
            self.safely("copies", self._copies.pass_begins, root)

    def module_ended(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """See `Listener`."""
        if not in_backward() and self._calls.any and not self._foreign():
            grad = (
                torch.is_grad_enabled()
                and not torch.is_inference_mode_enabled()
                and self._evaluating is None
            )
            is_norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
            if not grad and not is_norm and self._calls.end_part(module):
                return
            self.safely("modules", self._module_ended, module, args, kwargs, output, grad)

    def _module_ended(
        self, module: nn.Module, args: Any, kwargs: Any, output: Any, with_gradients: bool
    ) -> None:
        is_root, root = self._calls.end(module)
        if is_root and root is self._evaluating:
            self._evaluating = None
        if output is None and with_gradients and not self._trains and not self._calls.any:
            self.safely("errors", self.caught.add, sys.exception())
        if output is None or root is None:  # after an exception there is no output
            return
        if with_gradients and self.watching:
            self.passes.part_ended(root, module, args, kwargs, output)
        elif not with_gradients and isinstance(module, nn.modules.batchnorm._BatchNorm):
            first = next(tensors_in(args), None)
            if first is not None:
                self.safely("evaluation", root.evaluation.norm_called, module, first)
        if is_root:
            self.safely("copies", self._copies.called, root, self.table.steps)
            if self.watching:
                self.passes.ended(root, args, kwargs, output, self.table.steps, with_gradients)
            if not with_gradients and self._blocks.open:
                inputs = list(tensors_in((args, kwargs)))
                self.safely("evaluation", self._blocks.pass_ended, root, inputs, output)
                self.safely(
                    "kept batches", self._blocks.keep, root, args, kwargs, output, self.table.steps
                )

    # ---- blocks without gradients

    def mode_set(self, module: nn.Module, was_training: bool) -> None:
        """See `Listener`."""
        root = self.table.roots.get(id(module))
        if root is None or root.module is not module or in_backward() or self._foreign():
            return
        if module.training:
            root.resumed += not was_training
            if self._blocks.by_mode:
                self.safely("evaluation", self._end_block)
        elif root.resumed and not self._blocks.open and not self._blocks.ignores(MODE):
            # A program that has gone back to training mode before will do so again.
            self.safely("evaluation", self._begin_block, MODE)

    def gradients_off(self, place: object) -> None:
        """See `Listener`."""
        if self._blocks.by_mode and get_ident() == self.thread and not in_backward():
            self.safely("evaluation", self._end_block)
        if (
            self._blocks.open
            or in_backward()
            or get_ident() != self.thread
            or self._blocks.ignores(place)
            or torch.compiler.is_compiling()
        ):
            return
        self.safely("evaluation", self._begin_block, place)

    def _begin_block(self, place: object) -> None:
        self._rows.finish()
        self._hooks.listen_to_modules(True)
        self._hooks.of_steps = None
        self._blocks.begin(place)

    def gradients_on(self) -> None:
        """See `Listener`."""
        is_open = self._blocks.open and not self._blocks.by_mode
        if is_open and get_ident() == self.thread and not in_backward():
            self.safely("evaluation", self._end_block)

    def _end_block(self) -> None:
        self._evaluating = None
        self._blocks.end()
        if not self._blocks.lasts:
            self._forget_modules()

    def finish_evaluation(self) -> None:
        """Record an evaluation whose last block is over."""
        if self._blocks.lasts:
            self.safely("evaluation", self._blocks.finish)
            self.safely("random numbers", self.random.training_goes_on, self.table.steps)
            self.safely("evaluation", self._forget_modules)

    def _forget_modules(self) -> None:
        if self._blocks.losses.error:
            self.switched_off.setdefault("evaluation losses", self._blocks.losses.error)
        self._rest()
