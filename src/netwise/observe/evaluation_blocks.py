"""Blocks of a program without gradients: its evaluations, and passes that belong to a training
step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netwise import signals
from netwise.observe.evaluation_losses import EvaluationLosses
from netwise.observe.model_table import ModelTable
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import Root

EMPTY_BLOCKS = 3  # blocks without a forward pass, after which such a block is ignored


class EvaluationBlocks:
    """Records what modules compute inside of `torch.no_grad()` and its like.

    Code whose blocks contain no forward pass, such as the clipping of gradients, is ignored after
    three of them.

    Args:
        table: the modules and optimizers that are known.
        on_rows: called with a model that has new rows.
    """

    def __init__(self, table: ModelTable, on_rows: Callable[[ObservedModel], None]) -> None:
        self._table, self._on_rows = table, on_rows
        self._losses = EvaluationLosses()
        self._empty: dict[object, int] = {}  # blocks without a forward pass in a row
        self._place: object | None = None
        self._roots: set[Root] = set()
        self.scores_are_stated = False  # the program states its losses itself

    @property
    def open(self) -> bool:
        """Whether the program is inside of a block that is observed."""
        return self._place is not None

    def ignores(self, place: object) -> bool:
        """Whether blocks of this code are ignored."""
        return self._empty.get(place, 0) >= EMPTY_BLOCKS

    def begin(self, place: object) -> None:
        """A block begins."""
        self._place, self._roots = place, set()
        for model in self._table.models:
            for root in model.roots:
                self._set_training_loss(model, root)
        self._losses.start()

    def _set_training_loss(self, model: ObservedModel, root: Root) -> None:
        terms = [t for site in model.sites.values() for t in site.terms if t.operation]
        if terms and not terms[0].penalty:
            self._losses.trained_with(terms[0].operation, terms[0].reduction, id(root))
        account = model.accounts[0] if model.accounts else None
        if account is not None and account.steps:
            root.evaluation.watched_share = min(1.0, model.cycles / account.steps)

    def pass_ended(self, root: Root, inputs: list[Any], output: Any) -> None:
        """A module has computed outputs without gradients."""
        self._roots.add(root)
        root.evaluation.evaluation_pass(inputs, output)
        self._losses.pass_ends(id(root), root.evaluation.on_training_rows)

    def end(self) -> None:
        """The block ends."""
        place, self._place = self._place, None
        self._losses.stop()
        if not self._roots:
            self._empty[place] = self._empty.get(place, 0) + 1
            return
        self._empty[place] = 0
        for model in self._table.models:
            self._record(model)

    def _record(self, model: ObservedModel) -> None:
        row: dict[str, float] = {}
        scores: dict[str, float] = {}
        for root in model.roots:
            if root in self._roots:
                row.update(root.evaluation.window_ends())
                scores.update(self._losses.window_ends(id(root)))
        if not row and not scores:
            return
        # Without a loss or a score it may be a part of the training step, such as the pass of a
        # target network.
        certain = bool(scores)
        if not self.scores_are_stated:
            row.update(scores)
            account = model.accounts[0] if model.accounts else None
            if account is not None and signals.VALID_LOSS in row:
                mean = account.losses.take_mean()
                if mean is not None:
                    row.setdefault(signals.TRAIN_LOSS, mean)
        model.add_evaluation(row, certain)
        self._on_rows(model)
