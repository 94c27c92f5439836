"""Backward passes that are watched, from before torch's engine runs until its gradients are
there."""

from __future__ import annotations

import math
from typing import Any

from netwise.observe.backward_reader import BackwardReader
from netwise.observe.finite_check import FiniteCheck
from netwise.observe.gradient_ledger import BackwardPass
from netwise.observe.gradient_values import GradientValues
from netwise.observe.guard import Guard
from netwise.observe.idle_passes import IdlePasses
from netwise.observe.loops_by_hand import LoopsByHand
from netwise.observe.model_table import ModelTable
from netwise.observe.nested import tensors_in
from netwise.observe.program_place import calling_frameworks, program_place
from netwise.observe.readable import readable
from netwise.observe.step_rows import StepRows
from netwise.observe.watched_steps import WatchedSteps
from netwise.observe.watched_window import WatchedWindow


class WatchedBackward:
    """Reads them, and adds them to the window.

    Args:
        guard: calls the parts of the observer.
        table: the modules and optimizers that are known.
        window: of watched steps.
        reader: of losses, graphs and gradients.
        steps: of optimizers, inside of which a pass may run.
        by_hand: loops without an optimizer.
        rows: of models.
        values: calls that give gradients as values.
        finite: looks for the first value that is not finite.
    """

    def __init__(
        self,
        guard: Guard,
        table: ModelTable,
        window: WatchedWindow,
        reader: BackwardReader,
        steps: WatchedSteps,
        by_hand: LoopsByHand,
        rows: StepRows,
        values: GradientValues,
        finite: FiniteCheck,
    ) -> None:
        self._safely, self._table, self._window, self._reader = guard.safely, table, window, reader
        self._steps, self._by_hand, self._rows = steps, by_hand, rows
        self._values, self._finite = values, finite
        self.idle = IdlePasses()
        self.called_by: tuple[str, ...] = ()  # frameworks whose code calls `backward`

    def begin(self, tensors: Any) -> BackwardPass | None:
        """A pass is about to run; None where it is not watched.

        Args:
            tensors: that `backward` is called on.
        """
        loss = next(tensors_in(tensors), None)
        if loss is None or loss.grad_fn is None or readable(loss) is None:
            return None
        self._rows.finish()
        place = program_place()
        if self._window.is_first and not self.called_by:
            self.called_by = calling_frameworks()
        self._safely("inner gradients", self._values.inner.backward, loss)
        number, in_step = self._window.passes.next, self._steps.running is not None
        entry = self._reader.before(loss, place, number, in_step)
        self._safely("input gradients", self._values.slopes.backward, loss, entry.reached)
        if entry.scale == 1:  # a gradient scaler finds its scale by values that are not finite
            finite, steps = self._finite, self._table.steps
            if loss.numel() == 1 and not math.isfinite(entry.value):
                self._safely("values", finite.loss, loss, entry.value, place, steps)
            self._safely("values", finite.watch_place, loss, place, self._table.weights())
            if finite.holds:
                self._safely("values", finite.hold, loss)
        if not self._table.accounts and self._by_hand.pass_begins(entry):
            return None
        return entry

    def end(self, entry: BackwardPass) -> None:
        """A pass has run, or has raised an error."""
        self._reader.after(entry)
        self._window.passes.add(entry)
        self._safely("idle passes", self.idle.add, entry, self._table)
        if self._finite.holds:
            steps = self._table.steps
            self._safely("values", self._finite.release, entry.value, entry.place, steps)
        if self._steps.running is not None:
            self._steps.running.passes_in_step += 1
