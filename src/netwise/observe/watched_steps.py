"""Steps that are watched: of torch's optimizers, and of loops that update weights by hand."""

from __future__ import annotations

import torch

from netwise.observe.gradient_ledger import BackwardPass, account as account_of, gradient_norms
from netwise.observe.gradient_values import GradientValues
from netwise.observe.guard import Guard
from netwise.observe.idle_steps import IdleSteps
from netwise.observe.kept_states import kept_optimizer
from netwise.observe.model_table import ModelTable
from netwise.observe.observed_parts import OptimizerAccount
from netwise.observe.random_states import RandomStates
from netwise.observe.stated_epochs import StatedEpochs
from netwise.observe.step_rows import StepRows
from netwise.observe.training_passes import TrainingPasses
from netwise.observe.unwatched_steps import UnwatchedSteps
from netwise.observe.watched_window import WatchedWindow


class WatchedSteps:
    """Reads a step as it begins and ends, and records it in its model.

    Args:
        guard: calls the parts of the observer.
        table: the modules and optimizers that are known.
        window: of watched steps.
        rows: of models.
        unwatched: counts all steps.
        passes: of training; its output is compared with stated targets up to the step.
        values: calls that give gradients as values.
        random: states of random generators.
        epochs: that the program stated before its first step.
        asks_first_batch: ask copies of each module before the first step.
    """

    def __init__(
        self,
        guard: Guard,
        table: ModelTable,
        window: WatchedWindow,
        rows: StepRows,
        unwatched: UnwatchedSteps,
        passes: TrainingPasses,
        values: GradientValues,
        random: RandomStates,
        epochs: StatedEpochs,
        asks_first_batch: bool,
    ) -> None:
        self._safely, self._table, self._window, self._rows = guard.safely, table, window, rows
        self._unwatched, self._passes, self._values = unwatched, passes, values
        self._random, self._epochs, self._asks_first_batch = random, epochs, asks_first_batch
        self.idle = IdleSteps()
        self.running: OptimizerAccount | None = None  # of the optimizer that is inside of its step

    def begin(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer is about to change its weights."""
        table = self._table
        account = self._account(optimizer)
        model = table.model_known(account)
        if model is not None and model.waiting and id(account) in model.pending:
            self._rows.finish_row(model)
        account.read_groups()
        account.at_step = gradient_norms(account.chosen())
        account.passes_in_step = 0
        if self._asks_first_batch:
            passes = self._window.passes.since(account.since)
            self._safely("first batch", table.ask_first_batch, account, passes)
        self.running = account
        loose = table.loose_root(account)
        if loose is not None:
            loose.trained, loose.passes = True, loose.passes + 1
        for root in table.roots.values():
            stray = model is not None and root in model.roots
            if not root.stepping and (stray or account.ids & root.parameters.keys()):
                root.stepping = True
                self._safely("layers", root.probe.step_begins)

    def _account(self, optimizer: torch.optim.Optimizer) -> OptimizerAccount:
        account = self._table.known_account(optimizer)
        if account is not None:
            return account
        self._values.functional.forget()
        complete = self._window.is_first and self._window.is_open
        account = self._table.new_account(optimizer, complete)
        passes = self._window.passes
        # What another optimizer of the same weights has used for its steps is not of this one.
        others = self._table.accounts.values()
        used = max((a.since for a in others if a is not account and a.ids & account.ids), default=0)
        after = passes.first_of(account.ids, used)
        account.since = (passes.first_of(account.ids) or 0) if after is None else after
        account.start = self._safely("trials", kept_optimizer, optimizer)
        return account

    def end(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer has changed its weights."""
        account = self._account(optimizer)
        self.running = None
        if not self._window.is_open:  # an optimizer that was not known
            account.steps += 1
            account.last_tick = self._unwatched.ticks
            self._window.open()
            account.complete = True
            return
        account.read_rates()
        passes = self._window.passes.since(account.since)
        if account.passes_in_step:  # a closure: gradients were computed inside of the step
            account.at_step = gradient_norms(account.chosen())
        self.record(account, passes, [id(p) for p in account.chosen()])

    def before_unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """A gradient scaler is about to divide the gradients of an optimizer by its scale."""
        account = self._table.known_account(optimizer)
        if account is not None:
            account.before_unscale(self._window.passes.since(account.since))

    def record(
        self, account: OptimizerAccount, passes: list[BackwardPass], weights: list[int]
    ) -> None:
        """Record a step that has just been done, and close the window if it was the last.

        Args:
            account: of its optimizer, or of a loop without one.
            passes: backward passes since the step before.
            weights: ids of the parameters whose gradients were compared.
        """
        self._values.inner.step_ends()
        self._values.slopes.stop()
        self._safely("random numbers", self._random.step_ends)
        account.row = account_of(passes, weights, account.at_step)
        account.counted = {each.number for each in account.row.counted}
        model = self._table.model_of(account)
        if model is None or not any(root.trained for root in model.roots):
            model = self._table.stray_model(account, passes) or model
        account.steps += 1
        account.last_tick = self._unwatched.ticks
        self._unwatched.forget()
        self._safely("idle steps", self.idle.add, account, passes, self._table)
        if model is not None:
            self._epochs.state_early()
            self._rows.note(model, account, passes)
            self._passes.output = None
        account.whole_steps += account.complete
        account.since, account.passes_in_step = self._window.passes.next, 0
        account.complete = True
        self._window.step_recorded(account)
