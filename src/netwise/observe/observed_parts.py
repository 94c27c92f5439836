"""What an observer knows of one module and of one optimizer between two events.

Modules, optimizers and parameters are held by weak references: an observed program's objects die
when the program drops them, and what is known of them by name remains.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.first_batch import FirstBatch
from netwise.observe.call_record import CallRecord
from netwise.observe.carried_states import CarriedStates
from netwise.observe.class_answers import RECENT, ClassAnswers
from netwise.observe.evaluation_passes import EvaluationPasses
from netwise.observe.first_batch_probes import first_batch_of, unknown
from netwise.observe.fresh_weights import looks_drawn, looks_fresh
from netwise.observe.gradient_ledger import (
    BackwardPass,
    CycleAccount,
    Norms,
    account,
    evenly,
    gradient_norms,
)
from netwise.observe.kept_batches import KeptBatches
from netwise.observe.kept_states import KeptOptimizer, KeptState
from netwise.observe.loss_record import LossRecord
from netwise.observe.name_of_call import name_of_call
from netwise.observe.nested import with_tensors
from netwise.observe.pair_forces import PairForces
from netwise.observe.probe import Probe
from netwise.observe.rate_climbs import RateClimbs

MOST_SECONDS = 2.0  # for the first batch
MOST_PASSES = 256  # backward passes to keep
MOST_RATES = 400  # changes of a learning rate to keep
READ_NAMES_UNTIL = 8  # watched steps after which names of parameters are read less often


@dataclass
class Game:
    """What was seen of a module that makes samples for a judge.

    Args:
        compared: watched steps in which the direction of both losses is known.
        alike: those in which both losses push the judge's answers to made samples the same way.
        spreads: standard deviation of made samples over that of others, of each watched step.
    """

    compared: int = 0
    alike: int = 0
    spreads: list[float] = field(default_factory=list)


class Root:
    """The outermost module of a forward pass.

    Args:
        module: the module.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = weakref.ref(module, self._forget_identities)
        self.held: nn.Module | None = None  # the module again, kept alive for trials
        self.kind = type(module).__name__
        of_torch = type(module).__module__.startswith("torch.nn.")
        # A class of torch, such as Sequential, says less than the program's own name for it.
        self.name = (name_of_call() if of_torch else "") or self.kind
        self.parameters: dict[int, str] = {}  # names by id, as long as the module lives
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.trainable: set[str] = set()
        self.frozen: set[str] = set()
        self.frozen_at_start: set[str] = set()
        self.drawn_embeddings: set[str] = set()  # frozen ones of random numbers
        self._examined: set[str] = set()  # frozen matrices that were looked at once
        self.sharded = False
        self.probe = Probe(module, later=True)
        self.evaluation = EvaluationPasses(module)
        self.kept = KeptBatches()
        self.game = Game()
        self.forces = PairForces()
        self.carried = CarriedStates()
        self.answers = ClassAnswers(RECENT)  # in training
        self.evaluated = ClassAnswers()  # in the last evaluation
        self.evaluates_anew = True  # the next answers are those of a new evaluation
        self.start: KeptState | None = None  # before its first pass of training
        self.end: KeptState | None = None  # at the end of the program
        self.calls: list[CallRecord] = []
        self.linear: bool | None = None
        self.linear_read = False
        self.passes = 0  # watched passes with gradients
        self.is_keras = any(
            base.__module__.split(".")[0] == "keras" for base in type(module).__mro__
        )
        self.distributed_by = ""  # as in `netwise.observe.distribution`
        self.trained = False  # a forward pass with gradients was seen since the last row
        self.stepping = False  # the probe has copied the weights
        self.training_mode: bool | None = None
        self.resumed = 0  # times it was put from evaluation mode into training mode
        self.marked: set[int] = set()  # numbers of its outputs with gradients
        self.used: set[int] = set()  # those of them that a loss used
        self.dropout = 0.0  # of its modules
        self.used_dropout = 0.0  # as the graph of its losses shows
        self.emptied_by_dropout = 0.0  # share of samples of which it keeps no unit of a layer
        self.first_inputs: tuple[Any, Any] | None = None  # arguments of the first training pass
        self.first_batch: FirstBatch | None = None
        self._autocast: tuple[str, torch.dtype | None] = ("cpu", None)  # in that pass
        self._names: dict[int, str] = {}
        self.is_loose = False  # it stands for tensors that belong to no module
        self._own: set[int] = set()  # ids of its own parameters
        self.has_stand_ins = False  # other tensors are used than its own parameters
        self._stand_ins: dict[int, tuple[weakref.ref[Tensor], str]] = {}
        self._reads = 0
        self.read_names()

    @property
    def module(self) -> nn.Module | None:
        """The module, or None once it is gone."""
        return self._module()

    def _forget_identities(self, reference: object) -> None:
        """The module is gone: the identities of its parts may be used again."""
        self.parameters, self._names = {}, {}

    def read_names(self) -> None:
        """Read names and kinds of the parameters again: layers may be added or frozen."""
        module = self.module
        self._reads += 1
        if module is None or (self._reads > READ_NAMES_UNTIL and self._reads % 10):
            return
        named = list(module.named_parameters())
        self._stand_ins = {k: each for k, each in self._stand_ins.items() if each[0]() is not None}
        self.parameters = {key: name for key, (_, name) in self._stand_ins.items()}
        own = {id(p): name for name, p in named}
        self.has_stand_ins = bool(self._stand_ins.keys() - own.keys())
        self.parameters.update(own)
        self._own = set(own)
        self.trainable = {name for name, p in named if p.requires_grad}
        self.frozen = {name for name, p in named if not p.requires_grad}
        for name, p in named:
            if not p.requires_grad and p.dim() > 1 and name not in self._examined:
                self._examined.add(name)
                if looks_fresh(p):
                    self.frozen_at_start.add(name)
                if _is_embedding(module, name) and looks_drawn(p):
                    self.drawn_embeddings.add(name)
        self.sharded = any(hasattr(p, "to_local") for _, p in named)
        self.shapes = {
            name: tuple(p.shape)
            for name, p in named
            if not isinstance(p, nn.parameter.UninitializedParameter)
        }
        self._names = {id(m): name for name, m in module.named_modules()}
        self.dropout = max(
            (float(m.p) for m in module.modules() if isinstance(m, nn.modules.dropout._DropoutNd)),
            default=0.0,
        )

    def note_stand_ins(self) -> None:
        """Read which tensors are used for the parameters in the running call, where these are not
        the module's own: `torch.func.functional_call` puts others in their place."""
        module = self.module
        first = None if module is None else next(module.parameters(), None)
        if module is None or first is None or id(first) in self.parameters:
            return
        self._stand_ins = {
            id(p): (weakref.ref(p), name) for name, p in module.named_parameters() if p.is_leaf
        }
        self.parameters.update({key: name for key, (_, name) in self._stand_ins.items()})

    def keep_first_inputs(self, args: Any, kwargs: Any) -> None:
        """Keep the arguments of the first training pass, until `ask_first_batch`."""
        if self.first_inputs is None:
            self.first_inputs = with_tensors((args, kwargs), lambda t: t.detach())
            self._autocast = next(
                (
                    (device, torch.get_autocast_dtype(device))
                    for device in ("cpu", "cuda")
                    if torch.is_autocast_enabled(device)
                ),
                ("cpu", None),
            )

    def ask_first_batch(self, samples: int | None) -> None:
        """Ask a copy of the module about its first batch, and forget the batch.

        Args:
            samples: in the batch, where the loss shows it.
        """
        inputs, self.first_inputs = self.first_inputs, None
        module = self.module
        if inputs is None or module is None:
            return
        self.first_batch = unknown("the first batch was not asked")  # not again after an error
        device, kind = self._autocast
        with torch.autocast(device, kind, enabled=kind is not None):
            self.first_batch = first_batch_of(
                module, *inputs, samples=samples or None, seconds=MOST_SECONDS
            )

    def name_of(self, module: nn.Module) -> str:
        """The dotted name of a part of the module."""
        return self._names.get(id(module), "") or type(module).__name__

    def names_of(self, ids: frozenset[int] | set[int]) -> set[str]:
        """Names of those of the parameters that are its own."""
        return {name for key, name in self.parameters.items() if key in ids}

    def reached_names(self, ids: frozenset[int] | set[int], held: Iterable[set[int]]) -> set[str]:
        """Names of the parameters that a loss reaches: where optimizers hold the module's own ones,
        others in their place do not count, as copies that a program has made do not.

        Args:
            ids: of the tensors that the loss reaches.
            held: ids of the parameters of each optimizer.
        """
        own = self._own
        if not self._stand_ins or not any(own & each for each in held):
            return self.names_of(ids)
        return {self.parameters[key] for key in own & ids if key in self.parameters}

    def new_row(self) -> None:
        """Forget what was seen for the last row."""
        self.trained = self.stepping = False
        self.training_mode = None
        self.calls = []


def _is_embedding(module: nn.Module, weight: str) -> bool:
    """Whether a parameter is that of an embedding."""
    owner, _, name = weight.rpartition(".")
    part = module.get_submodule(owner)
    return name == "weight" and isinstance(part, nn.Embedding | nn.EmbeddingBag)


class OptimizerAccount:
    """One optimizer, or the steps of a loop without one.

    Args:
        optimizer: the optimizer; None for steps that no torch optimizer takes.
        number: how many were known before it.
    """

    def __init__(self, optimizer: torch.optim.Optimizer | None, number: int) -> None:
        self.reference = None if optimizer is None else weakref.ref(optimizer)
        self.kind = "" if optimizer is None else type(optimizer).__name__
        self.name = f"{self.kind or 'steps'}-{number}"
        self.steps = 0
        self.began = 0  # number of its first step among those of the model
        self.last_tick = 0
        self.since = 0  # number of the first backward pass after its last step
        self.complete = False  # all since its last step was watched
        self.passes_in_step = 0
        self.at_step: Norms = {}
        self.whole_steps = 0  # in the open window
        self.row: CycleAccount | None = None
        self.counted: set[int] = set()  # numbers of the backward passes in its last steps
        self.losses = LossRecord()
        self.start: KeptOptimizer | None = None  # before its first step
        self.first_loss: float | None = None  # of its first step
        self.normaliser = 1.0  # of the sum of the losses that `backward` was called on
        self.rate: float | None = None
        self.rates: list[tuple[int, float]] = []
        self.climbs = RateClimbs()
        self.planned_rate: float | None = None  # that a one-cycle schedule rises to
        self.highest_rate = 0.0
        self.group_rates: dict[str, float] = {}
        self.weight_decay: float | None = None
        self.maximizes = False
        self.has_memory = False  # of earlier gradients, which a new one does not have
        self.clipped_before_unscale = 0
        self.ids: set[int] = set()
        self.trainable_ids: set[int] = set()
        self._layout: tuple[int, ...] = ()
        self._chosen: list[weakref.ref[Tensor]] = []

    @property
    def optimizer(self) -> torch.optim.Optimizer | None:
        """The optimizer, or None once it is gone."""
        return None if self.reference is None else self.reference()

    def parameters(self) -> Iterator[Tensor]:
        """All parameters of the optimizer."""
        optimizer = self.optimizer
        for group in () if optimizer is None else optimizer.param_groups:
            yield from group["params"]

    def read_groups(self) -> None:
        """Read which parameters it has, where their number has changed."""
        optimizer = self.optimizer
        if optimizer is None:
            return
        groups = optimizer.param_groups
        first = groups[0]
        decay = first.get("weight_decay")
        self.weight_decay = None if decay is None else float(decay)
        self.has_memory = self.kind not in ("SGD", "ASGD") or bool(first.get("momentum"))
        self.maximizes = any(group.get("maximize") is True for group in groups)
        layout = tuple(len(group["params"]) for group in groups)
        if layout == self._layout and all(ref() is not None for ref in self._chosen):
            return
        parameters = list(self.parameters())
        self.ids = {id(p) for p in parameters}
        trainable = [p for p in parameters if p.requires_grad]
        self.trainable_ids = {id(p) for p in trainable}
        self._chosen = [weakref.ref(p) for p in evenly(trainable)]
        self._layout = layout

    @property
    def made(self) -> int:
        """Its own steps; `steps` goes on from those of the model before it."""
        return self.steps - self.began

    def chosen(self) -> list[Tensor]:
        """The parameters whose gradients are compared."""
        return [p for p in (ref() for ref in self._chosen) if p is not None]

    def before_unscale(self, passes: list[BackwardPass]) -> None:
        """A gradient scaler is about to divide the gradients: whether they were clipped before.

        Args:
            passes: backward passes since the last step.
        """
        now = gradient_norms(self.chosen())
        row = account(passes, list(now), now)
        if row.counted and row.factor is not None:
            change = row.factor / row.counted[-1].scale
            self.clipped_before_unscale += abs(change - 1) > 1e-4

    def read_rates(self) -> None:
        """Read the learning rates of all groups."""
        optimizer = self.optimizer
        rates: dict[str, float] = {}
        for number, group in enumerate(() if optimizer is None else optimizer.param_groups):
            rate = group.get("lr")
            if rate is None:
                continue
            rates[f"{signals.GROUP_RATE}|{self.name}.{number}"] = float(rate)
            if number == 0:
                planned = group.get("max_lr")
                self.planned_rate = float(planned) if isinstance(planned, float) else None
                self.highest_rate = max(self.highest_rate, float(rate))
            if number == 0 and self.rate != float(rate):
                self.note_rate(float(rate))
        self.group_rates = rates if len(rates) > 1 else {}

    def note_rate(self, rate: float) -> None:
        """Record that the learning rate of the first group has changed."""
        self.rate = rate
        self.climbs.add(rate)
        self.rates.append((self.steps, rate))
        if len(self.rates) > MOST_RATES:
            self.rates = self.rates[::2]


@dataclass
class PassNumbers:
    """The backward passes of the open window, oldest first, with the number of the first."""

    passes: list[BackwardPass] = field(default_factory=list)
    first: int = 0

    @property
    def next(self) -> int:
        """Number of the next backward pass."""
        return self.first + len(self.passes)

    def since(self, number: int) -> list[BackwardPass]:
        """The passes from this number on."""
        return self.passes[max(0, number - self.first) :]

    def first_of(self, ids: Set[int], since: int = 0) -> int | None:
        """The number of the first pass that reaches a module with one of these parameters; None
        without one. Passes of modules that are gone may have reached the same identities.

        Args:
            ids: of the parameters.
            since: number of the first pass that is looked at.
        """
        start = max(since, self.first)
        for number, each in enumerate(self.since(since), start):
            if any(not root.parameters.keys().isdisjoint(ids) for root in each.roots):
                return number
        return None

    def add(self, each: BackwardPass) -> None:
        """Add a pass; of very many without a step the older half is forgotten."""
        if len(self.passes) >= MOST_PASSES:
            half = MOST_PASSES // 2
            self.passes, self.first = self.passes[half:], self.first + half
        self.passes.append(each)

    def clear(self) -> None:
        """Forget the passes, and go on counting."""
        self.first, self.passes = self.next, []
