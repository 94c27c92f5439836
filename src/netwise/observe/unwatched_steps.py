"""Steps that are not watched: nearly all of a long run, so each may cost microseconds only.

Of an ordinary program, each backward pass leaves its loss here and each step of an optimizer is
counted, by one function each that calls no other. All else is left to the observer: it receives the
events itself while it watches, during an evaluation, and of programs that need more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import get_ident
from typing import Any, Protocol

import torch
from torch import Tensor

from netwise.observe.backward_reader import BackwardReader
from netwise.observe.caught_errors import CaughtErrors
from netwise.observe.finite_check import FiniteCheck
from netwise.observe.guard import Guard
from netwise.observe.model_table import ModelTable
from netwise.observe.nested import tensors_in
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import OptimizerAccount
from netwise.observe.program_place import program_place
from netwise.observe.torch_hooks import QUIET

_current_graph_task_id = torch._C._current_graph_task_id


class Awake(Protocol):
    """What takes over where an event is more than a step that is not watched."""

    caught: CaughtErrors

    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer has changed its weights."""

    def backward_failed(self, error: Exception) -> None:
        """A backward pass raised an error."""

    def wake(self, account: OptimizerAccount) -> None:
        """The next step is to be watched; an optimizer has just stepped."""


class UnwatchedSteps:
    """Counts steps, and adds up the losses that go into each, where these are in memory: a loss on
    another device would have to be waited for.

    Args:
        awake: takes over.
        table: the modules and optimizers that are known.
        guard: calls the parts of the observer.
        reader: knows the gradient scaler that has scaled a loss.
        finite: looks for the first value that is not finite.
        on_rows: called with a model that has a new loss; None: nobody takes it.
        reads: read losses.
    """

    def __init__(
        self,
        awake: Awake,
        table: ModelTable,
        guard: Guard,
        reader: BackwardReader,
        finite: FiniteCheck,
        on_rows: Callable[[ObservedModel], None] | None,
        reads: bool,
    ) -> None:
        self._awake, self._table, self._guard = awake, table, guard
        self._reader, self._finite, self._on_rows = reader, finite, on_rows
        self.reads = reads
        self.thread = 0  # whose events are recorded
        self.ticks, self.next_tick = 0, 0  # steps of all optimizers; when the next is watched
        self._sum, self.count = 0.0, 0  # of the backward passes since the last step

    # ---- ordinary programs

    @property
    def suffice(self) -> bool:
        """Whether `backward_begins` and `step_ended` are enough, up to the next watched step."""
        return (
            self._reader.scaler is None
            and self._table.loop is None
            and bool(self._table.accounts)
            and not self._finite.holds
        )

    def backward_begins(self, tensors: Any, kwargs: Mapping[str, Any]) -> None:
        """See `StepListener`."""
        if (
            not self.reads
            or get_ident() != self.thread
            or QUIET.depth
            or _current_graph_task_id() != -1  # inside of another backward pass
            or not kwargs.get("accumulate_grad", True)
        ):
            return
        try:
            loss = tensors[0]
            if type(loss) is Tensor and loss.is_cpu and not loss.dim():
                value = loss.item()
                self._sum += value
                self.count += 1
                if value - value:  # not a number for infinity too
                    self._guard.safely("values", self._not_finite, loss, value)
        except Exception as error:
            self._switch_off(error)

    def backward_failed(self, error: Exception) -> None:
        """See `StepListener`."""
        if get_ident() == self.thread and not QUIET.depth:
            self._awake.backward_failed(error)

    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """See `StepListener`."""
        account = self._table.accounts.get(id(optimizer))
        if (
            account is None
            or account.reference is None
            or account.reference() is not optimizer
            or QUIET.depth
            or get_ident() != self.thread
        ):
            self._awake.step_ended(optimizer)
            return
        try:
            if self.count:
                if self._on_rows is None:
                    account.losses.waiting.append((account.steps, self._sum * account.normaliser))
                    self._sum, self.count = 0.0, 0
                else:
                    self.add_to(account)
            self._awake.caught.error = None  # the training went on
            self.ticks += 1
            account.steps += 1
            account.last_tick = self.ticks
            rate = optimizer.param_groups[0].get("lr")
            if rate is not account.rate and type(rate) is float:
                account.note_rate(rate)
            if self.ticks >= self.next_tick:
                self._awake.wake(account)
        except Exception as error:
            self._guard.switch_off("steps", error)

    # ---- other programs

    def read(self, tensors: Any) -> bool:
        """Add the loss of a backward pass that is about to run; returns whether values are held, to
        find a gradient that is not finite.

        Args:
            tensors: that `backward` is called on.
        """
        try:
            return self.reads and self._read(tensors)
        except Exception as error:
            self._switch_off(error)
            return False

    def _read(self, tensors: Any) -> bool:
        loss = tensors[0] if type(tensors) is tuple else next(tensors_in(tensors), None)
        if self._reader.scaler is not None:
            self._reader.take_scaler()
        elif type(loss) is Tensor and loss.is_cpu and not loss.dim():
            value = loss.item()
            self._sum += value
            self.count += 1
            if value - value:
                self._guard.safely("values", self._not_finite, loss, value)
            elif self._finite.holds:
                self._guard.safely("values", self._finite.hold, loss)
                return True
        return False

    def _switch_off(self, error: Exception) -> None:
        self.reads = False
        self._guard.switch_off("losses of unwatched steps", error)

    def _not_finite(self, loss: Tensor, value: float) -> None:
        self._finite.loss(loss, value, program_place(), self._table.steps)

    def set(self, value: float) -> None:
        """The step that has just begun has this loss so far."""
        self._sum, self.count = value, 1

    def forget(self) -> None:
        """Forget the losses of a step that is recorded otherwise."""
        self._sum, self.count = 0.0, 0

    def add_to(self, account: OptimizerAccount) -> None:
        """Record the loss of a step that has been taken."""
        if self.count:
            is_new = account.losses.add(account.steps, self._sum * account.normaliser)
            self._sum, self.count = 0.0, 0
            if is_new and self._on_rows is not None:
                model = self._table.model_known(account)
                if model is not None:
                    self._on_rows(model)
