"""The weights of a module's layers in one step: their norms, gradients and changes.

`LayerWeights` reads the parameters anew at each watched step, since programs replace layers and
parameters. Between steps it holds weak references only.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Collection, Iterable, Mapping, Sequence

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


class LayerWeights:
    """Of one module: its layers with weights, and what one watched step does to these.

    Args:
        module: it.
        later: rows get the signals of samples by `complete`, many together. Default: at once.
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
        gradients, before, weights = self.gradient_norms, self._before, self._weight_norms
        changes = changes_of(before)
        found: list[tuple[str, _Before, Tensor]] = []
        for entry, weight, change in zip(before, weights, changes, strict=True):
            gradient = gradients.get(entry.key)
            if gradient is None and gradients:
                continue  # no loss reaches it
            found.append((signals.WEIGHT_NORM, entry, weight))
            if gradient is not None:
                found.append((signals.GRADIENT_RATIO, entry, gradient))
            if change is not None:
                found.append((signals.UPDATE_RATIO, entry, change))
        totals: dict[str, _Totals] = {}
        values = values_of([value for _, _, value in found])
        for (signal, entry, _), value in zip(found, values, strict=True):
            total = totals.get(entry.layer)
            if total is None:
                total = totals[entry.layer] = _Totals()
            total.add(signal, entry, value)
        for name, total in totals.items():
            total.write(row, name, loss_scale)
        for name, same in self._equal.items():
            row[f"{signals.UNITS_EQUAL}|{name}"] = float(same)
        now = [(entry, entry.now()) for entry in before]
        known = [(entry, values) for entry, values in now if values is not None]
        self._samples.write(
            row,
            [(entry.layer, values) for entry, values in known],
            [(entry.layer, entry.copy) for entry, _ in known],
            set(totals),
            loss_scale,
        )
        self.forget()

    def complete(self) -> None:
        """Write what the rows of earlier steps still lack."""
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

    __slots__ = ("copy", "count", "every", "key", "layer", "reference")

    def __init__(self, layer: WeightedLayer, parameter: nn.Parameter, values: Tensor) -> None:
        self.layer, self.key, self.count = layer.name, id(parameter), values.numel()
        self.reference = weakref.ref(parameter)
        most = MOST_COPIED_OF_TABLE if layer.table else MOST_COPIED
        self.every = 1
        if self.count > most:
            self.every = max(1, min(math.ceil(self.count / most), values.shape[0] // 2))
            values = values[:: self.every]
        self.copy = values.clone()

    def now(self) -> Tensor | None:
        """The same numbers of the parameter now; None where it is gone or another one."""
        parameter = self.reference()
        values = None if parameter is None else readable(parameter)
        if values is None or values.numel() != self.count:
            return None
        values, copy = values if self.every == 1 else values[:: self.every], self.copy
        same = values.shape == copy.shape and values.dtype is copy.dtype
        return values if same and values.device == copy.device else None


class _Totals:
    """Squared norms of the matrices of one layer."""

    def __init__(self) -> None:
        self.weight = self.gradient = self.change = 0.0
        self.count = 0  # of the numbers in matrices with a gradient
        self.has_gradient, self.has_change = False, False

    def add(self, signal: str, entry: _Before, norm: float) -> None:
        if signal is signals.WEIGHT_NORM:
            self.weight = math.hypot(self.weight, norm)
        elif signal is signals.GRADIENT_RATIO:
            self.has_gradient = True
            self.gradient = math.hypot(self.gradient, norm)
            self.count += entry.count
        elif norm or entry.every == 1:  # other rows than those copied may have changed
            self.has_change = True
            share = entry.copy.numel() / entry.count if entry.count else 1.0
            self.change = math.hypot(self.change, norm / math.sqrt(share))

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
