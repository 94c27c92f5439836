"""Recurrent layers that start from a hidden state that `forward` draws at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.nested import tensors_in
from netwise.observe.operations import Operation

RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell")
DRAWN_BY = ("rand", "normal", "uniform")  # parts of names of functions
FEWEST = 4  # numbers of a state
ALIKE = 0.999  # correlation of a state with drawn numbers, of which it may be a multiple


def drawn_state(module: nn.Module, operations: Sequence[Operation]) -> str:
    """The recurrent layer whose first hidden state consists of numbers that the forward pass has
    drawn; "" without one.

    States that a layer computes from random numbers, as in a generative model, are none.

    Args:
        module: for the layer's name where its class is that of the whole module.
        operations: of one forward pass.
    """
    drawn: list[Tensor] = []
    for each in operations:
        if any(part in each.name for part in DRAWN_BY):
            drawn.append(each.output)
        elif each.name in RECURRENT and drawn:
            states = list(tensors_in(_start_of(each)))
            if any(_is_multiple(state, numbers) for state in states for numbers in drawn):
                return each.layer or type(module).__name__
    return ""


def _start_of(operation: Operation) -> Any:
    """The argument with the first hidden states: behind the lengths of a packed sequence."""
    second, third = (*operation.args, None, None)[1:3]
    is_packed = isinstance(second, Tensor) and not second.is_floating_point()
    return (third if is_packed else second,)


def _is_multiple(state: Tensor, numbers: Tensor) -> bool:
    """Whether a tensor is a multiple of another one, in whatever shape."""
    if state.numel() != numbers.numel() or state.numel() < FEWEST:
        return False
    both = torch.stack([state.detach().double().flatten(), numbers.double().flatten()])
    if not bool((both.std(1) > 0).all()):
        return False
    return bool(torch.corrcoef(both)[0, 1] > ALIKE)
