"""Hidden states that are drawn, and those that are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from netwise.observe.drawn_states import drawn_state
from netwise.observe.operations import traced

X = torch.rand(4, 5, 2)
SHAPE = (1, 4, 3)


class Recurrent(nn.Module):
    def __init__(self, state: Callable[[], Tensor], packed: bool = False) -> None:
        super().__init__()
        self.state, self.packed = state, packed
        self.rnn, self.inner = nn.LSTM(2, 3, batch_first=True), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        state = self.state()
        x = pack_padded_sequence(x, torch.full((4,), 5), batch_first=True) if self.packed else x
        out: Tensor = self.rnn(x, (state, torch.zeros_like(state)))[1][0]
        return out


def asked(module: nn.Module) -> str:
    with torch.no_grad():
        return drawn_state(module, traced(module, lambda a, k: module(*a), ((X,), {})))


@pytest.mark.parametrize(
    "state",
    [
        lambda: torch.randn(SHAPE),
        lambda: 0.1 * torch.rand(SHAPE),
        lambda: torch.empty(SHAPE).normal_(),
        lambda: nn.init.xavier_uniform_(torch.empty(SHAPE)),
    ],
)
def test_drawn_states(state: Callable[[], Tensor]) -> None:
    assert asked(Recurrent(state)) == "rnn"


def test_a_packed_sequence_and_a_cell() -> None:
    class Cell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(2, 3)

        def forward(self, x: Tensor) -> Tensor:
            h = torch.randn(len(x), 3)
            for place in range(x.shape[1]):
                h = self.cell(x[:, place], h)
            return h

    assert asked(Recurrent(lambda: torch.randn(SHAPE), packed=True)) == "rnn"
    assert asked(Cell()) == "cell"


def test_healthy_neighbours() -> None:
    assert asked(Recurrent(lambda: torch.zeros(SHAPE))) == ""
    assert asked(Recurrent(lambda: torch.zeros(SHAPE), packed=True)) == ""
    module = Recurrent(lambda: torch.zeros(SHAPE))
    module.state = lambda: torch.tanh(module.inner(torch.randn(SHAPE)))  # a latent variable
    assert asked(module) == ""
