"""What a hidden state is worth that goes from one batch to the next."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import netwise as nw
from netwise.diagnosis.rules.carried_states import hidden_state_carried

ROWS, PLACES, STEPS = 64, 4, 90


class Follower(nn.Module):
    """Keeps its state from call to call."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.is_cell = kind == "cell"
        self.rnn: nn.Module = {"cell": nn.GRUCell, "LSTM": nn.LSTM}.get(kind, nn.GRU)(1, 16)
        self.out = nn.Linear(16, 1)
        self.state: Tensor | tuple[Tensor, ...] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.is_cell:
            state: Tensor | None = self.state  # type: ignore[assignment]
            for place in x:
                state = self.rnn(place, state)
            assert state is not None
            self.state = state.detach()
            answer: Tensor = self.out(state)
            return answer[:, 0]
        output, last = self.rnn(x, self.state)
        self.state = tuple(t.detach() for t in last) if type(last) is tuple else last.detach()
        answer = self.out(output[-1])
        return answer[:, 0]


def watched(kind: str, continues: bool, resets: bool) -> nw.History:
    """Train to add up the inputs of a batch, or to forget slowly those of all batches so far."""
    torch.manual_seed(0)
    net = Follower(kind)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    mean = torch.zeros(ROWS)
    with nw.watch(every=1) as w:
        for _ in range(STEPS):
            x = torch.randn(PLACES, ROWS, 1)
            if not continues:
                mean = torch.zeros(ROWS)
            for place in x:
                mean = 0.8 * mean + 0.5 * place[:, 0]
            if resets:
                net.state = None
            optimizer.zero_grad()
            nn.functional.mse_loss(net(x), mean).backward()
            optimizer.step()
    assert w.errors == ()
    return w.history()


@pytest.mark.parametrize("kind", ["LSTM", "cell"])
def test_a_state_of_other_sequences_is_worth_nothing(kind: str) -> None:
    history = watched(kind, continues=False, resets=False)
    wiring = history.wiring
    assert wiring is not None
    assert wiring.carried_state == "rnn"
    noise, worth, error, unexplained = wiring.carried_worth
    assert noise > 0.01
    assert abs(worth) < 0.2 + 2 * error
    assert unexplained < 0.9


def test_a_state_of_the_same_sequences_is_worth_all() -> None:
    history = watched("GRU", continues=True, resets=False)
    wiring = history.wiring
    assert wiring is not None
    _, worth, error, _ = wiring.carried_worth
    assert worth == pytest.approx(1.0, abs=0.2 + 2 * error)
    assert hidden_state_carried(history) is None


def test_a_state_that_begins_anew_is_not_carried() -> None:
    wiring = watched("GRU", continues=False, resets=True).wiring
    assert wiring is not None
    assert (wiring.carried_state, wiring.carried_worth) == ("", ())
