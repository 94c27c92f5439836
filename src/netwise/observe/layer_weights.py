"""The weights of a module's layers in one step: their norms, gradients and changes.

`LayerWeights` reads the parameters anew at each watched step, since programs replace layers and
parameters. Between steps it holds weak references only.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from netwise import signals
from netwise.history import Layer
from netwise.observe.readable import readable, values_of
from netwise.observe.weight_samples import WeightSamples
from netwise.observe.weighted_layers import (
    WeightedLayer,
    axis_of_units,
    in_order,
    layers_with_weights,
    main_matrix,
    modules_in,
    units_equal,
    weighted_layer,
)

# Of a larger matrix every k-th row is copied, so that a step costs little time and memory; of a
# table of embeddings more, since most of its rows do not change.
MOST_COPIED, MOST_COPIED_OF_TABLE = 2**15, 2**20

MOST_WAITING = 1024  # matrices whose norms wait to be read together


class LayerWeights:
    """Of one module: its layers with weights, and what one watched step does to these.

    Args:
        module: it.
        later: rows get their signals by `complete`, many together. Default: at once.
    """

    def __init__(self, module: nn.Module, later: bool = False) -> None:
        self.gradient_norms: dict[int, Tensor] = {}  # by the identity of the parameter
        self._module = weakref.ref(module)
        self._layers: dict[int, WeightedLayer] = {}  # by the identity of the layer
        self._modules_seen: list[int] = []
        # The axis of a layer's units, where these had equal weights at first.
        self._started_equal: dict[str, int | None] = {}
        self._before: list[_Before] = []
        self._weight_norms: list[Tensor] = []
        self._equal: dict[str, bool] = {}  # the units of a layer have equal weights now
        self._samples = WeightSamples(later)
        self._later = later
        self._waiting: list[_StepNorms] = []
        self.refresh()

    def refresh(self, parameters: bool = False) -> bool:
        """Find the layers again where modules were added, removed or replaced.

        Args:
            parameters: also where only parameters were added, as lazy layers do.

        Returns:
            Whether there were changes.
        """
        module = self._module()
        if module is None:
            return False
        seen = [id(each) for each in modules_in(module)]
        if (
            not parameters
            and seen == self._modules_seen
            and None not in [layer.reference() for layer in self._layers.values()]
        ):
            return False
        found = layers_with_weights(module)
        self._modules_seen = seen
        self._layers = {id(layer): weighted_layer(name, layer) for name, layer in found}
        return True

    @property
    def has_lazy_layers(self) -> bool:
        """Whether there are parameters that get their shape in the first forward pass."""
        module = self._module()
        return module is not None and any(is_lazy(p) for p in module.parameters())

    def owners(self) -> dict[int, str]:
        """The names of layers by the identities of their weights."""
        return {id(p): layer.name for layer in self._layers.values() for p in layer.weights()}

    def layer(self, module: nn.Module) -> WeightedLayer | None:
        """The layer with weights that this module is; None where it is another one."""
        found = self._layers.get(id(module))
        return found if found is not None and found.reference() is module else None

    def described(
        self,
        order: Sequence[str],
        activations: Mapping[str, str],
        widths: Mapping[str, int],
        normalised: Collection[str] = (),
    ) -> tuple[Layer, ...]:
        """All layers.

        Args:
            order: names of those that were used, in the order of use.
            activations, widths: their activations and the widths of their outputs, where known.
            normalised: those with a normalisation behind them.
        """
        by_name = {layer.name: layer for layer in self._layers.values()}
        described = []
        for name in in_order(list(by_name), order):
            module, weights = by_name[name].reference(), by_name[name].weights()
            if module is None or not weights:
                continue
            main = main_matrix(weights)
            axis = axis_of_units(module, main, widths.get(name, 0))
            units = main.shape[axis]
            if name not in self._started_equal:
                equal = units > 1 and units_equal(weights, axis)
                self._started_equal[name] = axis if equal else None
            described.append(
                Layer(
                    name,
                    by_name[name].kind,
                    main.numel() // max(units, 1),
                    units,
                    activations.get(name, ""),
                    any(p.requires_grad for p in weights),
                    self._started_equal[name] is not None,
                    name in normalised,
                )
            )
        return tuple(described)

    def backward_ends(self) -> None:
        """Keep the norms of all gradients of the module, without waiting for their numbers."""
        module, keys, gradients = self._module(), [], []
        for each in () if module is None else modules_in(module):
            for p in each._parameters.values():
                gradient = None if p is None or p.grad is None else readable(p.grad)
                if gradient is not None:
                    keys.append(id(p))
                    gradients.append(gradient)
        self.gradient_norms = dict(zip(keys, norms_of(gradients), strict=True))
        by_key = dict(zip(keys, gradients, strict=True))
        self._samples.gradients(
            (layer.name, by_key[id(p)])
            for layer in self._layers.values()
            for p in layer.weights()
            if id(p) in by_key
        )

    def step_begins(self, hidden: Iterable[str]) -> set[str]:
        """Copy the weights that may change in this step.

        Args:
            hidden: names of the layers whose units are checked for equality, where these started
                equal.

        Returns:
            The names of the layers that may change.
        """
        self._before, self._equal, now = [], {}, []
        started = {name: self._started_equal.get(name) for name in hidden}
        for layer in self._layers.values():
            weights = layer.weights()
            for p in weights:
                values = readable(p) if p.requires_grad else None
                if values is not None:
                    now.append(values)
                    self._before.append(_Before(layer, p, values))
            axis = started.get(layer.name)
            if axis is not None and weights:
                self._equal[layer.name] = units_equal(weights, axis)
        self._weight_norms = norms_of(now)
        return {entry.layer for entry in self._before}

    def step_ends(self, row: dict[str, float], loss_scale: float) -> None:
        """Write the signals of the weights into a row, and forget what was copied."""
        gradients, before = self.gradient_norms, self._before
        norms: list[_MatrixNorms] = []
        for entry, weight, change in zip(
            before, self._weight_norms, changes_of(before), strict=True
        ):
            gradient = gradients.get(entry.key)
            if gradient is not None or not gradients:  # else no loss reaches it
                norms.append(
                    _MatrixNorms(entry.layer, entry.count, entry.share, weight, gradient, change)
                )
        self._waiting.append(_StepNorms(row, loss_scale, norms, self._equal))
        if not self._later or len(norms) * len(self._waiting) > MOST_WAITING:
            self._write_norms()
        now = [(entry, entry.now()) for entry in before]
        known = [(entry, values) for entry, values in now if values is not None]
        self._samples.write(
            row,
            [(entry.layer, values) for entry, values in known],
            [(entry.layer, entry.copy) for entry, _ in known],
            {each.layer for each in norms},
            loss_scale,
        )
        self.forget()

    def _write_norms(self) -> None:
        """Write the norms of the steps that wait, whose numbers are read together."""
        steps, self._waiting = self._waiting, []
        values = iter(values_of([norm for step in steps for norm in step.tensors()]))
        for step in steps:
            step.write(values)

    def complete(self) -> None:
        """Write what the rows of earlier steps still lack."""
        self._write_norms()
        self._samples.complete()

    def forget(self) -> None:
        """Drop what was kept of a step."""
        self.gradient_norms, self._before, self._weight_norms, self._equal = {}, [], [], {}
        self._samples.forget()


class _Before:
    """A weight matrix before a step.

    Args:
        layer: it belongs to.
        parameter: it. Held weakly.
        values: its numbers. Every k-th row of them is copied.
    """

    __slots__ = ("copy", "count", "every", "key", "layer", "reference", "share")

    def __init__(self, layer: WeightedLayer, parameter: nn.Parameter, values: Tensor) -> None:
        self.layer, self.key, self.count = layer.name, id(parameter), values.numel()
        self.reference = weakref.ref(parameter)
        most = MOST_COPIED_OF_TABLE if layer.table else MOST_COPIED
        self.every = 1
        if self.count > most:
            self.every = max(1, min(math.ceil(self.count / most), values.shape[0] // 2))
            values = values[:: self.every]
        self.copy = values.clone()
        self.share = values.numel() / self.count if self.every > 1 else 1.0

    def now(self) -> Tensor | None:
        """The same numbers of the parameter now; None where it is gone or another one."""
        parameter = self.reference()
        values = None if parameter is None else readable(parameter)
        if values is None or values.numel() != self.count:
            return None
        values, copy = values if self.every == 1 else values[:: self.every], self.copy
        same = values.shape == copy.shape and values.dtype is copy.dtype
        return values if same and values.device == copy.device else None


@dataclass(frozen=True, eq=False, slots=True)
class _MatrixNorms:
    """Norms of one weight matrix in a step, not read yet.

    Args:
        layer: it belongs to.
        count: of its numbers.
        share: of the numbers whose change is known.
        weight, gradient, change: the norms; None where there is none.
    """

    layer: str
    count: int
    share: float
    weight: Tensor
    gradient: Tensor | None
    change: Tensor | None


@dataclass(frozen=True, eq=False, slots=True)
class _StepNorms:
    """The norms of a step, to be written into its row.

    Args:
        row: of the step.
        loss_scale: by which gradients are divided.
        matrices: their norms.
        equal: whether the units of a layer have equal weights, where that was looked at.
    """

    row: dict[str, float]
    loss_scale: float
    matrices: list[_MatrixNorms]
    equal: dict[str, bool]

    def tensors(self) -> Iterator[Tensor]:
        """All norms, in the order in which `write` takes their numbers."""
        for each in self.matrices:
            for norm in (each.weight, each.gradient, each.change):
                if norm is not None:
                    yield norm

    def write(self, values: Iterator[float]) -> None:
        """Write the signals of all layers.

        Args:
            values: the numbers of `tensors`.
        """
        totals: dict[str, _Totals] = {}
        for each in self.matrices:
            total = totals.get(each.layer)
            if total is None:
                total = totals[each.layer] = _Totals()
            total.add(each, values)
        for name, total in totals.items():
            total.write(self.row, name, self.loss_scale)
        for name, same in self.equal.items():
            self.row[f"{signals.UNITS_EQUAL}|{name}"] = float(same)


class _Totals:
    """Norms of the matrices of one layer together."""

    def __init__(self) -> None:
        self.weight = self.gradient = self.change = 0.0
        self.count = 0  # of the numbers in matrices with a gradient
        self.has_gradient, self.has_change = False, False

    def add(self, matrix: _MatrixNorms, values: Iterator[float]) -> None:
        self.weight = math.hypot(self.weight, next(values))
        if matrix.gradient is not None:
            self.has_gradient = True
            self.gradient = math.hypot(self.gradient, next(values))
            self.count += matrix.count
        if matrix.change is not None:
            change = next(values)
            if change or matrix.share == 1:  # else other rows than those copied may have changed
                self.has_change = True
                self.change = math.hypot(self.change, change / math.sqrt(matrix.share))

    def write(self, row: dict[str, float], name: str, loss_scale: float) -> None:
        row[f"{signals.WEIGHT_NORM}|{name}"] = self.weight
        if self.has_gradient:
            gradient = self.gradient / loss_scale
            row[f"{signals.GRADIENT_RMS}|{name}"] = gradient / math.sqrt(max(self.count, 1))
            row[f"{signals.GRADIENT_RATIO}|{name}"] = ratio(gradient, self.weight)
        if self.has_change:
            row[f"{signals.UPDATE_RATIO}|{name}"] = ratio(self.change, self.weight)


def changes_of(before: Sequence[_Before]) -> list[Tensor | None]:
    """Norms of the changes since the copies were made, which are overwritten; None where a
    parameter is gone or is another one now."""
    now = [entry.now() for entry in before]
    copies = [e.copy for e, values in zip(before, now, strict=True) if values is not None]
    if copies:
        # The sign does not change the norm.
        torch._foreach_sub_(copies, [values for values in now if values is not None])
    norms = iter(norms_of(copies))
    return [None if values is None else next(norms) for values in now]


def norms_of(tensors: list[Tensor]) -> list[Tensor]:
    """Euclidean norms of tensors of any dtypes and devices, dense or sparse, without waiting for
    their numbers. Norms of 16-bit numbers are computed in 32 bits."""
    if not tensors:
        return []
    first = tensors[0]
    kind = (first.device, first.dtype, torch.strided)
    if first.dtype.itemsize > 2 and not [
        t for t in tensors if (t.device, t.dtype, t.layout) != kind
    ]:
        return list(torch._foreach_norm(tensors))
    norms: list[Tensor] = list(tensors)
    groups: dict[tuple[torch.device, torch.dtype], tuple[list[int], list[Tensor]]] = {}
    for i, tensor in enumerate(tensors):
        values = tensor
        if tensor.layout is not torch.strided:
            values = tensor.coalesce().values() if tensor.is_sparse else tensor.values()
        places, members = groups.setdefault((values.device, values.dtype), ([], []))
        places.append(i)
        members.append(values)
    for (_, dtype), (places, members) in groups.items():
        wide = torch.float32 if dtype.itemsize <= 2 else None
        for i, norm in zip(places, torch._foreach_norm(members, 2, wide), strict=True):
            norms[i] = norm
    return norms


def ratio(part: float, whole: float) -> float:
    """`part / whole`; 0 where both are 0.

    >>> ratio(1.0, 4.0), ratio(0.0, 0.0), ratio(1.0, 0.0)
    (0.25, 0.0, inf)
    """
    if whole > 0:
        return part / whole
    return 0.0 if part == 0 else math.inf
