"""Blocks of a program without gradients, or in evaluation mode: its evaluations, and passes that
belong to a training step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netwise import signals
from netwise.observe.evaluation_losses import EvaluationLosses
from netwise.observe.model_table import ModelTable
from netwise.observe.nested import tensors_in
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import Root

MODE = "evaluation mode"  # place of a block that a program begins with `eval()` alone
EMPTY_BLOCKS = 3  # blocks without a forward pass, after which such a block is ignored


class EvaluationBlocks:
    """Records what modules compute inside of `torch.no_grad()` and its like, or from `eval()` to
    `train()` with gradients that nobody asks for.

    An evaluation lasts from the first such pass to the next pass with gradients: it may be of many
    blocks, and its losses may be computed after them. Code whose blocks contain no forward pass,
    such as the clipping of gradients, is ignored after three of them.

    Args:
        table: the modules and optimizers that are known.
        on_rows: called with a model that has new rows.
    """

    def __init__(self, table: ModelTable, on_rows: Callable[[ObservedModel], None]) -> None:
        self._table, self._on_rows = table, on_rows
        self.losses = EvaluationLosses()
        self.number = 0  # blocks that have begun
        self._empty: dict[object, int] = {}  # blocks without a forward pass in a row
        self._place: object | None = None
        self._has_pass = False  # in this block
        self._roots: set[Root] = set()  # of the evaluation
        self.scores_are_stated = False  # the program states its losses itself

    @property
    def open(self) -> bool:
        """Whether the program is inside of a block that is observed."""
        return self._place is not None

    @property
    def by_mode(self) -> bool:
        """Whether this block is one of evaluation mode alone."""
        return self._place == MODE

    @property
    def lasts(self) -> bool:
        """Whether an evaluation goes on after its block."""
        return self._place is None and bool(self._roots)

    def ignores(self, place: object) -> bool:
        """Whether blocks of this code are ignored."""
        return self._empty.get(place, 0) >= EMPTY_BLOCKS

    def begin(self, place: object) -> None:
        """A block begins."""
        self._place, self._has_pass = place, False
        self.losses.takes_gradients = self.by_mode
        self.number += 1
        if not self._roots:
            for model in self._table.models:
                for root in model.roots:
                    self._set_training_loss(model, root)
        self.losses.start()

    def _set_training_loss(self, model: ObservedModel, root: Root) -> None:
        sites = [(t, site) for site in model.sites.values() for t in site.terms if not t.penalty]
        known = [(term, site) for term, site in sites if term.operation]
        if known or (sites and sites[0][1].formula):
            term, site = (known or sites)[0]
            self.losses.trained_with(
                term.operation,
                term.reduction,
                id(root),
                site.formula_of_mean,
                of_outputs=len(known) == 1 and term.output_low is None and term.output_high is None,
            )
        if model.steps:
            read = root.evaluation.training_passes
            root.evaluation.watched_share = min(1.0, read / model.steps)

    def pass_begins(self) -> None:
        """A module computes outputs without gradients. Losses are not looked for inside of it: that
        would cost at each of its operations, and compile it again."""
        self.losses.stop()

    def pass_ended(self, root: Root, inputs: list[Any], output: Any) -> None:
        """A module has computed outputs without gradients."""
        self._roots.add(root)
        self._has_pass = True
        root.evaluation.evaluation_pass(inputs, output)
        rows = next((len(t) for t in inputs if t.dim()), 1)
        self.losses.pass_ends(id(root), root.evaluation.on_training_rows, output, rows)
        self.losses.start()

    def keep(self, root: Root, args: Any, kwargs: Any, output: Any, steps: int) -> None:
        """Keep the batch of a pass without gradients, with its answers."""
        known = root.evaluation.on_training_rows
        if root.evaluates_anew and not known:
            root.evaluated.clear()
            root.evaluates_anew = False
        answers = None if known else root.evaluated
        self.losses.evaluates(root.kept, answers, tensors_in(output))
        root.kept.evaluation_pass(args, kwargs, steps, known, self.number)

    def end(self) -> None:
        """The block ends; an evaluation lasts, for losses that are computed after it."""
        place, self._place = self._place, None
        self._empty[place] = 0 if self._has_pass else self._empty.get(place, 0) + 1
        if not self._roots:
            self.losses.stop()

    def contradicted(self) -> None:
        """A backward pass in evaluation mode: the program trains in it, and its evaluations cannot
        be told from steps by the mode."""
        self._empty[MODE] = EMPTY_BLOCKS

    def finish(self) -> None:
        """The evaluation ends: record it."""
        self.release()
        roots, self._roots = self._roots, set()
        for root in roots:
            root.kept.end_evaluation()
            root.evaluates_anew = True
        self.losses.evaluates(None, None, ())
        # Before its first step a module belongs to no model: frameworks try their evaluation first.
        for root in roots.difference(*(model.roots for model in self._table.models)):
            root.evaluation.window_ends()
            self.losses.window_ends(id(root))
        for model in self._table.models if roots else ():
            self._record(model, roots)

    def release(self) -> None:
        """Leave torch as it was."""
        self._place = None
        self.losses.stop()

    def _record(self, model: ObservedModel, roots: set[Root]) -> None:
        misread = (self.losses.score_misread(id(root)) for root in model.roots)
        model.score_misread = model.score_misread or next(filter(None, misread), "")
        row: dict[str, float] = {}
        scores: dict[str, float] = {}
        for root in model.roots:
            if root in roots:
                row.update(root.evaluation.window_ends())
                scores.update(self.losses.window_ends(id(root)))
        if not row and not scores:
            return
        # Without a loss or a score it may be a part of the training step, such as the pass of a
        # target network.
        certain = bool(scores)
        if not self.scores_are_stated:
            row.update(scores)
            phases = model.phases
            if phases and signals.VALID_LOSS in row:
                mean = phases[-1].losses.take_mean()
                if mean is not None:
                    row.setdefault(signals.TRAIN_LOSS, mean)
            accuracy = model.recent_accuracy()
            if accuracy is not None and signals.VALID_ACCURACY in row:
                row.setdefault(signals.TRAIN_ACCURACY, accuracy)
        model.add_evaluation(row, certain)
        self._on_rows(model)
