"""The observer: receives the events of a training program, and records what they show.

On watched steps module calls, the autograd graph of the loss and norms of gradients are read
(`watched_window`, `called_modules`, `watched_backward`, `watched_steps`), in evaluations what is
computed in them (`evaluation_events`); of other steps little more than the loss
(`unwatched_steps`).

Nothing of it may stop or change the program: each part runs inside `safely`, which records an
error once and switches that part off.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from threading import get_ident
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from netwise.observe.active_observers import ACTIVE
from netwise.observe.backward_reader import BackwardReader
from netwise.observe.called_modules import CalledModules
from netwise.observe.caught_errors import CaughtErrors
from netwise.observe.distribution import distribution
from netwise.observe.evaluated_modules import EvaluatedModules
from netwise.observe.evaluation_blocks import EvaluationBlocks
from netwise.observe.evaluation_events import EvaluationEvents
from netwise.observe.finite_check import FiniteCheck
from netwise.observe.functional_updates import FunctionalUpdates
from netwise.observe.gradient_ledger import BackwardPass
from netwise.observe.gradient_values import GradientValues
from netwise.observe.guard import Guard
from netwise.observe.loaded_states import LoadedStates
from netwise.observe.loader_iterators import LoaderIterators
from netwise.observe.loops_by_hand import LoopsByHand
from netwise.observe.made_samples import MadeSamples
from netwise.observe.model_table import ModelTable
from netwise.observe.module_calls import ModuleCalls
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import OptimizerAccount
from netwise.observe.program_facts import ProgramFacts
from netwise.observe.random_states import RandomStates
from netwise.observe.sampling import Sampling
from netwise.observe.stated_epochs import StatedEpochs
from netwise.observe.step_rows import StepRows
from netwise.observe.still_copies import StillCopies
from netwise.observe.torch_hooks import QUIET, TorchHooks, in_backward
from netwise.observe.training_passes import TrainingPasses
from netwise.observe.unwatched_steps import UnwatchedSteps
from netwise.observe.watched_backward import WatchedBackward
from netwise.observe.watched_steps import WatchedSteps
from netwise.observe.watched_window import WatchedWindow


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
        guard = self._guard = Guard(self._part_failed)
        self.safely = guard.safely
        self._after_step = after_step
        self._hooks = hooks = TorchHooks(self)
        self._began, self._ended = 0.0, 0.0
        self.running = False
        # What is known of the program.
        table = self.table = ModelTable(model)
        self.finite, self.caught, self.random = FiniteCheck(), CaughtErrors(), RandomStates()
        self._made, self._copies, self._states = MadeSamples(), StillCopies(), LoadedStates()
        self._loaders = LoaderIterators()
        self._evaluated = EvaluatedModules(self._copies)
        self._calls = calls = ModuleCalls(table)
        self._reader = reader = BackwardReader(table, guard.safely)
        self._values = values = GradientValues(guard, table)
        self._rows = rows = StepRows(table, guard, self._made, on_rows)
        self._blocks = blocks = EvaluationBlocks(table, rows.changed)
        self._epochs = StatedEpochs(table, rows, blocks)
        self.passes = TrainingPasses(guard, calls, self._made, reader, first_batch)
        # What receives its events.
        unwatched = self._unwatched = UnwatchedSteps(
            self, table, guard, reader, self.finite, on_rows, reads=every is None
        )
        window = self._window = WatchedWindow(
            hooks,
            Sampling(every),
            table,
            calls,
            self._made,
            reader,
            rows,
            blocks,
            unwatched,
            hands_over=after_step is None,
        )
        self._evaluation = EvaluationEvents(
            guard, hooks, table, window, rows, blocks, unwatched, self.random
        )
        self._modules = CalledModules(
            guard,
            table,
            calls,
            window,
            rows,
            self.passes,
            blocks,
            self._evaluation,
            self._copies,
            self._evaluated,
            self.caught,
            unwatched,
            values.functional,
        )
        self._steps = WatchedSteps(
            guard,
            table,
            window,
            rows,
            unwatched,
            self.passes,
            values,
            self.random,
            self._epochs,
            first_batch,
        )
        self._by_hand = LoopsByHand(
            guard, table, window, self._steps, rows, unwatched, reader, self.wake
        )
        self._backward = WatchedBackward(
            guard, table, window, reader, self._steps, self._by_hand, rows, values, self.finite
        )

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
        self._window.open()

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
        self._values.slopes.stop()
        self._hooks.remove()
        ACTIVE.discard(self)
        self._window.is_open = self.running = False
        self._ended = time.monotonic()
        self._calls.clear()
        self.passes.output = None
        self.table.forget_loop()
        self._reader.forget_outputs()
        for root in self.table.roots.values():
            self.safely("layers", root.probe.forget)
            root.kept.forget_waiting()

    @property
    def watching(self) -> bool:
        """Whether what follows is watched."""
        return self._window.is_open

    @property
    def functional(self) -> FunctionalUpdates:
        """Steps of a program that computes gradients as values."""
        return self._values.functional

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
            frameworks=(*self._backward.called_by, *distribution(list(self.table.roots.values()))),
            switched_off={
                part: f"the observer failed: {error}" for part, error in self.switched_off.items()
            },
            idle=self._backward.idle.found,
            shared=self._backward.idle.shared(self.table),
            left_out=self._backward.idle.left_out(self.table),
            idle_steps={
                model.name: self.safely("idle steps", self._steps.idle.found, model) or ((), 0)
                for model in self.models
            },
            inner=self._values.inner.idle,
            constant_gradients=self._values.slopes.constant,
            asks=bool(self.safely("copies", self._copies.asked, self.table)),
            repeated=self.random.repeated,
            copies=self.safely("copies", self._copies.found, self.table) or (),
            evaluated=self.safely("copies", self._evaluated.found, self.table) or {},
            unmatched=self._states.unmatched,
            loader_iterators=self._loaders.most,
            modules=len(self.table.roots),
            given=given,
        )

    def _part_failed(self, part: str) -> None:
        if part == "evaluation":
            self._blocks.release()

    @property
    def switched_off(self) -> dict[str, str]:
        """Parts that failed, with their error."""
        return self._guard.switched_off

    def _foreign(self) -> bool:
        """Whether an event is none of the observed program's training."""
        return torch.compiler.is_compiling() or self._elsewhere()

    def _elsewhere(self) -> bool:
        """The same for events that a compiler does not see."""
        return (
            QUIET.depth > 0
            or get_ident() != self._unwatched.thread
            or torch._C._get_tracing_state() is not None
        )

    # ---- steps

    def wake(self, account: OptimizerAccount) -> None:
        """Watch the next step; an optimizer has just stepped."""
        self.safely("steps", self._window.open)
        account.complete = True

    def backward_failed(self, error: Exception) -> None:
        """A backward pass of a step that is not watched raised an error."""
        self.safely("errors", self.caught.add, error)

    def backward(self, run: Callable[..., Any], tensors: Any, args: Any, kwargs: Any) -> Any:
        """See `Listener`."""
        if in_backward() or get_ident() != self.thread or QUIET.depth:
            return run(tensors, *args, **kwargs)
        self._evaluation.backward_begins()
        entry: BackwardPass | None = None
        held = False
        values: tuple[Any, Any, Any] = None, None, None
        if not kwargs.get("accumulate_grad", True):
            values = self._values.begin(tensors, args, self.watching)
        elif self.watching:
            entry = self.safely("gradients", self._backward.begin, tensors)
        else:
            held = self._before_unwatched(tensors)
        self._made.running = -1 if entry is None else entry.number
        try:
            result = run(tensors, *args, **kwargs)
            self.caught.error = None  # the training went on
        except Exception as error:
            self.safely("errors", self.caught.add, error)
            raise
        finally:
            self._made.running = -1
            if entry is not None:
                self.safely("gradients", self._backward.end, entry)
            if held:
                self.safely("values", self.finite.release, math.nan, "", self.table.steps)
        if result is not None:
            self._values.end(values, result)
        if self._after_step is not None and (self.table.loop is not None or values[1] is not None):
            self._after_step()
        return result

    def _before_unwatched(self, tensors: Any) -> bool:
        """Read a backward pass of a step that is not watched; returns whether values are held."""
        held = self._unwatched.read(tensors)
        if self.table.loop is not None:
            self.safely("steps", self._by_hand.count, self.table.loop)
        return held

    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """See `Listener`."""
        if self.watching and not self._foreign():
            self.safely("steps", self._steps.begin, optimizer)

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
            self.safely("steps", self._steps.end, optimizer)

    # ---- what the program states

    def state_epoch(self, row: dict[str, float], epoch: int) -> None:
        """Record what the program states at the end of an epoch."""
        self._evaluation.finish()
        self._epochs.state(row, epoch)

    def complete_rows(self) -> None:
        """Compute what rows still lack, before they are read."""
        self._rows.complete()

    @property
    def stated(self) -> list[tuple[float, dict[str, float]]]:
        """Losses and signals of the step that goes on, for more to be added."""
        return self._rows.stated

    def state_loaded(self, module: nn.Module, state: Mapping[str, Any], keys: Any) -> None:
        """A module was given a state."""
        if self.thread == get_ident():
            self.safely("states", self._states.loaded, module, state, keys)

    def loader_begins(self, loader: DataLoader[Any]) -> None:
        """See `Listener`."""
        if self.thread == get_ident():
            self.safely("loaders", self._loaders.made, loader)

    # ---- gradient scaler

    def loss_scales(self, scaler: Any) -> None:
        """See `Listener`."""
        if not self._foreign():
            self._hooks.of_steps = None
            self.safely("gradient scaler", self._reader.loss_scales, scaler)

    def gradients_unscale(self, scaler: Any, optimizer: torch.optim.Optimizer) -> None:
        """See `Listener`."""
        if self.watching and not self._foreign():
            self.safely("gradient scaler", self._steps.before_unscale, optimizer)

    # ---- modules and evaluations

    def module_begins(self, module: nn.Module) -> None:
        """See `Listener`."""
        if not in_backward() and not self._elsewhere():
            self._modules.begins(module)

    def module_ended(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """See `Listener`."""
        if self._calls.any and not in_backward() and not self._elsewhere():
            self._modules.ended(module, args, kwargs, output)

    def mode_set(self, module: nn.Module, was_training: bool) -> None:
        """See `Listener`."""
        if id(module) in self.table.roots and not in_backward() and not self._foreign():
            self._evaluation.mode_set(module, was_training)

    def gradients_off(self, place: object) -> None:
        """See `Listener`."""
        self._evaluation.gradients_off(place)

    def gradients_on(self) -> None:
        """See `Listener`."""
        self._evaluation.gradients_on()
