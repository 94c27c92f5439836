"""What a watched backward pass shows: its loss, graph and gradients."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from netwise.observe import autograd_graph, loss_graph
from netwise.observe.autograd_nodes import CALL, only_input, operation, saved, signed
from netwise.observe.dropout_rates import dropouts
from netwise.observe.gradient_ledger import BackwardPass, gradient_norms
from netwise.observe.loss_elements import LOSSES_OF_TORCH, REDUCTIONS, Match, match
from netwise.observe.loss_targets import LARGEST
from netwise.observe.model_table import ModelTable
from netwise.observe.observed_model import LossSite
from netwise.observe.observed_parts import Root
from netwise.observe.outside_parameters import OutsideParameters
from netwise.observe.outside_tensors import OutsideTensors
from netwise.observe.program_place import rewards_of_program, speaks_of_rewards
from netwise.observe.sampling import is_read
from netwise.observe.written_losses import formula_of

ALIKE = 0.7  # correlation of advantages with rewards: they differ by a baseline
MOST_SITES = 256  # losses that are distinguished by place, operations and networks
MOST_NEW = 64  # weights of unknown optimizers whose gradients are compared
MOST_OUTPUTS = 4  # outputs of modules to which losses by hand are compared


@dataclass
class _LossRead:
    """What the loss of a place was, when it was read last.

    Args:
        count: how often a backward pass from there was watched, but the first.
        factor: of the loss.
        key, site: as in `BackwardPass`.
    """

    count: int = 0
    factor: float = 1.0
    key: Any = None
    site: Any = None


class BackwardReader:
    """Reads backward passes.

    Args:
        table: the modules and optimizers that are known.
        safely: calls a part of the observer by its name, so that an error switches it off.
    """

    def __init__(self, table: ModelTable, safely: Callable[..., Any]) -> None:
        self._table, self._safely = table, safely
        self._sites: dict[Any, LossSite] = {}
        self._read: dict[tuple[str, frozenset[int], frozenset[Root]], _LossRead] = {}
        self._outputs: list[tuple[weakref.ref[Tensor], Tensor | None]] = []
        self._calls = 0
        self.scaler: weakref.ref[Any] | None = None  # that has just scaled a loss
        self._leaves: list[weakref.ref[Tensor]] = []  # of the last loss, without an optimizer
        self._outside = OutsideParameters()
        self._tensors = OutsideTensors()

    def loss_scales(self, scaler: Any) -> None:
        """A gradient scaler has scaled the loss that follows."""
        if scaler.is_enabled():
            self.scaler = weakref.ref(scaler)

    @property
    def leaves(self) -> list[Tensor]:
        """What the last loss reaches, from its inputs on, where no optimizer has stepped yet."""
        return [leaf for leaf in (ref() for ref in self._leaves) if leaf is not None]

    def take_scaler(self) -> Any | None:
        """The scaler that has scaled this loss, once; None without one."""
        scaler = None if self.scaler is None else self.scaler()
        self.scaler = None
        return scaler

    def note_output(self, output: Tensor) -> None:
        """Remember an output of a module: weakly, and a small one by its values, which a loss by
        hand does not always save."""
        kept: Tensor | None = None
        node: Any = output.grad_fn
        if node is not None and output.numel() <= LARGEST:
            self._calls += 1
            node.metadata[CALL] = self._calls
            kept = output.detach()
            setattr(kept, CALL, self._calls)
        self._outputs = [(weakref.ref(output), kept), *self._outputs[: MOST_OUTPUTS - 1]]

    def forget_outputs(self) -> None:
        """Forget the outputs."""
        self._outputs = []

    def before(self, loss: Tensor, place: str, number: int, in_step: bool) -> BackwardPass:
        """Read a loss and its graph, before the backward pass."""
        scaler = self.take_scaler()
        scale = 1.0 if scaler is None else float(scaler.get_scale())
        value = float(loss.item()) if loss.numel() == 1 else math.nan
        reads_all = is_read(number)
        graph = autograd_graph.read_graph(loss, axes=reads_all)
        reached = frozenset(graph.leaves)
        if not self._table.accounts:
            self._leaves = [weakref.ref(leaf) for leaf in reversed(graph.leaves.values())]
        entry = BackwardPass(
            begins=gradient_norms(self._compared(graph.leaves)),
            value=value / scale,
            scale=scale,
            place=place,
            reached=reached,
            roots=frozenset(
                root
                for root in self._table.roots.values()
                if not root.parameters.keys().isdisjoint(reached)
            ),
            in_step=in_step,
            number=number,
            modules=frozenset(module for module, _ in graph.outputs),
            complete=graph.complete,
            opaque=graph.opaque,
            widened=graph.widened,
            softmax_over_batch=graph.softmax_over_batch,
        )
        if reads_all:
            entry.outside = self._outside.read(graph.leaves, self._known())
            entry.outside_tensors = (
                self._safely("tensors", self._tensors.read, loss, graph.leaves, self._known()) or {}
            )
            entry.outside_anew = bool(entry.outside) and self._outside.anew
            entry.asks_inputs = any(
                not isinstance(leaf, nn.Parameter) for leaf in graph.leaves.values()
            )
        self._safely("losses", self._read_loss, entry, loss)
        for module, output in graph.outputs:
            root = self._table.roots.get(module)
            if root is not None:
                root.used.add(output)
                root.kept.forget_waiting()  # of a loss that was not read
        return entry

    def after(self, entry: BackwardPass) -> None:
        """Read the gradients, after the backward pass."""
        table = self._table
        parameters = {id(p): p for a in table.accounts.values() for p in a.chosen()}
        known: dict[int, Tensor] = {}
        for root in table.roots.values():
            module = root.module
            if module is None or not (entry.reached & root.parameters.keys() or entry.opaque):
                continue
            known.update(self._safely("layers", _norms_of_layers, root) or {})
            if not table.accounts and not root.stepping:
                # Without an optimizer no event shows that a step begins.
                root.stepping = True
                self._safely("layers", root.probe.step_begins)
            if len(parameters) < len(entry.begins):
                parameters.update({id(p): p for p in module.parameters()})
        chosen = (p for key, p in parameters.items() if key in entry.begins)
        entry.ends = gradient_norms(chosen, known)

    def _compared(self, leaves: Mapping[int, Tensor]) -> list[Tensor]:
        """The parameters whose gradients are compared: those of the optimizers, and of unknown
        ones those that the loss reaches."""
        compared = {id(p): p for a in self._table.accounts.values() for p in a.chosen()}
        held = self._held()
        new = [leaf for key, leaf in leaves.items() if key not in held]
        for leaf in new[:MOST_NEW]:
            compared.setdefault(id(leaf), leaf)
        return list(compared.values())

    def _held(self) -> set[int]:
        """Ids of the parameters that an optimizer holds."""
        return {key for a in self._table.accounts.values() for key in a.ids}

    def _known(self) -> set[int]:
        """Ids of the parameters of modules that were called, and of optimizers."""
        return self._held().union(*(root.parameters for root in self._table.roots.values()))

    def _read_loss(self, entry: BackwardPass, loss: Tensor) -> None:
        """Read what the loss is. Where it has been read often, some of the times it is taken for
        the same as before."""
        # Two networks that one function trains have losses of their own.
        key = (entry.place, entry.reached, entry.roots)
        before = self._read.get(key)
        if before is not None:
            before.count += 1
            if not is_read(before.count):
                entry.factor, entry.site_key, entry.site = before.factor, before.key, before.site
                if entry.site is not None:
                    entry.site.last = entry.number
                self._safely("kept batches", self._join_plain_target, entry, loss)
                return
        alive = [(ref(), kept) for ref, kept in self._outputs]
        outputs = [t for pair in alive for t in pair if t is not None]
        reading = loss_graph.read_loss(loss, entry.place, outputs)
        entry.factor = reading.factor / entry.scale
        self._read_site(entry, reading)
        self._safely("written loss", self._read_formula, entry, loss)
        self._safely("kept batches", self._join_target, entry, reading)
        if before is None:
            self._safely("dropout", self._note_dropout, entry, loss)
        if before is None and len(self._read) < MOST_SITES:
            before = self._read[key] = _LossRead()
        if before is not None:
            before.factor, before.key, before.site = entry.factor, entry.site_key, entry.site

    @staticmethod
    def _read_formula(entry: BackwardPass, loss: Tensor) -> None:
        """Read once which operations make the loss of the outputs."""
        site = entry.site
        if site is not None and site.formula is None:
            site.formula = formula_of(loss)

    def _note_dropout(self, entry: BackwardPass, loss: Tensor) -> None:
        """Read the rate of dropout that the pass has used, and the share of samples that it leaves
        without any unit."""
        found = dropouts(loss)
        for module in entry.modules if found else ():
            root = self._table.roots.get(module)
            if root is not None:
                root.used_dropout = max(root.used_dropout, *(rate for rate, _ in found))
                emptied = (rate**width for rate, width in found if width)
                root.emptied_by_dropout = max(root.emptied_by_dropout, *emptied, 0.0)

    def _join_plain_target(self, entry: BackwardPass, loss: Tensor) -> None:
        """The same for a loss that is not read as a whole, where it is one of torch's."""
        found = plain_loss(loss)
        if found is None or found.target is None:
            return
        ignored = saved(found.node, "ignore_index")
        ignored = signed(ignored) if isinstance(ignored, int) else None
        reduction = REDUCTIONS.get(saved(found.node, "reduction"), "none")
        for module in entry.modules:
            root = self._table.roots.get(module)
            if root is not None:
                root.kept.loss_read(found.target, found.operation, reduction, ignored)
                if found.output is not None:
                    root.answers.add(found.output, found.target, found.operation, ignored)
                    self._carried(root, found.output, found.target, found.operation)

    def _join_target(self, entry: BackwardPass, reading: loss_graph.LossReading) -> None:
        """Give the main term's target to the kept batch of the pass that the loss is of."""
        main = next((each for each in reading.terms if not each.term.penalty), None)
        if main is None:
            return
        for module in entry.modules:
            root = self._table.roots.get(module)
            if root is not None:
                term = main.term
                ignored = main.ignore_index
                root.kept.loss_read(
                    main.target, term.operation, term.reduction, ignored, main.weighted
                )
                if main.output is not None and main.target is not None:
                    root.answers.add(main.output, main.target, term.operation, ignored)
                    self._carried(root, main.output, main.target, term.operation)

    def _carried(self, root: Root, output: Tensor, target: Tensor, operation: str) -> None:
        self._safely("carried states", root.carried.loss_read, output, target, operation)

    def _read_site(self, entry: BackwardPass, reading: loss_graph.LossReading) -> None:
        key = (*LossSite.key(entry.place, reading), entry.roots)
        site = self._sites.get(key)
        if site is None:
            if len(self._sites) >= MOST_SITES:
                return
            site = self._sites[key] = LossSite(entry.place, (), first=entry.number)
        site.read(reading)
        site.last = entry.number
        if entry.scale != 1:
            site.terms = tuple(replace(t, factor=t.factor / entry.scale) for t in site.terms)
        if any(term.advantages < 0 for term in site.terms) and not _lowers_rewards(reading):
            site.terms = tuple(replace(term, advantages=0) for term in site.terms)  # costs, maybe
        entry.site_key, entry.site, entry.signals = key, site, dict(site.signals)


def _lowers_rewards(reading: loss_graph.LossReading) -> bool:
    """Whether the numbers that log-probabilities of actions are multiplied by are rewards of the
    program, and not their negatives or costs."""
    if not speaks_of_rewards():
        return False
    for each in reading.terms:
        if each.term.advantages and each.advantages is not None:
            numbers = each.advantages.flatten().double()
            known = rewards_of_program(numbers.numel())
            if not any(_correlation(numbers, rewards) > ALIKE for rewards in known):
                return False
    return True


def _correlation(first: Tensor, second: Tensor) -> float:
    a, b = first - first.mean(), second - second.mean()
    size = float(a.norm() * b.norm())
    return float(a @ b) / size if size > 0 else 0.0


def plain_loss(loss: Tensor) -> Match | None:
    """A loss of torch, or a constant multiple of one; None for others.

    >>> import torch
    >>> outputs = torch.zeros(4, 3, requires_grad=True)
    >>> loss = nn.functional.cross_entropy(outputs, torch.ones(4).long()) / 2
    >>> plain_loss(loss).target.tolist()
    [1, 1, 1, 1]
    """
    node: Any = loss.grad_fn
    for _ in range(3):
        if node is None:
            return None
        if operation(node) in LOSSES_OF_TORCH:
            return match(node)
        node = only_input(node) if operation(node) in ("Div", "Mul") else None
    return None


def _norms_of_layers(root: Root) -> Mapping[int, Tensor]:
    root.probe.backward_ends()
    return root.probe.gradient_norms
