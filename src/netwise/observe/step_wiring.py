"""The connections of a run of `fit`: the same exact facts as of an observed program, from the same
readings of the autograd graph, for one module whose steps are known.

The graph is read in the first recorded steps, then ever more seldom, and whenever layers are frozen
or released. Between readings, weights that were not yet reached are looked for among those with a
gradient: a layer that is left out at random is reached sooner or later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from netwise.errors import named
from netwise.observe import autograd_graph, loss_graph
from netwise.observe.call_record import CallRecord
from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.outside_parameters import OutsideParameters
from netwise.observe.weighted_layers import ROOT
from netwise.schema import typed
from netwise.wiring import LossTerm, Wiring

FIRST_READ = 4  # recorded steps that are all read
MOST_SITES = 32  # losses that are distinguished by their operations
MOST_CUTS = 32  # pairs of layers without a gradient between them
NO_LINEAR = "operations of the module are not visible in the autograd graph"
TOO_LARGE = "the autograd graph has more than 20,000 nodes"
NO_LOSSES = "the operations of the loss are not visible in the autograd graph"


@dataclass(frozen=True)
class Seen:
    """What the recorded steps have shown so far.

    Args:
        layout: number of weights that required a gradient when the graph was last read.
        trainable, reached, held: weights that required a gradient, that a loss reached, and that
            the optimizer held, in any reading.
        called: layers that were called.
        cuts: pairs of layers called one after the other, with no gradient from the second to the
            first.
        outside: shapes of parameters of neither the module nor the optimizer.
        outside_anew: each step has new ones.
        optimizers: classes, in order of use.
        optimizer_weights, optimizer_trainable: as in `Wiring`, in the last reading.
        losses: summands of each loss, in its last reading.
        widened, softmax_over_batch: as in `Wiring`, in the first reading that shows it.
        linear: as in `Wiring`, in the first reading.
        complete: whether all of each graph was read.
    """

    layout: int = -1
    trainable: frozenset[str] = frozenset()
    reached: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()
    cuts: tuple[tuple[str, str], ...] = ()
    outside: tuple[str, ...] = ()
    outside_anew: bool = False
    optimizers: tuple[str, ...] = ()
    optimizer_weights: int = 0
    optimizer_trainable: int = 0
    losses: tuple[tuple[LossTerm, ...], ...] = ()
    widened: str = ""
    softmax_over_batch: str = ""
    linear: bool | None = None
    complete: bool = True


class _PlainState(TypedDict):
    """What `StepWiring.state_dict` returns."""

    seen: Seen
    steps: int
    error: str


_SETS = ("trainable", "reached", "held", "called")


@dataclass
class StepWiring:
    """Reads recorded steps of one module: `before_backward`, then `after_backward`.

    An error in either switches it off: it is never raised, and `wiring` is None from then on.

    Args:
        module: the module.
        seen: what was read so far.
        steps: recorded so far.
        error: that has switched it off; "" without one.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> layer = nn.Linear(3, 1)
        >>> optimizer, probe = torch.optim.SGD(layer.parameters(), lr=0.1), HookedProbe(layer)
        >>> wiring = StepWiring(layer)
        >>> probe.attach()
        >>> loss = layer(torch.ones(4, 3)).square().mean()
        >>> wiring.before_backward(loss, torch.ones(4, 3), probe, optimizer)
        >>> wiring.wiring().trainable
        2
    """

    module: nn.Module
    seen: Seen = Seen()
    steps: int = 0
    error: str = ""
    _parameters: list[nn.Parameter] = field(default_factory=list, repr=False)
    _waiting: list[tuple[str, nn.Parameter]] | None = field(default=None, repr=False)
    _outside: OutsideParameters = field(default_factory=OutsideParameters, repr=False)

    def before_backward(
        self, loss: Tensor, x: Tensor, probe: HookedProbe, optimizer: torch.optim.Optimizer
    ) -> None:
        """Read the graph of a recorded step.

        Args:
            loss: of the batch, before its backward pass.
            x: what the module got.
            probe: attached to the module during its forward pass.
            optimizer: that will take the step.
        """
        if self.error:
            return
        try:
            with torch.no_grad():
                layout = sum([p.requires_grad for p in self._parameters])
                if self._is_read(layout):
                    self._read(loss, x, probe, optimizer)
            self.steps += 1
        except Exception as error:
            self._switch_off(error)

    def after_backward(self) -> None:
        """Look which of the weights that no graph has reached yet have a gradient."""
        if self.error:
            return
        try:
            if self._waiting is None:
                self._waiting = self._unreached()
            new = {name for name, p in self._waiting if p.grad is not None}
            if new:
                self.seen = replace(self.seen, reached=self.seen.reached | new)
                self._waiting = None
        except Exception as error:
            self._switch_off(error)

    @property
    def is_read(self) -> bool:
        """Whether the graph of steps with the present trainable weights was read, or never will
        be."""
        return bool(self.error) or (
            self.steps > 0 and sum(p.requires_grad for p in self._parameters) == self.seen.layout
        )

    def _is_read(self, layout: int) -> bool:
        steps = self.steps
        return steps < FIRST_READ or layout != self.seen.layout or steps & (steps - 1) == 0

    def _switch_off(self, error: Exception) -> None:
        self.error = named(error)
        self._waiting = None

    def _unreached(self) -> list[tuple[str, nn.Parameter]]:
        names = self.seen.trainable - self.seen.reached
        return [(name, p) for name, p in self.module.named_parameters() if name in names]

    def _read(
        self, loss: Tensor, x: Tensor, probe: HookedProbe, optimizer: torch.optim.Optimizer
    ) -> None:
        graph = autograd_graph.read_graph(loss)
        output, seen = probe.output, self.seen
        reading = loss_graph.read_loss(loss, "", () if output is None else (output.detach(),))
        named = list(self.module.named_parameters())
        self._parameters = [p for _, p in named]
        held = [p for group in optimizer.param_groups for p in group["params"]]
        held_ids = {id(p) for p in held}
        known = held_ids | {id(p) for _, p in named}
        outside = self._outside.read(graph.leaves, known).values()
        kind = type(optimizer).__name__
        linear = seen.linear
        if not self.steps and output is not None:
            linear = autograd_graph.is_linear(output, (x,))
        self.seen = replace(
            seen,
            layout=sum(p.requires_grad for _, p in named),
            trainable=seen.trainable | {name for name, p in named if p.requires_grad},
            reached=seen.reached | {name for name, p in named if id(p) in graph.leaves},
            held=seen.held | {name for name, p in named if id(p) in held_ids},
            called=seen.called | {call.layer for call in probe.connections},
            cuts=_with_cuts(seen.cuts, probe.connections),
            outside=tuple((Counter(seen.outside) | Counter(outside)).elements()),
            outside_anew=seen.outside_anew or (bool(outside) and self._outside.anew),
            optimizers=seen.optimizers if kind in seen.optimizers else (*seen.optimizers, kind),
            optimizer_weights=len(held),
            optimizer_trainable=sum(p.requires_grad for p in held),
            losses=_with_loss(seen.losses, tuple(term.term for term in reading.terms)),
            widened=seen.widened or graph.widened,
            softmax_over_batch=seen.softmax_over_batch or graph.softmax_over_batch,
            linear=linear,
            complete=seen.complete and graph.complete,
        )
        self._waiting = None

    def wiring(self) -> Wiring | None:
        """The facts of all recorded steps; None without any, and where reading has failed."""
        if self.error or not self.steps:
            return None
        seen = self.seen
        frozen = {name for name, _ in self.module.named_parameters()} - seen.trainable
        unreached = {
            name for name in (seen.trainable & seen.held) - seen.reached if self._is_called(name)
        }
        linear = seen.linear
        if frozen or seen.trainable - seen.reached:  # what is before them is not in the graph
            linear = linear and None
        missing = {}
        if not seen.complete:
            unreached, missing["not_reached"] = set(), TOO_LARGE
        if linear is None:
            missing["linear"] = NO_LINEAR
        losses = tuple(term for terms in seen.losses for term in terms)
        if not losses:
            missing["losses"] = NO_LOSSES
        return Wiring(
            module=type(self.module).__name__,
            optimizers=seen.optimizers,
            trainable=len(seen.trainable),
            frozen=tuple(sorted(frozen)),
            in_no_optimizer=tuple(sorted((seen.trainable & seen.reached) - seen.held)),
            not_reached=tuple(sorted(unreached)),
            outside_module=seen.outside,
            outside_anew=seen.outside_anew,
            optimizer_weights=seen.optimizer_weights,
            optimizer_trainable=seen.optimizer_trainable,
            cut_between=self._cut(unreached),
            losses=losses,
            widened=seen.widened,
            softmax_over_batch=seen.softmax_over_batch,
            linear=linear,
            not_observed=missing,
        )

    def _is_called(self, weight: str) -> bool:
        """Whether a weight belongs to a layer that was called: others do no harm."""
        return any(_belongs(weight, layer) for layer in self.seen.called)

    def _cut(self, unreached: set[str]) -> tuple[str, ...]:
        for before, after in self.seen.cuts:
            if any(_belongs(weight, before) for weight in unreached):
                return (before, after)
        return ()

    def state_dict(self) -> dict[str, Any]:
        """What was seen as plain values, for a checkpoint."""
        plain = {**asdict(self.seen), **{name: sorted(getattr(self.seen, name)) for name in _SETS}}
        return {"seen": plain, "steps": self.steps, "error": self.error}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state_dict`, also after a trip through JSON.

        Raises:
            SchemaError: a value has another type.
        """
        plain: _PlainState = typed(_PlainState, state, "wiring")
        self.restore((plain["seen"], plain["steps"], plain["error"]))

    def snapshot(self) -> tuple[Seen, int, str]:
        """What was seen, for `restore`; no part of it is changed later."""
        return self.seen, self.steps, self.error

    def restore(self, snapshot: tuple[Seen, int, str]) -> None:
        """Set it back to a `snapshot`."""
        self.seen, self.steps, self.error = snapshot
        self._parameters = list(self.module.parameters())
        self._waiting = None


def _belongs(weight: str, layer: str) -> bool:
    owner = weight.rpartition(".")[0]
    return layer == (owner or ROOT) or owner.startswith(f"{layer}.")


def _with_cuts(
    cuts: tuple[tuple[str, str], ...], calls: list[CallRecord]
) -> tuple[tuple[str, str], ...]:
    new = [
        (before.layer, call.layer)
        for before, call in pairwise(calls)
        if before.gives and not call.takes
    ]
    return tuple(dict.fromkeys((*cuts, *new)))[:MOST_CUTS]


def _with_loss(
    losses: tuple[tuple[LossTerm, ...], ...], terms: tuple[LossTerm, ...]
) -> tuple[tuple[LossTerm, ...], ...]:
    """The losses with a new reading, in the place of an earlier one of the same operations."""
    by_kind = {_kind_of(each): each for each in losses}
    if _kind_of(terms) in by_kind or len(by_kind) < MOST_SITES:
        by_kind[_kind_of(terms)] = terms
    return tuple(by_kind.values())


def _kind_of(terms: tuple[LossTerm, ...]) -> tuple[Any, ...]:
    return tuple((term.operation, term.penalty) for term in terms)
