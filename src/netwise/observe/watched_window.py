"""The window of watched steps: when it opens and closes, and what torch is asked for in it.

A window is opened after a step and closed after the next one of each optimizer;
`netwise.observe.sampling` decides when. In it hooks of modules and of beginning steps are
registered. Between windows `netwise.observe.unwatched_steps` receives the events of each step.
"""

from __future__ import annotations

from netwise.observe.backward_reader import BackwardReader
from netwise.observe.evaluation_blocks import EvaluationBlocks
from netwise.observe.made_samples import MadeSamples
from netwise.observe.model_table import ModelTable
from netwise.observe.module_calls import ModuleCalls
from netwise.observe.observed_parts import OptimizerAccount, PassNumbers
from netwise.observe.sampling import Sampling
from netwise.observe.step_rows import StepRows
from netwise.observe.torch_hooks import TorchHooks
from netwise.observe.unwatched_steps import UnwatchedSteps

LONGEST_WINDOW = 64  # optimizer steps that one window may last


class WatchedWindow:
    """Opens and closes, and holds the backward passes that were watched since it was opened.

    Args:
        hooks: of torch.
        sampling: the distance between watched steps.
        table: the modules and optimizers that are known.
        calls: the running calls of modules.
        made, reader, rows: to be finished when it closes.
        blocks: evaluations, which need the hooks too.
        unwatched: receives steps while it is closed.
        hands_over: it may receive them in the observer's place.
    """

    def __init__(
        self,
        hooks: TorchHooks,
        sampling: Sampling,
        table: ModelTable,
        calls: ModuleCalls,
        made: MadeSamples,
        reader: BackwardReader,
        rows: StepRows,
        blocks: EvaluationBlocks,
        unwatched: UnwatchedSteps,
        hands_over: bool,
    ) -> None:
        self._hooks, self._sampling, self._table, self._calls = hooks, sampling, table, calls
        self._made, self._reader, self._rows, self._blocks = made, reader, rows, blocks
        self._unwatched, self._hands_over = unwatched, hands_over
        self.is_open = False
        self.is_first = True
        self.passes = PassNumbers()
        self._ticks = 0  # steps of all optimizers in it

    def open(self) -> None:
        """Watch what follows."""
        self.is_open, self._ticks = True, 0
        self._hooks.of_steps = None
        self.passes.clear()
        for account in self._table.all_accounts:
            account.since = self.passes.next
            account.whole_steps = 0
        for root in self._table.roots.values():
            root.new_row()
        self._hooks.listen_to_modules(True)

    def _close(self) -> None:
        self.is_open = self.is_first = False
        self.passes.clear()
        self._made.forget()
        self._reader.forget_outputs()
        self.rest()
        for account in self._table.all_accounts:
            account.complete = False
        for root in self._table.roots.values():
            root.first_inputs = None  # of a module that no optimizer updates

    def rest(self) -> None:
        """Hear of modules no more, where nothing is watched; and of steps only what is needed."""
        if self.is_open or self._blocks.open or self._blocks.lasts:
            return
        self._hooks.listen_to_modules(False)
        self._calls.clear()
        if self._hands_over and self._unwatched.suffice:
            self._hooks.of_steps = self._unwatched

    def step_recorded(self, account: OptimizerAccount) -> None:
        """Close the window once each optimizer that still steps has a whole step in it."""
        self._ticks += 1
        active = self._table.active(self._unwatched.ticks) or [account]
        if self._ticks < LONGEST_WINDOW and not all(a.whole_steps for a in active):
            return
        distance = self._sampling.distance(min(a.steps for a in active))
        if distance <= 1:
            self._ticks = 0
            for each in active:
                each.whole_steps = 0
            return
        self._rows.finish()
        # The window opens after the step before the watched one.
        self._unwatched.next_tick = self._unwatched.ticks + (distance - 1) * len(active)
        self._close()
