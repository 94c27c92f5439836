"""Weights of recurrent layers that no output depends on: an upper layer, one of two directions, or
the recurrence itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from netwise.first_batch import (
    BACKWARD_RECURRENCE,
    FORWARD_DIRECTION,
    RECURRENCE_ITSELF,
    STATE,
    UPPER_LAYERS,
)
from netwise.observe.nested import tensors_in
from netwise.observe.output_gradients import all_trained, random_sum

_Recurrent = nn.RNNBase | nn.RNNCellBase


@dataclass(frozen=True)
class UnusedRecurrence:
    """What of a recurrent layer is not used.

    Args:
        layer: its name.
        part: `UPPER_LAYERS`, `FORWARD_DIRECTION`, `BACKWARD_RECURRENCE`, `RECURRENCE_ITSELF` or
            `STATE`.
        places: of its sequences; of a cell its calls in a pass.
    """

    layer: str
    part: str
    places: int


def unused_recurrence(
    module: nn.Module, call: Callable[[Any, Any], list[Tensor]], args: Any, kwargs: Any
) -> UnusedRecurrence | None:
    """The first recurrent layer of which a part gets a gradient of exactly 0 from every output,
    while the rest of it gets another one; None without one. Only inside of `undisturbed`.

    A layer of one place whose state goes on to another call, by an argument or an output, has its
    recurrence across calls.

    Args:
        module: a copy that `call` calls.
        call: gives its outputs.
        args, kwargs: of one call.

    Example:
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.gru = nn.GRU(2, 3, bidirectional=True, batch_first=True)
        ...     def forward(self, x):
        ...         return self.gru(x)[0][:, -1]
        >>> net = Net()
        >>> unused_recurrence(net, lambda args, kwargs: [net(*args)], (torch.randn(4, 6, 2),), {})
        UnusedRecurrence(layer='gru', part='backward recurrence', places=6)
    """
    layers = {
        part: name
        for name, part in module.named_modules()
        if isinstance(part, nn.RNNBase | nn.RNNCellBase)
    }
    if not layers:
        return None
    with all_trained(p for layer in layers for p in layer.parameters()):
        calls, outputs = _called(layers, call, args, kwargs)
        gradients = _gradients(list(layers), outputs)
    for layer, name in layers.items():
        seen = calls[layer]
        part = ""
        if isinstance(layer, nn.RNNCellBase):
            used = gradients.get(layer.weight_ih, False) and seen.places > 1
            part = STATE if used and not gradients.get(layer.weight_hh, False) else ""
        elif seen.places:
            part = _unused(layer, gradients, seen.places)
        if part == RECURRENCE_ITSELF and (seen.is_given or _goes_on(seen.states, outputs)):
            continue
        if part:
            return UnusedRecurrence(name or type(layer).__name__, part, seen.places)
    return None


@dataclass
class _Calls:
    """Calls of one layer in a pass.

    Args:
        places: the most of a sequence; of a cell its calls.
        is_given: whether a state was given.
        states: after the calls.
    """

    places: int = 0
    is_given: bool = False
    states: list[Tensor] = field(default_factory=list)


def _called(
    layers: dict[_Recurrent, str], call: Callable[[Any, Any], list[Tensor]], args: Any, kwargs: Any
) -> tuple[dict[_Recurrent, _Calls], list[Tensor]]:
    calls = {layer: _Calls() for layer in layers}

    def note(layer: _Recurrent, given: Any, named: Any, output: Any) -> None:
        seen = calls[layer]
        if isinstance(layer, nn.RNNCellBase):
            seen.places += 1
            return
        first = given[0] if given else named["input"]
        packed = getattr(first, "batch_sizes", None)
        if packed is not None:
            places = len(packed)
        else:
            places = first.shape[1 if layer.batch_first and first.dim() == 3 else 0]
        seen.places = max(seen.places, places)
        seen.is_given |= (len(given) > 1 and given[1] is not None) or named.get("hx") is not None
        seen.states += tensors_in(output[1])

    handles = [layer.register_forward_hook(note, with_kwargs=True) for layer in layers]
    try:
        outputs = call(args, kwargs)
    finally:
        for handle in handles:
            handle.remove()
    return calls, outputs


def _gradients(layers: Sequence[_Recurrent], outputs: Sequence[Tensor]) -> dict[Tensor, bool]:
    """For each weight whether the outputs depend on it."""
    weights = [p for layer in layers for p in layer.parameters()]
    total = random_sum(outputs)
    if total is None:
        return {}
    found: Sequence[Tensor | None] = torch.autograd.grad(total, weights, allow_unused=True)
    return {
        p: gradient is not None and bool((gradient != 0).any())
        for p, gradient in zip(weights, found, strict=True)
    }


def _unused(layer: nn.RNNBase, reached: dict[Tensor, bool], places: int) -> str:
    """The part of a layer that gets no gradient; "" for none, and where no part gets one."""
    suffixes = ("", "_reverse") if layer.bidirectional else ("",)

    def used(kind: str, number: int, suffix: str) -> bool:
        return reached.get(getattr(layer, f"weight_{kind}_l{number}{suffix}"), False)

    def all_of(kind: str) -> Iterator[bool]:
        return (used(kind, n, each) for n in range(layer.num_layers) for each in suffixes)

    last = layer.num_layers - 1
    if not any(all_of("ih")):
        return ""
    if not any(used("ih", last, each) for each in suffixes):
        return UPPER_LAYERS
    if not used("ih", last, "") and used("ih", last, "_reverse"):
        return FORWARD_DIRECTION
    if not any(all_of("hh")):
        return RECURRENCE_ITSELF if places == 1 else ""
    backward = layer.bidirectional and used("ih", last, "_reverse")
    if backward and used("hh", last, "") and not used("hh", last, "_reverse"):
        return BACKWARD_RECURRENCE
    return ""


def _goes_on(states: Sequence[Tensor], outputs: Sequence[Tensor]) -> bool:
    """Whether the state after a call is given to the caller, for another one."""
    return any(
        state.numel() == output.numel() and torch.equal(state.flatten(), output.flatten().to(state))
        for state in states
        for output in outputs
    )
