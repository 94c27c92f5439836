"""The rows of trained models: a watched step is noted, and its row finished before the next one."""

from __future__ import annotations

from collections.abc import Callable

from netwise.observe.gradient_ledger import BackwardPass
from netwise.observe.guard import Guard
from netwise.observe.made_samples import MadeSamples
from netwise.observe.model_table import ModelTable
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import OptimizerAccount


class StepRows:
    """Notes watched steps in their models.

    Args:
        table: the modules and optimizers that are known.
        guard: calls the parts of the observer.
        made: outputs of one module that are inputs of another.
        on_rows: called with a model that has new rows; None: nobody takes them.
    """

    def __init__(
        self,
        table: ModelTable,
        guard: Guard,
        made: MadeSamples,
        on_rows: Callable[[ObservedModel], None] | None,
    ) -> None:
        self._table, self._safely, self._made = table, guard.safely, made
        self._on_rows = on_rows
        self.stated: list[tuple[float, dict[str, float]]] = []  # losses and signals of the step

    def note(
        self, model: ObservedModel, account: OptimizerAccount, passes: list[BackwardPass]
    ) -> None:
        """Add a step that has just been done to a model."""
        model.stated_losses = [loss for loss, _ in self.stated]
        for _, row in self.stated:
            model.stated_signals.update(row)
        self.stated = []
        loss = model.step_loss(account)
        if loss is not None:
            account.losses.add(account.steps - 1, loss)
            if account.steps == 1:
                account.first_loss = loss
        ids = {key for root in model.roots for key in root.parameters}
        own = [each for each in passes if each.reached & ids or each.opaque]
        model.note_passes(own)
        model.passes_seen += len(passes)
        self._table.read_weights(model)
        if model.trainable & model.owned - model.reached:
            model.note_gradients()
            for root in model.roots:
                model.note_cut(root.calls)
        self._table.note_opponents(model, account, own)
        self._safely("made samples", self._made.step, model.roots, account.counted)
        for root in model.roots:
            self._safely("pair forces", root.forces.step)
        model.cycles += 1
        model.pending.add(id(account))
        model.waiting = True
        if model.cycles > 1 and len(model.pending) >= len(model.accounts):
            self.finish_row(model)

    def finish(self) -> None:
        """Finish the rows of models whose step is done, before anything new begins."""
        for model in self._table.models:
            if model.waiting:
                self.finish_row(model)

    def finish_row(self, model: ObservedModel) -> None:
        """Finish the row of a model whose step is done."""
        self._safely("rows", model.finish_row)
        self.changed(model)

    def changed(self, model: ObservedModel) -> None:
        """A model has new rows."""
        if self._on_rows is None:
            model.drop_new_rows()
        else:
            self._safely("rows", model.complete_rows)
            self._on_rows(model)

    def complete(self) -> None:
        """Compute what rows still lack, before they are read."""
        for model in self._table.models:
            self._safely("rows", model.complete_rows)
