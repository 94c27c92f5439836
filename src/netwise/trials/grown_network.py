"""Copies of a module with more units in its hidden layers, or with more layers.

Nothing is known of the code between the layers. So all hidden sizes are multiplied by one factor,
which keeps sums and joins of hidden values possible, and whether the copy runs is found by calling
it: code that states a size fails, and then there is no such copy.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from netwise.module_modes import evaluation_mode
from netwise.observe.kept_batches import KeptBatch
from netwise.observe.nested import tensors_in

WIDER, DEEPER = "wider", "deeper"
FEWEST_UNITS, MOST_TIMES = 32, 16  # units that the narrowest layer gets, at most so many times more
MOST_WEIGHTS = 4_000_000  # of a copy that is trained for a trial
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
RECURRENT = (nn.RNN, nn.LSTM, nn.GRU)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def grown(module: nn.Module, how: str, batch: KeptBatch) -> nn.Module | None:
    """The module with other layers in the places of its own; None where it has layers of other
    kinds, none that could be more, or does not run with them. It is changed in place.

    Args:
        module: a copy, which may be changed.
        how: "wider" or "deeper".
        batch: that it is called on.
    """
    dtype = next((p.dtype for p in module.parameters()), torch.float32)
    try:
        layers = _in_order_of_use(module, batch)
        if not layers or not all(name for name, _ in layers) or (how, len(layers)) == (WIDER, 1):
            return None
        before = _shapes(module, batch)
        if how == WIDER:
            _widen(module, layers, times_wider(layers))
        else:
            _deepen(module, layers)
        fits = sum(p.numel() for p in module.parameters()) <= MOST_WEIGHTS
        return module if fits and _shapes(module.to(dtype), batch) == before else None
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError):
        return None


def times_wider(layers: list[tuple[str, nn.Module]]) -> int:
    """The factor on the sizes of hidden layers."""
    sizes = [_units(layer) for _, layer in layers[:-1]]
    needed = math.ceil(FEWEST_UNITS / min(sizes)) if sizes else 1
    return min(max(4, needed), MOST_TIMES)


def factor_of(module: nn.Module, batch: KeptBatch) -> int:
    """The factor by which `grown` makes the hidden layers of this module wider."""
    return times_wider(_in_order_of_use(module, batch) or [])


def _units(layer: nn.Module) -> int:
    for name in ("out_features", "out_channels", "hidden_size", "embedding_dim"):
        if hasattr(layer, name):
            return int(getattr(layer, name))
    raise TypeError(type(layer).__name__)


def _in_order_of_use(module: nn.Module, batch: KeptBatch) -> list[tuple[str, nn.Module]] | None:
    """Layers whose units can be more, as they are called; None where weights are elsewhere."""
    kinds: tuple[Any, ...] = (nn.Linear, nn.Embedding, *CONVOLUTIONS, *RECURRENT)
    names = {layer: name for name, layer in module.named_modules()}
    kept = [m for m in names if type(m) in kinds]
    others = [m for m in names if type(m) not in (*kinds, *NORMS, nn.LayerNorm)]
    if any(True for m in others for _ in m.parameters(recurse=False)) or not kept:
        return None
    if any(getattr(m, "groups", 1) > 1 or getattr(m, "proj_size", 0) for m in kept):
        return None
    called: list[nn.Module] = []
    hooks = [m.register_forward_pre_hook(lambda m, _: called.append(m)) for m in kept]
    try:
        _shapes(module, batch)
    finally:
        for hook in hooks:
            hook.remove()
    used = list(dict.fromkeys(called))
    return [(names[m], m) for m in used] if len(used) == len(kept) == len(called) else None


def _shapes(module: nn.Module, batch: KeptBatch) -> list[tuple[int, ...]]:
    with evaluation_mode(module), torch.no_grad():
        output = module(*batch.args, **batch.kwargs)
    return [tuple(tensor.shape) for tensor in tensors_in(output)]


def _widen(module: nn.Module, layers: list[tuple[str, nn.Module]], times: int) -> None:
    last = len(layers) - 1
    for place, (name, layer) in enumerate(layers):
        inner, outer = times if place else 1, times if place < last else 1
        _put(module, name, _other_sizes(layer, inner, outer))
    for name, layer in list(module.named_modules()):
        if isinstance(layer, NORMS):
            new = type(layer)(
                layer.num_features * times,
                layer.eps,
                layer.momentum,
                layer.affine,
                layer.track_running_stats,
            )
            _put(module, name, new)
        elif isinstance(layer, nn.LayerNorm):
            shape = (*layer.normalized_shape[:-1], layer.normalized_shape[-1] * times)
            _put(module, name, nn.LayerNorm(shape, layer.eps, layer.elementwise_affine))


def _other_sizes(layer: nn.Module, inner: int, outer: int) -> nn.Module:
    """A new layer of the same kind with so many times the inputs and units."""
    if isinstance(layer, nn.Linear):
        has_bias = layer.bias is not None
        return nn.Linear(layer.in_features * inner, layer.out_features * outer, has_bias)
    if isinstance(layer, nn.Embedding):
        return nn.Embedding(layer.num_embeddings, layer.embedding_dim * outer, layer.padding_idx)
    made: Any = layer
    if isinstance(layer, CONVOLUTIONS):
        return type(layer)(
            made.in_channels * inner,
            made.out_channels * outer,
            made.kernel_size,
            made.stride,
            made.padding,
            made.dilation,
            bias=made.bias is not None,
            padding_mode=made.padding_mode,
        )
    return type(layer)(
        made.input_size * inner,
        made.hidden_size * outer,
        made.num_layers,
        bias=made.bias,
        batch_first=made.batch_first,
        dropout=made.dropout,
        bidirectional=made.bidirectional,
    )


def _deepen(module: nn.Module, layers: list[tuple[str, nn.Module]]) -> None:
    """Add a layer of its units behind each hidden layer, or a hidden layer before a lone one."""
    name, lone = layers[0]
    if len(layers) == 1 and isinstance(lone, nn.Linear):
        width = max(64, lone.out_features)
        last = nn.Linear(width, lone.out_features, lone.bias is not None)
        _put(module, name, nn.Sequential(nn.Linear(lone.in_features, width), nn.ReLU(), last))
        return
    for name, layer in layers[:-1]:
        more: Callable[..., nn.Module]
        units = _units(layer)
        if isinstance(layer, nn.Linear):
            more = nn.Linear(units, units)
        elif isinstance(layer, CONVOLUTIONS):
            more = type(layer)(units, units, 3, padding=1)
        else:
            continue
        _put(module, name, nn.Sequential(copy.deepcopy(layer), nn.ReLU(), more))


def _put(module: nn.Module, name: str, layer: nn.Module) -> None:
    """Set a layer by its path."""
    above, _, own = name.rpartition(".")
    setattr(module.get_submodule(above), own, layer)
