"""Loops without a torch optimizer, which update weights by hand: where one of their steps ends."""

from __future__ import annotations

from collections.abc import Callable

from netwise.observe.backward_reader import BackwardReader
from netwise.observe.gradient_ledger import BackwardPass
from netwise.observe.guard import Guard
from netwise.observe.model_table import ModelTable
from netwise.observe.observed_parts import OptimizerAccount
from netwise.observe.program_place import names_of_tensors
from netwise.observe.step_rows import StepRows
from netwise.observe.unwatched_steps import UnwatchedSteps
from netwise.observe.watched_steps import WatchedSteps
from netwise.observe.watched_window import WatchedWindow

WITHOUT_STEP = 8  # backward passes without any optimizer step, each of which is then a step


class LoopsByHand:
    """Finds their steps by their backward passes.

    Args:
        guard: calls the parts of the observer.
        table: the modules and optimizers that are known.
        window: of watched steps.
        steps: records them.
        rows: knows the losses that were stated.
        unwatched: counts all steps.
        reader: knows what the last loss reaches.
        wake: opens the window after a step.
    """

    def __init__(
        self,
        guard: Guard,
        table: ModelTable,
        window: WatchedWindow,
        steps: WatchedSteps,
        rows: StepRows,
        unwatched: UnwatchedSteps,
        reader: BackwardReader,
        wake: Callable[[OptimizerAccount], None],
    ) -> None:
        self._guard, self._table, self._window, self._steps = guard, table, window, steps
        self._rows, self._unwatched, self._reader, self._wake = rows, unwatched, reader, wake

    def pass_begins(self, entry: BackwardPass) -> bool:
        """A watched backward pass begins, and no optimizer is known. Returns whether the step
        before it ends with it and closes the window: then the pass is not watched."""
        self._guard.safely("loop", self._note_loose)
        if self._table.accounts or not self._ends_step(entry):
            return False
        self._unwatched.set(entry.value)
        self.count(self._table.new_loop())
        return True

    def _ends_step(self, entry: BackwardPass) -> bool:
        """Close a step before a backward pass, where no torch optimizer is seen to step: the last
        gradients were set to zero, the loss of the step was stated, or backward passes go on and
        on. Returns whether the window was closed with it."""
        loop = self._table.loop
        passes = self._window.passes.since(0 if loop is None else loop.since)
        if not passes:
            return False
        ends = passes[-1].ends
        cleared = any(end and not entry.begins.get(key) for key, end in ends.items())
        if not cleared and not self._rows.stated and len(passes) < WITHOUT_STEP:
            return False
        loop = self._table.new_loop()
        loop.ids |= {key for each in passes for key in each.reached}
        loop.at_step = ends
        self._unwatched.ticks += 1
        self._steps.record(loop, passes, list(ends))
        entry.number = self._window.passes.next
        return not self._window.is_open

    def _note_loose(self) -> None:
        """Let a module stand for tensors that are updated by hand and belong to none."""
        table = self._table
        if "modules" in self._guard.switched_off:  # the tensors may well belong to one
            return
        if any(not root.is_loose for root in table.roots.values()):
            return
        names = {} if table.roots else names_of_tensors()
        loose = table.loose_root_of_loop(self._reader.leaves, names)
        if loose is not None:
            loose.trained, loose.passes = True, loose.passes + 1

    def count(self, loop: OptimizerAccount) -> None:
        """A backward pass of such a loop, on a step that is not watched."""
        unwatched = self._unwatched
        unwatched.ticks += 1
        unwatched.add_to(loop)
        loop.steps += 1
        loop.last_tick = unwatched.ticks
        if unwatched.ticks >= unwatched.next_tick:
            self._wake(loop)
