"""What a program states at the end of its epochs."""

from __future__ import annotations

from netwise import signals
from netwise.observe.evaluation_blocks import EvaluationBlocks
from netwise.observe.model_table import ModelTable
from netwise.observe.step_rows import StepRows


class StatedEpochs:
    """Records it in the main model; before there is one it waits.

    Args:
        table: the modules and optimizers that are known.
        rows: of models.
        blocks: evaluations, whose scores are left out where the program states its own.
    """

    def __init__(self, table: ModelTable, rows: StepRows, blocks: EvaluationBlocks) -> None:
        self._table, self._rows, self._blocks = table, rows, blocks
        self._early: list[tuple[dict[str, float], int]] = []  # before the first step

    def state(self, row: dict[str, float], epoch: int) -> None:
        """Record the signals of an epoch that has ended."""
        model = self._table.main_model()
        if model is None:
            self._early.append((row, epoch))
            return
        if row and not self._blocks.scores_are_stated:
            self._blocks.scores_are_stated = True
            for each in self._table.models:
                each.drop_observed_scores()
        self._rows.finish()
        phases = model.phases
        if phases and phases[-1].rate is not None:
            row = {**row, signals.RATE: phases[-1].rate}
        model.add_event({"epoch": epoch, **row})
        self._rows.changed(model)

    def state_early(self) -> None:
        """Record the epochs that waited: there is a model."""
        early, self._early = self._early, []
        for row, epoch in early:
            self.state(row, epoch)
