"""Calls of modules, which are heard in watched steps and in blocks without gradients."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import nn

from netwise.observe.caught_errors import CaughtErrors
from netwise.observe.evaluated_modules import EvaluatedModules
from netwise.observe.evaluation_blocks import EvaluationBlocks
from netwise.observe.evaluation_events import EvaluationEvents
from netwise.observe.functional_updates import FunctionalUpdates
from netwise.observe.guard import Guard
from netwise.observe.model_table import ModelTable
from netwise.observe.module_calls import ModuleCalls
from netwise.observe.nested import tensors_in
from netwise.observe.step_rows import StepRows
from netwise.observe.still_copies import StillCopies
from netwise.observe.training_passes import TrainingPasses
from netwise.observe.unwatched_steps import UnwatchedSteps
from netwise.observe.watched_window import WatchedWindow


class CalledModules:
    """Reads a call as one of training or of an evaluation.

    Args:
        guard: calls the parts of the observer.
        table: the modules and optimizers that are known.
        calls: the running calls.
        window: of watched steps.
        rows: of models, which are finished before a pass of training.
        passes: of training.
        blocks, evaluation: of evaluations.
        copies: modules that are called and stay as trained ones were.
        evaluated: modules that are evaluated.
        caught: errors that the program catches.
        unwatched, functional: count steps.
    """

    def __init__(
        self,
        guard: Guard,
        table: ModelTable,
        calls: ModuleCalls,
        window: WatchedWindow,
        rows: StepRows,
        passes: TrainingPasses,
        blocks: EvaluationBlocks,
        evaluation: EvaluationEvents,
        copies: StillCopies,
        evaluated: EvaluatedModules,
        caught: CaughtErrors,
        unwatched: UnwatchedSteps,
        functional: FunctionalUpdates,
    ) -> None:
        self._safely, self._table, self._calls = guard.safely, table, calls
        self._window, self._rows, self._passes = window, rows, passes
        self._blocks, self._evaluation = blocks, evaluation
        self._copies, self._evaluated = copies, evaluated
        self._caught, self._unwatched, self._functional = caught, unwatched, functional

    def begins(self, module: nn.Module) -> None:
        """A module is called."""
        if not self._calls.begin_part(module):
            self._safely("modules", self._begins, module, torch.is_grad_enabled())

    def _begins(self, module: nn.Module, with_gradients: bool) -> None:
        root = self._calls.begin(module)
        if root is None:
            return
        if self._blocks.by_mode and not module.training and self._evaluation.running is None:
            self._evaluation.running, with_gradients = root, False
        if not with_gradients:
            if self._blocks.open:
                self._safely("evaluation", self._blocks.pass_begins)
            return
        self._evaluation.finish()
        if self._window.is_open:
            self._rows.finish()
            self._passes.begin(root)
            self._safely("copies", self._copies.pass_begins, root)

    def ended(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """A module has returned; its output is None after an exception."""
        grad = (
            torch.is_grad_enabled()
            and not torch.is_inference_mode_enabled()
            and self._evaluation.running is None
        )
        is_norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
        if not grad and not is_norm and self._calls.end_part(module):
            return
        self._safely("modules", self._ended, module, args, kwargs, output, grad)

    @property
    def _trains(self) -> bool:
        """Whether a training step was seen."""
        return self._unwatched.ticks > 0 or self._functional.steps > 0

    def _ended(
        self, module: nn.Module, args: Any, kwargs: Any, output: Any, with_gradients: bool
    ) -> None:
        is_root, root = self._calls.end(module)
        if is_root and root is self._evaluation.running:
            self._evaluation.running = None
        if output is None and with_gradients and not self._trains and not self._calls.any:
            self._safely("errors", self._caught.add, sys.exception())
        if output is None or root is None:  # after an exception there is no output
            return
        if with_gradients and self._window.is_open:
            self._passes.part_ended(root, module, args, kwargs, output)
        elif not with_gradients and isinstance(module, nn.modules.batchnorm._BatchNorm):
            first = next(tensors_in(args), None)
            if first is not None:
                self._safely("evaluation", root.evaluation.norm_called, module, first)
        if is_root:
            steps = self._table.steps
            self._safely("copies", self._copies.called, root, steps)
            if self._window.is_open:
                self._passes.ended(root, args, kwargs, output, steps, with_gradients)
            if not with_gradients and self._blocks.open:
                self._safely("copies", self._evaluated.evaluated, root, self._table)
                inputs = list(tensors_in((args, kwargs)))
                self._safely("evaluation", self._blocks.pass_ended, root, inputs, output)
                self._safely("kept batches", self._blocks.keep, root, args, kwargs, output, steps)
