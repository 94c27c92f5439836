"""Which tensor shows the activations of a layer.

The activation of a layer is the input of the layer that uses its outputs next, however the code
between them is written. Which layer that is follows from the autograd graph, not from the order of
calls: two heads, the branches of a residual block or the parts of a LoRA adapter are called one
after the other without using each other. `PassReader` reads the graph in the first watched forward
pass and returns a plan of names; `PassFollower` measures by this plan in later passes.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.activation_kinds import (
    NOT_KNOWN,
    Way,
    is_rectified,
    kind_by_numbers,
    some_rows,
    ways_to_outputs,
)
from netwise.observe.layer_activations import ActivationStatistics, Piece
from netwise.observe.nested import tensors_in
from netwise.observe.readable import readable
from netwise.parts.activations import ACTIVATION_MODULES

MOST_CALLS = 2000  # of layers in one pass; later ones are not measured
MOST_TENSORS = 8  # in the arguments or the output of one module

# Where the activation of a call is found: in its own output, in the arguments of a later call, or
# in the output of the module.
OWN, ARGUMENT, OUTPUT = "own", "argument", "output"


@dataclass(frozen=True)
class PlannedCall:
    """One call of a layer, and the tensor that shows its activation.

    Args:
        name: of the layer.
        activation: its kind; "" where it is not known.
        where: `OWN`, `ARGUMENT` or `OUTPUT`.
        user: for `ARGUMENT`, the number of the later call.
        number: for `ARGUMENT` and `OUTPUT`, which of the tensors there.
        width: of the last axis of its output; 0 where it has none.
        normalised: whether a normalisation is between its output and that tensor.
    """

    name: str
    activation: str = ""
    where: str = OWN
    user: int = -1
    number: int = 0
    width: int = 0
    normalised: bool = False


@dataclass(frozen=True)
class Plan:
    """The calls of layers in one forward pass, in their order.

    >>> plan = Plan((PlannedCall("a", "ReLU"), PlannedCall("b", "Tanh"), PlannedCall("b")))
    >>> plan.activations
    {'a': 'ReLU', 'b': 'Tanh'}
    """

    calls: tuple[PlannedCall, ...] = ()

    @cached_property
    def activations(self) -> dict[str, str]:
        """The kind of activation of each layer; "" where its calls have several."""
        kinds: dict[str, set[str]] = {}
        for call in self.calls:
            kinds.setdefault(call.name, set()).update({call.activation} - {""})
        return {name: found.pop() if len(found) == 1 else "" for name, found in kinds.items()}

    @cached_property
    def widths(self) -> dict[str, int]:
        """The width of each layer's outputs."""
        return {call.name: call.width for call in self.calls}

    @cached_property
    def normalised(self) -> frozenset[str]:
        """The layers behind all calls of which there is a normalisation."""
        others = {call.name for call in self.calls if not call.normalised}
        return frozenset(call.name for call in self.calls) - others

    @cached_property
    def shown_by(self) -> tuple[tuple[PlannedCall, ...], ...]:
        """For each call, the calls whose activations its arguments show; after the last one, those
        that the output of the module shows."""
        shown: list[list[PlannedCall]] = [[] for _ in range(len(self.calls) + 1)]
        for call in self.calls:
            if call.where != OWN:
                shown[call.user].append(call)
        return tuple(tuple(calls) for calls in shown)


@dataclass
class _Call:
    """A call in the pass that is read."""

    name: str
    linear: bool
    layer: nn.Module
    raw: Tensor | None = None  # some rows of its output, to compare with
    shape: tuple[int, ...] = ()
    own: Piece | None = None  # what was measured of its own output
    named: str = ""  # the last activation module that its outputs went through
    planned: PlannedCall | None = None

    @property
    def width(self) -> int:
        return self.shape[-1] if self.shape else 0


class PassReader:
    """Reads one forward pass.

    Args:
        statistics: gets the activations.
        owners: names of layers by the identities of their weights.
    """

    def __init__(self, statistics: ActivationStatistics, owners: Mapping[int, str]) -> None:
        self._statistics, self._owners = statistics, owners
        self.complete = True  # the numbers of all outputs could be read
        self._calls: list[_Call] = []
        self._latest: dict[str, int] = {}
        self._nodes: dict[Any, int] = {}
        # Of tensors without a graph: the calls that they are computed from.
        self._origins: dict[int, tuple[weakref.ref[Tensor], tuple[int, ...]]] = {}

    def layer_called(
        self, name: str, linear: bool, layer: nn.Module, arguments: Any, output: Any
    ) -> None:
        """A layer with weights was called.

        Args:
            name: of the layer.
            linear: whether its outputs are linear in its inputs.
            layer: itself.
            arguments, output: of the call.
        """
        number = len(self._calls)
        if number >= MOST_CALLS:
            return
        for k, argument in enumerate(islice(tensors_in(arguments), MOST_TENSORS)):
            self._resolve(argument, ARGUMENT, number, k)
        call = _Call(name, linear, layer)
        results = list(islice(tensors_in(output), MOST_TENSORS))
        first = readable(results[0]) if results else None
        if results and first is None:
            self.complete = False
        if first is not None and first.is_floating_point() and first.dim():
            call.raw, call.shape = some_rows(first), tuple(first.shape)
            call.own = self._statistics.measured(first, "", layer)
        self._calls.append(call)
        self._latest[name] = number
        for result in results:
            if result.grad_fn is not None:
                self._nodes[result.grad_fn] = number
            else:
                self._origins[id(result)] = (weakref.ref(result), (number,))

    def other_called(self, module: nn.Module, arguments: Any, output: Any) -> None:
        """A module without weight matrices was called."""
        if not self._calls or module._modules:
            return
        first = next(tensors_in(arguments), None)
        if first is None:
            return
        sources = tuple(self._ways(first))
        name = type(module).__name__
        if name in ACTIVATION_MODULES:
            for i in sources:
                if self._calls[i].planned is None:
                    self._calls[i].named = name
        for result in islice(tensors_in(output), MOST_TENSORS):
            if result.grad_fn is None and result is not first:
                self._origins[id(result)] = (weakref.ref(result), sources)

    def end(self, output: Any) -> Plan:
        """The forward pass has ended with this output. Returns the plan for later passes."""
        for number, result in enumerate(islice(tensors_in(output), MOST_TENSORS)):
            if result.dim():  # a single number is a loss, which the module has computed itself
                self._resolve(result, OUTPUT, -1, number)
        plan = []
        for call in self._calls:
            if call.planned is None:
                self._take_own(call, call.named)
            if call.planned is not None:
                plan.append(call.planned)
        return Plan(tuple(plan))

    def _take_own(self, call: _Call, activation: str) -> None:
        call.planned = PlannedCall(call.name, activation, width=call.width)
        if call.own is not None:
            self._statistics.add(call.name, call.own)

    def _ways(self, tensor: Tensor) -> dict[int, Way]:
        """The calls that a tensor is computed from."""
        if tensor.grad_fn is not None:
            return ways_to_outputs(tensor.grad_fn, self._nodes, self._last_call_with)
        reference, sources = self._origins.get(id(tensor), (None, ()))
        if reference is None or reference() is not tensor:
            return {}
        return dict.fromkeys(sources, NOT_KNOWN)

    def _last_call_with(self, weight: Tensor) -> int | None:
        return self._latest.get(self._owners.get(id(weight), ""))

    def _resolve(self, tensor: Tensor, where: str, user: int, number: int) -> None:
        """Find the calls whose activation this tensor shows."""
        values = readable(tensor) if tensor.layout is torch.strided else None
        if values is None or not values.is_floating_point():
            return
        ways, last = self._ways(tensor), where == OUTPUT
        place = PlannedCall("", "", where, user, number)
        open_calls = [i for i in ways if self._calls[i].planned is None]
        if not ways and tensor.grad_fn is None and self._calls and not self._calls[-1].planned:
            call = self._calls[-1]  # nothing but its numbers can show where a tensor comes from
            if call.raw is not None and bool((call.raw != call.raw.reshape(-1)[0]).any()):
                kind = kind_by_numbers(call.raw, call.shape, values, last)
                if kind:
                    self._take(call, kind, values, place)
        for i in open_calls:
            call = self._calls[i]
            kind = _kind(call, ways[i], values, last)
            if kind or len(ways) == 1:
                self._take(call, kind, values, replace(place, normalised=ways[i].normalised))
            else:
                self._take_own(call, "")

    def _take(self, call: _Call, kind: str, values: Tensor, place: PlannedCall) -> None:
        if kind == "Identity" and not call.linear:
            kind = ""  # the layer itself may be nonlinear
        call.planned = replace(place, name=call.name, activation=kind, width=call.width)
        self._statistics.add(call.name, self._statistics.measured(values, kind, call.layer))


def _kind(call: _Call, way: Way, values: Tensor, last: bool) -> str:
    """Which activation is between a call and the tensor that shows it; "" where not known."""
    if call.named or way.kind:
        return call.named or way.kind
    if call.raw is None:
        return ""
    found = kind_by_numbers(call.raw, call.shape, values, last)
    return found or ("ReLU" if is_rectified(call.raw, values) else "")


class PassFollower:
    """Measures one forward pass by a plan.

    Args:
        plan: from an earlier pass.
        statistics: gets the activations.
    """

    def __init__(self, plan: Plan, statistics: ActivationStatistics) -> None:
        self._plan, self._statistics = plan, statistics
        self._layers: dict[str, nn.Module] = {}
        self._count = 0
        self.deviates = False  # the calls are not those of the plan

    def layer_called(
        self, name: str, linear: bool, layer: nn.Module, arguments: Any, output: Any
    ) -> None:
        """A layer with weights was called: as in `PassReader`."""
        k, calls = self._count, self._plan.calls
        if self.deviates or k >= MOST_CALLS:
            return
        if k >= len(calls) or calls[k].name != name:
            self.deviates = True
            return
        shown = self._plan.shown_by[k]
        if shown:
            self._add(shown, arguments)
        self._layers[name] = layer
        self._count += 1
        if calls[k].where is OWN:
            self._add((calls[k],), output)

    def other_called(self, module: nn.Module, arguments: Any, output: Any) -> None:
        """A module without weight matrices was called."""

    def end(self, output: Any) -> Plan:
        """The forward pass has ended with this output."""
        if self._count < len(self._plan.calls):
            self.deviates = True
        elif not self.deviates:
            self._add(self._plan.shown_by[-1], output)
        return self._plan

    def _add(self, calls: tuple[PlannedCall, ...], value: Any) -> None:
        tensors = list(islice(tensors_in(value), MOST_TENSORS))
        for call in calls:
            found = readable(tensors[call.number]) if call.number < len(tensors) else None
            if found is not None:
                piece = self._statistics.measured(
                    found, call.activation, self._layers.get(call.name)
                )
                self._statistics.add(call.name, piece)
