"""Where blocks without gradients, or in evaluation mode, begin and end."""

from __future__ import annotations

from threading import get_ident

import torch
from torch import nn

from netwise.observe.evaluation_blocks import MODE, EvaluationBlocks
from netwise.observe.guard import Guard
from netwise.observe.model_table import ModelTable
from netwise.observe.observed_parts import Root
from netwise.observe.random_states import RandomStates
from netwise.observe.step_rows import StepRows
from netwise.observe.torch_hooks import TorchHooks, in_backward
from netwise.observe.unwatched_steps import UnwatchedSteps
from netwise.observe.watched_window import WatchedWindow


class EvaluationEvents:
    """Opens and closes blocks of evaluations by the events of the program.

    Args:
        guard: calls the parts of the observer.
        hooks: of torch; those of modules are needed in blocks.
        table: the modules and optimizers that are known.
        window: of watched steps.
        rows: of models, which are finished before a block.
        blocks: what is recorded in them.
        unwatched: knows the thread that is recorded.
        random: states of random generators.
    """

    def __init__(
        self,
        guard: Guard,
        hooks: TorchHooks,
        table: ModelTable,
        window: WatchedWindow,
        rows: StepRows,
        blocks: EvaluationBlocks,
        unwatched: UnwatchedSteps,
        random: RandomStates,
    ) -> None:
        self._guard, self._safely = guard, guard.safely
        self._hooks, self._table, self._window, self._rows = hooks, table, window, rows
        self._blocks, self._unwatched, self._random = blocks, unwatched, random
        self.running: Root | None = None  # a module that runs in a block of evaluation mode

    def mode_set(self, module: nn.Module, was_training: bool) -> None:
        """A module and its parts were put into training or evaluation mode."""
        root = self._table.roots.get(id(module))
        if root is None or root.module is not module:
            return
        if module.training:
            root.resumed += not was_training
            self.end_mode()
        elif root.resumed and not self._blocks.open and not self._blocks.ignores(MODE):
            # A program that has gone back to training mode before will do so again.
            self._safely("evaluation", self._begin, MODE)

    def gradients_off(self, place: object) -> None:
        """See `Listener`."""
        if in_backward() or get_ident() != self._unwatched.thread:
            return
        self.end_mode()
        if self._blocks.open or self._blocks.ignores(place) or torch.compiler.is_compiling():
            return
        self._safely("evaluation", self._begin, place)

    def gradients_on(self) -> None:
        """See `Listener`."""
        is_open = self._blocks.open and not self._blocks.by_mode
        if is_open and get_ident() == self._unwatched.thread and not in_backward():
            self._safely("evaluation", self._end)

    def backward_begins(self) -> None:
        """A backward pass begins: the program trains."""
        if self._blocks.by_mode:
            self._safely("evaluation", self._end)
            self._blocks.contradicted()
        self.finish()

    def end_mode(self) -> None:
        """End a block that is one of evaluation mode alone."""
        if self._blocks.by_mode:
            self._safely("evaluation", self._end)

    def finish(self) -> None:
        """Record an evaluation whose last block is over."""
        if self._blocks.lasts:
            self._safely("evaluation", self._blocks.finish)
            self._safely("random numbers", self._random.training_goes_on, self._table.steps)
            self._safely("evaluation", self._forget_modules)

    def _begin(self, place: object) -> None:
        self._rows.finish()
        self._hooks.listen_to_modules(True)
        self._hooks.of_steps = None
        self._blocks.begin(place)

    def _end(self) -> None:
        self.running = None
        self._blocks.end()
        if not self._blocks.lasts:
            self._forget_modules()

    def _forget_modules(self) -> None:
        if self._blocks.losses.error:
            self._guard.switched_off.setdefault("evaluation losses", self._blocks.losses.error)
        self._window.rest()
