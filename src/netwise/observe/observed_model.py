"""What was observed of one trained model: rows of signals, and facts for its history.

A model is the modules whose weights the same optimizers update: usually one, for an encoder and a
decoder that are called apart both. Two networks with optimizers of their own are two models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import mean
from typing import Any

from netwise import signals
from netwise.first_batch import FirstBatch
from netwise.history import Layer
from netwise.observe.call_record import CallRecord
from netwise.observe.gradient_ledger import BackwardPass
from netwise.observe.layer_activations import accuracy_of
from netwise.observe.loss_graph import LossReading
from netwise.observe.loss_parts import share_explained
from netwise.observe.loss_ranges import joined
from netwise.observe.observed_parts import OptimizerAccount, Root
from netwise.observe.outside_tensors import OutsideTensor
from netwise.observe.sampled_facts import LazyDataFacts
from netwise.observe.target_statistics import (
    TargetStatistics,
    all_alike,
    classes_in,
    few_class_numbers,
    share_ignored,
)
from netwise.observe.tensor_samples import plain, rows_of
from netwise.observe.weighted_layers import ROOT
from netwise.wiring import BINARY_CROSS_ENTROPY_OF_LOGITS, LossTerm

# Signals of weights: of no use where other tensors stand in for them.
OF_WEIGHTS = (
    signals.GRADIENT_RMS,
    signals.GRADIENT_RATIO,
    signals.UPDATE_RATIO,
    signals.WEIGHT_NORM,
    signals.WEIGHT_DISTANCE,
    signals.UPDATE_COSINE,
    signals.GRADIENT_COSINE,
    signals.STEP_DESCENT,
)
MOST_INCOMPLETE = 64  # rows that wait for the signals that are computed together
FEWEST_STEPS = 8  # of an optimizer that may step in turn with another one
MOST_ROWS = 400  # watched steps to keep; beyond it every second is dropped
FEWEST_BATCHES = 3  # for a mean accuracy
MOST_SITES = 32  # losses that are distinguished by place and operations


@dataclass
class LossSite:
    """One loss of the program: its summands, statistics of their targets, and the numbers of its
    first and last watched backward pass."""

    place: str
    terms: tuple[LossTerm, ...]
    weighted: bool = False
    targets: list[TargetStatistics] = field(default_factory=list)
    signals: dict[str, float] = field(default_factory=dict)  # of the last batch
    batch_size: int = 0
    outputs: int = 0
    first: int = 0
    last: int = 0
    formula: frozenset[str] | None = None  # as in `written_losses`; None where it was not read

    @property
    def formula_of_mean(self) -> frozenset[str]:
        """The formula where it is that of a mean over the batch; else empty."""
        is_mean = "mean" in (self.formula or ()) and self.terms[0].reduction != "sum"
        return self.formula or frozenset() if is_mean else frozenset()

    @staticmethod
    def key(place: str, reading: LossReading) -> tuple[Any, ...]:
        """What distinguishes this loss from others."""
        return (place, tuple((t.term.operation, t.term.penalty) for t in reading.terms))

    def read(self, reading: LossReading) -> None:
        """Add a batch."""
        before = [*self.terms, *[None] * len(reading.terms)]
        self.terms = tuple(
            joined(known, term.term) for known, term in zip(before, reading.terms, strict=False)
        )
        while len(self.targets) < len(reading.terms):
            self.targets.append(TargetStatistics())
        self.signals = {**penalty_of(reading), **reading.parts}
        seen = False
        for statistics, term in zip(self.targets, reading.terms, strict=False):
            self.weighted |= term.weighted
            if term.target is None or not term.target.numel():
                continue
            output = term.output
            shape = () if output is None else tuple(output.shape)
            statistics.add(term.target, shape, term.ignore_index)
            if term.target.dim():
                self.batch_size = max(self.batch_size, term.target.shape[0])
            if shape:
                self.outputs = shape[1] if len(shape) > 1 else 1
            if not seen:
                seen = True
                self.signals.update(target_signals(term.target, term.ignore_index))
                if output is not None:
                    accuracy = batch_accuracy(output, term.target)
                    if accuracy is not None:
                        self.signals[signals.ACCURACY] = accuracy
                    elif self.signals.keys() & {signals.LOSS_OF_TARGETS}:
                        is_logit = term.term.operation == BINARY_CROSS_ENTROPY_OF_LOGITS
                        answers = output.sigmoid() if is_logit else output
                        r2 = share_explained(answers, term.target)
                        self.signals |= {} if r2 is None else {signals.BATCH_R2: r2}


def penalty_of(reading: LossReading) -> dict[str, float]:
    """The signal of the summands that depend on weights alone; {} without any, and where their
    values are not known."""
    values = [term.value for term in reading.terms if term.term.penalty]
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return {}
    return {signals.PENALTY: reading.factor * math.fsum(known)}


def _joined(prefix: str, layer: str) -> str:
    """The name of a layer of one of several modules, of which some are layers themselves."""
    return prefix[:-1] if prefix and layer == ROOT else prefix + layer


@dataclass(frozen=True)
class _RowPart:
    """Signals of one module in a row of its model.

    Args:
        root: the module.
        found: its signals, once its probe has completed them.
        prefix: before names of layers.
        without_weights: leave out the signals of weights.
    """

    root: Root
    found: dict[str, float]
    prefix: str
    without_weights: bool

    def write(self, row: dict[str, Any]) -> None:
        """Write all that was found into the row."""
        if not self.prefix and not self.without_weights:
            row.update(self.found)
            return
        for name, value in self.found.items():
            signal, bar, layer = name.partition("|")
            if not (self.without_weights and signal in OF_WEIGHTS):
                row[f"{signal}|{_joined(self.prefix, layer)}" if bar else signal] = value


@dataclass(frozen=True)
class _IncompleteRow:
    """A row that still lacks the signals of its modules."""

    row: dict[str, Any]
    parts: list[_RowPart]

    def complete(self) -> None:
        """Write them before what else is known of the step."""
        row, known = self.row, dict(self.row)
        row.clear()
        row["step"] = known["step"]
        for part in self.parts:
            part.write(row)
        moved = [v > 0 for k, v in row.items() if k.startswith(signals.UPDATE_RATIO + "|")]
        if moved:
            row[signals.WEIGHTS_MOVED] = sum(moved) / len(moved)
        row.update(known)


def target_signals(target: Any, ignore_index: int | None = None) -> dict[str, float]:
    """Signals of one batch of targets."""
    row: dict[str, float] = {}
    few = few_class_numbers(target, ignore_index)
    if few is not None:
        ignored, alike, number = few
        if ignore_index is not None:
            row[signals.TARGETS_IGNORED] = ignored
        return {**row, signals.TARGETS_ALIKE: float(alike), signals.BATCH_CLASSES: float(number)}
    if ignore_index is not None:
        row[signals.TARGETS_IGNORED] = share_ignored(target, ignore_index)
    values = plain(target)
    if values is not None and values.is_floating_point() and values.numel():
        row[signals.TARGET_MEAN] = float(rows_of(values).double().mean())
    if target.dim() and target.shape[0] > 1:
        row[signals.TARGETS_ALIKE] = float(all_alike(target, ignore_index))
    if target.dim() == 1 and not target.is_floating_point():
        classes = classes_in(target, ignore_index)
        if classes is not None:
            row[signals.BATCH_CLASSES] = float(classes)
    return row


def batch_accuracy(output: Any, target: Any) -> float | None:
    """Accuracy of a batch, as `accuracy_of`; None also without samples, and for one column."""
    if not target.numel() or output.dim() != 2 or output.shape[1] < 2:
        return None
    return accuracy_of(output, target)


class ObservedModel:
    """One trained model of an observed program.

    Args:
        name: for people, unique among the models.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.roots: list[Root] = []
        self.accounts: list[OptimizerAccount] = []
        self.rows: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []  # rows of evaluations and of epochs
        self.perhaps: list[dict[str, Any]] = []  # passes that may be a part of the training step
        self.trainable: set[str] = set()
        self.new_rows: list[dict[str, Any]] = []  # not yet written to files
        self._incomplete: list[_IncompleteRow] = []  # rows whose signals are to come
        self.sites: dict[tuple[Any, ...], LossSite] = {}
        self.reached: set[str] = set()
        self.owned: set[str] = set()  # weights that an optimizer holds
        self.with_gradient: set[str] = set()
        self.outside: dict[int, str] = {}
        self.outside_tensors: dict[int, OutsideTensor] = {}
        self.outside_anew = False  # each loss has new ones
        self.asks_inputs = False  # a loss reaches tensors that are no parameters
        self.opaque = False
        self.incomplete_graph = False
        self.cut: tuple[str, ...] = ()
        self.widened = ""
        self.softmax_over_batch = ""
        self.score_misread = ""  # as in `Wiring`
        self.opponents: set[str] = set()
        self.passes_seen = 0  # backward passes before its watched steps, of any loss
        self.cycles = 0  # watched steps
        self.weights = 0  # numbers in the weights of its largest module
        self.pending: set[int] = set()  # ids of the accounts that stepped since the last row
        self.waiting = False  # a row can be finished
        self.data = LazyDataFacts()
        self.stated_losses: list[float] = []
        self.stated_signals: dict[str, float] = {}

    # ---- names

    def prefix(self, root: Root) -> str:
        """What is put before names of layers, where the model has several modules."""
        if len(self.roots) < 2:
            return ""
        same = [each for each in self.roots if each.name == root.name]
        number = f"-{same.index(root) + 1}" if len(same) > 1 else ""
        return f"{root.name}{number}."

    @property
    def modules(self) -> str:
        """Names of its modules."""
        return " and ".join(root.name for root in self.roots)

    @property
    def steps(self) -> int:
        """Steps of its first optimizer."""
        return max((account.steps for account in self.accounts), default=0)

    @property
    def phases(self) -> list[OptimizerAccount]:
        """The first optimizer, and those that went on where the one before them had stopped, as
        after a test of the rate, or once layers were released. Optimizers that step in turn with
        the first one are none."""
        found = self.accounts[:1]
        for account in self.accounts[1:]:
            in_turn = account is self.accounts[-1] and account.made < FEWEST_STEPS
            if account.began >= found[-1].steps and not in_turn:
                found.append(account)
        return found

    @property
    def main(self) -> OptimizerAccount | None:
        """The optimizer of the longest phase; None before the first step."""
        return max(self.phases, key=lambda each: each.made, default=None)

    @property
    def losses(self) -> list[tuple[int, float]]:
        """Steps and losses of all phases."""
        return [pair for account in self.phases for pair in account.losses.values]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers of all modules in order of use."""
        layers: list[Layer] = []
        for root in self.roots:
            prefix = self.prefix(root)
            layers += [
                Layer(**{**vars(layer), "name": _joined(prefix, layer.name)})
                for layer in root.probe.layers
            ]
        return tuple(layers)

    @property
    def first_batch(self) -> FirstBatch | None:
        """What copies of its largest module showed on the first batch, with names of layers as in
        `layers`; None where they were not asked."""
        asked = [root for root in self.roots if root.first_batch is not None]
        if not asked:
            return None
        root = max(asked, key=lambda each: sum(math.prod(s) for s in each.shapes.values()))
        facts, prefix = root.first_batch, self.prefix(root)
        if facts is None or not prefix:
            return facts
        names = (
            "mixed_in",
            "constant_after",
            "narrowest",
            "drawn_state",
            "unused_recurrence",
            "last_dropout",
            "padding_of",
        )
        known = {name: getattr(facts, name) for name in names if getattr(facts, name)}
        return replace(facts, **{name: prefix + value for name, value in known.items()})

    # ---- rows

    def finish_row(self) -> dict[str, Any] | None:
        """Close the row of the step that has just been done; None where nothing was watched."""
        self.waiting = False
        scale = self._scale()
        row: dict[str, Any] = {"step": max(self.steps - 1, 0)}
        parts: list[_RowPart] = []
        for root in self.roots:
            if root.stepping and root.probe.seen:
                found = root.probe.step_ends(scale)
                parts.append(_RowPart(root, found, self.prefix(root), root.has_stand_ins))
            if root.training_mode is not None and root.evaluation.has_mode_layers:
                row[signals.TRAINING_MODE] = float(root.training_mode)
        # Those that stepped come first: one of an earlier phase has no part in this row.
        for account in sorted(self.accounts, key=lambda each: id(each) not in self.pending):
            self._add_account(account, row)
        row.update(self.stated_signals)
        self.stated_signals, self.stated_losses = {}, []
        for root in self.roots:
            if root.trained:
                root.evaluation.step_ends()
            root.new_row()
        self.pending.clear()
        if len(row) == 1 and not parts:
            return None
        self._keep(row)
        self._incomplete.append(_IncompleteRow(row, parts))
        if len(self._incomplete) >= MOST_INCOMPLETE:
            self.complete_rows()
        return row

    def complete_rows(self) -> None:
        """Write what rows still lack: signals of many steps are read and computed together."""
        incomplete, self._incomplete = self._incomplete, []
        for root in {
            id(part.root): part.root for each in incomplete for part in each.parts
        }.values():
            root.probe.complete()
        for each in incomplete:
            each.complete()

    def _scale(self) -> float:
        counted = [a.row.counted[-1].scale for a in self.accounts if a.row and a.row.counted]
        return counted[0] if counted else 1.0

    def _add_account(self, account: OptimizerAccount, row: dict[str, Any]) -> None:
        """Add the signals of one optimizer's step; of several, the first that has them."""
        if account.row is not None and id(account) in self.pending:
            for name, value in account.row.row(account.complete).items():
                row.setdefault(name, value)
            for each in account.row.counted:
                for name, value in each.signals.items():
                    row.setdefault(name, value)
        if account.rate is not None:
            row.setdefault(signals.RATE, account.rate)
        row.update(account.group_rates)

    def _keep(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        self.new_rows.append(row)
        if len(self.rows) >= MOST_ROWS:
            self.rows = self.rows[::2]

    def recent_accuracy(self) -> float | None:
        """Mean accuracy of the batches watched since the last evaluation, of at least
        `FEWEST_BATCHES`; None where it is not known, or only of batches long before."""
        since = self.events[-1]["step"] if self.events else -1
        known = [row for row in self.rows if signals.ACCURACY in row]
        new = [row for row in known if row["step"] > since]
        recent = new if len(new) >= FEWEST_BATCHES else known[-FEWEST_BATCHES:]
        before = self.events[:-FEWEST_BATCHES]
        if not recent or (before and recent[0]["step"] <= before[-1]["step"]):
            return None
        return float(mean(row[signals.ACCURACY] for row in recent))

    def take_new_rows(self) -> list[dict[str, Any]]:
        """The rows that were added since the last call, those of losses among them."""
        self.complete_rows()
        rows, self.new_rows = self.new_rows, []
        for account in self.phases:
            rows += [
                {"step": step, signals.LOSS: value} for step, value in account.losses.take_new()
            ]
        return sorted(rows, key=lambda row: row["step"])

    def drop_new_rows(self) -> None:
        """Forget which rows are new, where nobody takes them."""
        self.new_rows = []
        for account in self.phases:
            account.losses.take_new()

    def add_event(self, row: Mapping[str, float]) -> None:
        """Record an evaluation or the end of an epoch."""
        event = {"step": max(self.steps - 1, 0), **row}
        self.events.append(event)
        self.new_rows.append(event)
        if len(self.events) >= 4 * MOST_ROWS:
            self.events = self.events[::2]

    def add_evaluation(self, row: Mapping[str, float], certain: bool) -> None:
        """Record a block without gradients.

        Args:
            row: its signals.
            certain: a loss or a score was computed in it, so it is an evaluation.
        """
        if certain:
            self.add_event(row)
        elif len(self.perhaps) < MOST_ROWS:
            self.perhaps.append({"step": max(self.steps - 1, 0), **row})

    def drop_observed_scores(self) -> None:
        """Forget losses and scores of evaluations: the program states its own."""
        scores = (
            signals.TRAIN_LOSS,
            signals.TRAIN_ACCURACY,
            signals.VALID_LOSS,
            signals.VALID_ACCURACY,
        )
        for event in self.events:
            for name in scores:
                event.pop(name, None)

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        """Evaluations and epochs. Passes without gradients that belong to each training step are
        none: those of a target network, of a teacher, or of an actor."""
        often = any(root.evaluation.belongs_to_training for root in self.roots)
        return self.events if often else [*self.events, *self.perhaps]

    @property
    def unused_output(self) -> bool:
        """Whether no loss uses one of the outputs."""
        return any(root.used and root.marked - root.used for root in self.roots)

    def step_loss(self, account: OptimizerAccount) -> float | None:
        """The loss of the step that has just been done, and with it what to multiply the sum of
        unwatched losses by."""
        counted: Sequence[BackwardPass] = account.row.counted if account.row else ()
        values = [each.value for each in counted]
        total = math.fsum(values) if all(map(math.isfinite, values)) else sum(values)
        if self.stated_losses:
            stated = sum(self.stated_losses) / len(self.stated_losses)
            if values and total and math.isfinite(stated / total):
                account.normaliser = stated / total
            return stated
        if not values:
            return None
        factor, count = counted[-1].factor, len(counted)
        same = len({(each.place, each.reached) for each in counted}) == 1
        if count > 1 and same:
            divided = abs(factor * count - 1) < 0.01
            account.normaliser = 1.0 if divided else 1.0 / count
        else:
            account.normaliser = 1.0
        return total * account.normaliser

    # ---- connections

    def note_passes(self, passes: Sequence[BackwardPass]) -> None:
        """Add what the graphs of a step's backward passes show."""
        for each in passes:
            for root in self.roots:
                names = root.reached_names(each.reached, [a.ids for a in self.accounts])
                self.reached |= {self.prefix(root) + name for name in names}
            self.opaque |= each.opaque
            self.incomplete_graph |= not each.complete
            self.widened = self.widened or each.widened
            self.softmax_over_batch = self.softmax_over_batch or each.softmax_over_batch
            if each.site is not None and len(self.sites) < MOST_SITES:
                self.sites[each.site_key] = each.site
            self.asks_inputs |= each.asks_inputs
            if each.outside_anew:
                self.outside.clear()  # those before are gone
                self.outside_anew = True
            self.outside.update(each.outside)
            self.outside_tensors.update(each.outside_tensors)

    def note_gradients(self) -> None:
        """Read which weights have a gradient: a witness beside the graph, which may not show all of
        it."""
        for root in self.roots:
            module = root.module
            if module is None:
                continue
            prefix = self.prefix(root)
            for name, p in module.named_parameters():
                full = prefix + name
                if full not in self.reached and full not in self.with_gradient:
                    gradient = p.grad
                    if gradient is not None and not gradient.is_meta:
                        dense = gradient.is_sparse or bool(gradient.any())
                        if dense:
                            self.with_gradient.add(full)

    def note_cut(self, calls: Sequence[CallRecord]) -> None:
        """Find between which two layers gradients are lost: one got an input without a graph
        though the layer before it gave an output with one."""
        if self.cut:
            return
        before: CallRecord | None = None
        for call in calls:
            if before is not None and before.gives and not call.takes and call.has_weights:
                self.cut = (before.layer, call.layer)
                return
            before = call
