"""Losses of steps that are not watched."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor

from netwise.observe.backward_reader import BackwardReader
from netwise.observe.finite_check import FiniteCheck
from netwise.observe.guard import Guard
from netwise.observe.model_table import ModelTable
from netwise.observe.nested import tensors_in
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import OptimizerAccount
from netwise.observe.program_place import program_place


class UnwatchedLosses:
    """Adds up the losses that go into a step, where these are in memory: a loss on another device
    would have to be waited for.

    Args:
        table: the modules and optimizers that are known.
        guard: calls the parts of the observer.
        reader: knows the gradient scaler that has scaled a loss.
        finite: looks for the first value that is not finite.
        on_rows: called with a model that has a new loss; None: nobody takes it.
    """

    def __init__(
        self,
        table: ModelTable,
        guard: Guard,
        reader: BackwardReader,
        finite: FiniteCheck,
        on_rows: Callable[[ObservedModel], None] | None,
    ) -> None:
        self._table, self._guard, self._reader, self._finite = table, guard, reader, finite
        self._on_rows = on_rows
        self._sum, self.count = 0.0, 0  # of the backward passes since the last step

    def read(self, tensors: Any, steps: Callable[[], int]) -> bool:
        """Add the loss of a backward pass that is about to run; returns whether values are held, to
        find a gradient that is not finite.

        Args:
            tensors: that `backward` is called on.
            steps: gives the number of steps that have been taken.
        """
        loss = tensors[0] if type(tensors) is tuple else next(tensors_in(tensors), None)
        if self._reader.scaler is not None:
            self._reader.take_scaler()
        elif type(loss) is Tensor and loss.is_cpu and not loss.dim():
            value = loss.item()
            self._sum += value
            self.count += 1
            if not -math.inf < value < math.inf:
                self._guard.safely("values", self._not_finite, loss, value, steps)
            elif self._finite.holds:
                self._guard.safely("values", self._finite.hold, loss)
                return True
        return False

    def _not_finite(self, loss: Tensor, value: float, steps: Callable[[], int]) -> None:
        self._finite.loss(loss, value, program_place(), steps())

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
