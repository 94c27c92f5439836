"""The weight matrices of a module's layers: their norms, gradients and changes in one step.

`LayerWeights` reads them anew at each watched step, since programs replace layers and parameters.
Between steps it holds weak references only.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from netwise import signals
from netwise.history import Layer
from netwise.observe.readable import readable, values_of

ROOT = "(network)"  # the name of a module that is a layer itself

# Modules whose output is linear in their input. The output of every other layer may be nonlinear.
LINEAR_LAYERS = (
    nn.Linear,
    nn.Bilinear,
    nn.Embedding,
    nn.EmbeddingBag,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
_UNITS_SECOND = (nn.Embedding, nn.EmbeddingBag)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@dataclass(frozen=True, eq=False)
class WeightedLayer:
    """A layer with weight matrices, held weakly.

    Args:
        name: its dotted name in the module.
        kind: its class.
        reference: to the layer.
        linear: whether its outputs are linear in its inputs.
    """

    name: str
    kind: str
    reference: weakref.ref[nn.Module]
    linear: bool

    def weights(self) -> list[nn.Parameter]:
        """Its weight matrices as they are now; none where the layer is gone."""
        layer = self.reference()
        return [] if layer is None else own_matrices(layer)


class LayerWeights:
    """Of one module: its layers with weights, and what one watched step does to these."""

    def __init__(self, module: nn.Module) -> None:
        self._module = weakref.ref(module)
        self._modules_seen: list[int] = []
        self.by_id: dict[int, WeightedLayer] = {}
        self.gradient_norms: dict[int, Tensor] = {}  # by id of the parameter
        self._started_equal: dict[str, bool] = {}  # the units of a layer had equal weights
        self._before: list[_Before] = []
        self.refresh()

    def refresh(self) -> None:
        """Find the layers again where modules were added, removed or replaced."""
        module = self._module()
        if module is None:
            return
        ids = _ids_of_modules(module)
        alive = all(layer.reference() is not None for layer in self.by_id.values())
        if ids == self._modules_seen and alive:
            return
        self._modules_seen = ids
        self.by_id = {
            id(layer): _watched(name, layer) for name, layer in layers_with_weights(module)
        }

    def read_again(self) -> None:
        """As `refresh`, also where only parameters were added, as lazy layers do."""
        self._modules_seen = []
        self.refresh()

    @property
    def has_lazy_layers(self) -> bool:
        """Whether there are parameters that get their shape in the first forward pass."""
        module = self._module()
        return module is not None and any(is_lazy(p) for p in module.parameters())

    def owners(self) -> dict[int, str]:
        """The names of layers by the identities of their weights."""
        return {id(p): layer.name for layer in self.by_id.values() for p in layer.weights()}

    def layer(self, module: nn.Module) -> WeightedLayer | None:
        """The layer with weights that this module is; None where it is another one."""
        found = self.by_id.get(id(module))
        return found if found is not None and found.reference() is module else None

    def described(self, order: Sequence[str], activations: dict[str, str]) -> tuple[Layer, ...]:
        """All layers, first in this order of use."""
        by_name = {layer.name: layer for layer in self.by_id.values()}
        described = []
        for name in in_order(list(by_name), order):
            layer = by_name[name]
            weights = layer.weights()
            if not weights:
                continue
            module = layer.reference()
            assert module is not None
            axis = axis_of_units(module)
            main = main_matrix(weights)
            units = main.shape[axis]
            if name not in self._started_equal:
                self._started_equal[name] = units > 1 and units_equal(weights, axis)
            described.append(
                Layer(
                    name,
                    layer.kind,
                    main.numel() // units if units else 0,
                    units,
                    activations.get(name, ""),
                    any(p.requires_grad for p in weights),
                    self._started_equal[name],
                )
            )
        return tuple(described)

    def backward_ends(self) -> None:
        """Keep the norms of all gradients of the module, without waiting for their numbers."""
        module = self._module()
        self.gradient_norms = {}
        if module is None:
            return
        parameters = [p for p in module.parameters() if p.grad is not None]
        gradients = [readable(p.grad) for p in parameters]  # type: ignore[arg-type]
        pairs = [(p, g) for p, g in zip(parameters, gradients, strict=True) if g is not None]
        norms = norms_of([g for _, g in pairs])
        self.gradient_norms = {id(p): n for (p, _), n in zip(pairs, norms, strict=True)}

    def step_begins(self) -> set[str]:
        """Copy the weights that may change in this step. Returns the names of their layers."""
        self._before = []
        for layer in self.by_id.values():
            for p in layer.weights():
                now = readable(p) if p.requires_grad else None
                if now is not None:
                    self._before.append(_Before(layer.name, weakref.ref(p), id(p), now.clone()))
        return {entry.layer for entry in self._before}

    def step_ends(self, row: dict[str, float], loss_scale: float) -> None:
        """Write the signals of the weights into a row, and forget what was copied."""
        before, self._before = self._before, []
        norms, self.gradient_norms = self.gradient_norms, {}
        if norms:
            before = [entry for entry in before if entry.key in norms]
        weights = norms_of([entry.copy for entry in before])
        self._record_gradients(row, before, weights, norms, loss_scale)

    def _record_gradients(
        self,
        row: dict[str, float],
        before: list[_Before],
        weights: list[Tensor],
        norms: dict[int, Tensor],
        loss_scale: float,
    ) -> None:
        changes = changes_of(before)
        gradients = [norms[entry.key] for entry in before if entry.key in norms]
        found = values_of([*weights, *gradients, *(c for c in changes if c is not None)])
        numbers = iter(found)
        totals: dict[str, _Totals] = {}
        for entry in before:
            total = totals.setdefault(entry.layer, _Totals())
            total.weight.append(next(numbers))
            total.count += entry.copy.numel()
        for entry in before:
            if entry.key in norms:
                totals[entry.layer].gradient.append(next(numbers) / loss_scale)
        for entry, change in zip(before, changes, strict=True):
            if change is not None:
                totals[entry.layer].change.append(next(numbers))
        for name, total in totals.items():
            total.write(row, name)

    def record_equal_units(self, row: dict[str, float], hidden: Iterable[str]) -> None:
        """Whether the units of the hidden layers that started equal still are."""
        names = {name for name in hidden if self._started_equal.get(name)}
        if not names:
            return
        for layer in self.by_id.values():
            if layer.name in names:
                module, weights = layer.reference(), layer.weights()
                if module is not None and weights:
                    same = units_equal(weights, axis_of_units(module))
                    row[f"{signals.UNITS_EQUAL}|{layer.name}"] = float(same)

    def forget(self) -> None:
        """Drop what was kept of a step."""
        self._before, self.gradient_norms = [], {}


@dataclass(frozen=True, eq=False)
class _Before:
    """A weight matrix before a step."""

    layer: str
    parameter: weakref.ref[nn.Parameter]
    key: int
    copy: Tensor

    def now(self) -> Tensor | None:
        """The numbers of the parameter now."""
        parameter = self.parameter()
        return None if parameter is None else readable(parameter)


class _Totals:
    """Norms of the matrices of one layer."""

    def __init__(self) -> None:
        self.weight: list[float] = []
        self.gradient: list[float] = []
        self.change: list[float] = []
        self.count = 0

    def write(self, row: dict[str, float], name: str) -> None:
        norm = math.hypot(*self.weight)
        row[f"{signals.WEIGHT_NORM}|{name}"] = norm
        if self.gradient:
            gradient = math.hypot(*self.gradient)
            row[f"{signals.GRADIENT_RMS}|{name}"] = gradient / math.sqrt(max(self.count, 1))
            row[f"{signals.GRADIENT_RATIO}|{name}"] = ratio(gradient, norm)
        if self.change:
            row[f"{signals.UPDATE_RATIO}|{name}"] = ratio(math.hypot(*self.change), norm)


def changes_of(before: list[_Before]) -> list[Tensor | None]:
    """Norms of the changes since the copies were made, which are overwritten; None where a
    parameter is gone or is another one now."""
    places, copies, now = [], [], []
    for i, entry in enumerate(before):
        value, copy = entry.now(), entry.copy
        if value is not None and (value.shape, value.dtype, value.device) == (
            copy.shape,
            copy.dtype,
            copy.device,
        ):
            places.append(i)
            copies.append(copy)
            now.append(value)
    changes: list[Tensor | None] = [None] * len(before)
    if copies:
        # The sign does not change the norm.
        torch._foreach_sub_(copies, now)
        for i, norm in zip(places, norms_of(copies), strict=True):
            changes[i] = norm
    return changes


def norms_of(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Euclidean norms of tensors of any dtypes and devices, dense or sparse, without waiting for
    their numbers. Norms of 16-bit numbers are computed in 32 bits."""
    norms: list[Tensor | None] = [None] * len(tensors)
    groups: dict[tuple[torch.device, torch.dtype], tuple[list[int], list[Tensor]]] = {}
    for i, tensor in enumerate(tensors):
        values = tensor
        if tensor.layout is not torch.strided:
            values = tensor.coalesce().values() if tensor.is_sparse else tensor.values()
        places, members = groups.setdefault((values.device, values.dtype), ([], []))
        places.append(i)
        members.append(values)
    for (_, dtype), (places, members) in groups.items():
        wide = torch.float32 if dtype.itemsize == 2 else None
        found = torch._foreach_norm(members, 2, wide)
        for i, norm in zip(places, found, strict=True):
            norms[i] = norm
    return [norm for norm in norms if norm is not None]


def weighted_layers(module: nn.Module) -> dict[str, list[nn.Parameter]]:
    """The weight matrices of each module that has any of its own, by name in the order of
    registration.

    Not among them: norm layers, whose parameters are vectors, and containers that hold a single
    table beside their layers.
    """
    return {name: own_matrices(layer) for name, layer in layers_with_weights(module)}


def layers_with_weights(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules with weight matrices of their own and their names, as in `weighted_layers`."""
    found = []
    for name, layer in module.named_modules():
        if (
            not layer._modules
            or isinstance(layer, nn.MultiheadAttention)
            or "parametrizations" in layer._modules
        ) and own_matrices(layer):
            found.append((name or ROOT, layer))
    return found


def own_matrices(layer: nn.Module) -> list[nn.Parameter]:
    """The parameters of a layer itself with at least two axes; of a parametrized weight its
    originals. Packed and uninitialised ones are left out."""
    holders = [layer]
    originals = layer._modules.get("parametrizations")
    if originals is not None:
        holders += originals.children()
    own = [p for holder in holders for p in holder._parameters.values() if p is not None]
    return [p for p in own if _is_trainable_matrix(p)]


def _is_trainable_matrix(p: Any) -> bool:
    """Whether it has several axes, and numbers of a kind that is trained: not packed ones."""
    if is_lazy(p) or p.dim() < 2:
        return False
    return bool(p.is_complex() or (p.is_floating_point() and p.dtype.itemsize > 1))


def main_matrix(weights: Sequence[Tensor]) -> Tensor:
    """The first matrix that is more than a factor of each unit (as `weight_norm` has)."""
    return next((w for w in weights if w.numel() > w.shape[0]), weights[0])


def axis_of_units(layer: nn.Module) -> int:
    """The axis of a layer's weight matrices that counts its units.

    >>> axis_of_units(nn.ConvTranspose2d(3, 8, 2)), axis_of_units(nn.Linear(3, 8))
    (1, 0)
    """
    if isinstance(layer, _UNITS_SECOND) or type(layer).__name__ == "Conv1D":  # of transformers
        return 1
    return 1 if isinstance(layer, _TRANSPOSED) and layer.groups == 1 else 0


def units_equal(weights: Sequence[Tensor], axis: int = 0) -> bool:
    """Whether all units have the same weights."""
    for p in weights:
        values = readable(p)
        if values is None:
            return False
        first = values.narrow(axis, 0, 1)
        # Two units first: most layers differ there, and need no comparison of all.
        if not torch.equal(first, values.narrow(axis, values.shape[axis] - 1, 1)):
            return False
        if not torch.equal(values, first.expand_as(values)):
            return False
    return True


def in_order(registered: Sequence[str], used: Sequence[str]) -> list[str]:
    """Names in their order of use. One that was not used follows the one registered before it, but
    never the last one used, whose outputs are those of the module."""
    order = list(dict.fromkeys(name for name in used if name in registered))
    if not order:
        return list(registered)
    last, place = order[-1], 0
    for name in registered:
        if name in order:
            place = order.index(name) + 1
        else:
            place = min(place, order.index(last))
            order.insert(place, name)
            place += 1
    return order


def ratio(part: float, whole: float) -> float:
    """`part / whole`; 0 where both are 0."""
    if whole > 0:
        return part / whole
    return 0.0 if part == 0 else math.inf


def _watched(name: str, layer: nn.Module) -> WeightedLayer:
    kind = type(layer)
    # A subclass with a `forward` of its own may compute anything.
    linear = any(isinstance(layer, k) and kind.forward is k.forward for k in LINEAR_LAYERS)
    if "parametrizations" in layer._modules:
        kind = kind.__mro__[1]  # torch has made a class "ParametrizedLinear" for it
    return WeightedLayer(name, kind.__name__, weakref.ref(layer), linear)


def _ids_of_modules(module: nn.Module) -> list[int]:
    """The identities of all modules in it: many times faster than `named_modules`."""
    ids, stack = {id(module): None}, [module]
    while stack:
        for child in stack.pop()._modules.values():
            if child is not None and id(child) not in ids:
                ids[id(child)] = None
                stack.append(child)
    return list(ids)
