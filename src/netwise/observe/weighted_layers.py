"""The layers of a module that have weight matrices, and what their units are."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from netwise.observe.readable import readable

ROOT = "(network)"  # the name of a module that is a layer itself
ROUNDING = 1e-5  # of the largest weight of a layer; units that are drawn differ by far more

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_TABLES = (nn.Embedding, nn.EmbeddingBag)
# Modules whose output is linear in their input. The output of every other layer may be nonlinear.
_LINEAR = (nn.Linear, nn.Bilinear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TRANSPOSED, *_TABLES)


@dataclass(frozen=True, eq=False)
class WeightedLayer:
    """A layer with weight matrices, held weakly.

    Args:
        name: its dotted name in the module.
        kind: its class.
        reference: to the layer.
        linear: whether its outputs are linear in its inputs. False for recurrent layers, attention
            and classes that are not of torch.
        table: whether it is an embedding: each sample uses few rows of its weights.
    """

    name: str
    kind: str
    reference: weakref.ref[nn.Module]
    linear: bool = False
    table: bool = False

    def weights(self) -> list[nn.Parameter]:
        """Its weight matrices as they are now; none where the layer is gone."""
        layer = self.reference()
        return [] if layer is None else own_matrices(layer)


def weighted_layer(name: str, layer: nn.Module) -> WeightedLayer:
    """The `WeightedLayer` of a module."""
    kind = type(layer)
    # A subclass with a `forward` of its own may compute anything.
    linear = any(isinstance(layer, k) and kind.forward is k.forward for k in _LINEAR)
    table = isinstance(layer, _TABLES)
    return WeightedLayer(name, _own_class(kind), weakref.ref(layer), linear, table)


def _own_class(kind: type) -> str:
    """The name of a class, or of the one that torch has made it from, such as "Linear" for
    "FSDPLinear" and "ParametrizedLinear"."""
    for prefix in ("Parametrized", "FSDP"):
        name = kind.__name__.removeprefix(prefix)
        if name in [base.__name__ for base in kind.__mro__[1:]]:
            return name
    return kind.__name__


def layers_with_weights(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules with weight matrices of their own and their names, in the order of registration.

    Not among them: norm layers, whose parameters are vectors, and containers that hold a single
    table beside their layers.
    """
    found = []
    for name, layer in module.named_modules():
        alone = (
            not layer._modules
            or isinstance(layer, nn.MultiheadAttention)
            or "parametrizations" in layer._modules
        )
        if alone and own_matrices(layer):
            found.append((name or ROOT, layer))
    return found


def own_matrices(layer: nn.Module) -> list[nn.Parameter]:
    """The parameters of a layer itself with at least two axes; of a parametrized weight its
    originals. Packed and uninitialised ones are left out."""
    holders = [layer]
    if "parametrizations" in layer._modules:
        holders += layer._modules["parametrizations"].children()  # type: ignore[union-attr]
    return [
        p
        for holder in holders
        for p in holder._parameters.values()
        if p is not None and _is_trainable_matrix(p)
    ]


def _is_trainable_matrix(p: Any) -> bool:
    """Whether it has several axes, and numbers of a kind that is trained: not packed ones."""
    if type(p) is nn.Parameter and p.dtype is torch.float32:  # the usual case, in short time
        return bool(p.dim() > 1)
    if is_lazy(p) or p.dim() < 2:
        return False
    return bool(p.is_complex() or (p.is_floating_point() and p.dtype.itemsize > 1))


def modules_in(module: nn.Module) -> list[nn.Module]:
    """It and all modules in it, each once: many times faster than `modules()`."""
    found, stack = {id(module): module}, [module]
    while stack:
        for child in stack.pop()._modules.values():
            if child is not None and id(child) not in found:
                found[id(child)] = child
                stack.append(child)
    return list(found.values())


def main_matrix(weights: Sequence[Tensor]) -> Tensor:
    """The first matrix that is more than a factor of each unit (as `weight_norm` has)."""
    return next((w for w in weights if w.numel() > w.shape[0]), weights[0])


def axis_of_units(layer: nn.Module, main: Tensor, width: int = 0) -> int:
    """The axis of a layer's weight matrices that counts its units.

    Args:
        layer: it.
        main: its `main_matrix`.
        width: of its outputs, where known. It decides for classes that are not of torch.

    >>> layer = nn.ConvTranspose2d(3, 8, 2)
    >>> axis_of_units(layer, layer.weight)
    1
    """
    if isinstance(layer, _TRANSPOSED):
        return 1 if layer.groups == 1 else 0
    if isinstance(layer, _TABLES):
        return 1
    of_torch = type(layer).__module__.startswith("torch.nn.")
    if not of_torch and not isinstance(layer, _LINEAR) and main.dim() == 2:
        return 1 if main.shape[1] == width != main.shape[0] else 0
    return 0


def units_equal(weights: Sequence[Tensor], axis: int = 0) -> bool:
    """Whether all units have the same weights, up to the rounding of equal gradients: matrix
    products add the numbers of different columns in different orders on some processors.

    >>> units_equal([torch.tensor([[0.5, 1.0], [0.5000001, 1.0]])])
    True
    """
    for p in weights:
        values = readable(p)
        if values is None or not values.numel():
            return False
        first = values.narrow(axis, 0, 1)
        # Two units first: most layers differ there, and need no comparison of all.
        if not _equal(first, values.narrow(axis, values.shape[axis] - 1, 1)):
            return False
        if not _equal(values, first.expand_as(values)):
            return False
    return True


def _equal(one: Tensor, other: Tensor) -> bool:
    """Whether values differ by no more than rounding, compared with the largest of them."""
    if one.is_complex() or not one.is_floating_point():
        return torch.equal(one, other)
    return bool((one - other).abs().max() <= ROUNDING * one.abs().max())


def in_order(registered: Sequence[str], used: Sequence[str]) -> list[str]:
    """Names in their order of use. One that was not used follows the one registered before it, but
    never the last one used, whose outputs are those of the module.

    >>> in_order(["attention", "attention.out_proj", "head", "spare"], ["attention", "head"])
    ['attention', 'attention.out_proj', 'spare', 'head']
    """
    known = set(registered)
    order = list(dict.fromkeys(name for name in used if name in known))
    if not order:
        return list(registered)
    last, place = order.pop(), 0
    for name in registered:
        if name in order:
            place = order.index(name) + 1
        elif name != last:
            order.insert(place, name)
            place += 1
        else:
            place = len(order)
    return [*order, last]
