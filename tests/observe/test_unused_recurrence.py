"""Tests of finding what of a recurrent layer no output depends on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.unused_recurrence import recurrence_unused, sequences_of_one_place
from netwise.first_batch import (
    BACKWARD_RECURRENCE,
    FORWARD_DIRECTION,
    RECURRENCE_ITSELF,
    STATE,
    UPPER_LAYERS,
)
from netwise.observe.first_batch_probes import first_batch_of

Read = Callable[[Tensor, Tensor], Tensor]  # output and h_n -> what the head gets
BATCH, PLACES, WIDTH = 12, 7, 5


class Net(nn.Module):
    """A recurrent layer and a head that reads a part of what it returns."""

    def __init__(self, kind: type[nn.RNNBase], read: Read, width: int, **options: object) -> None:
        super().__init__()
        self.rnn = kind(3, WIDTH, batch_first=True, **options)  # type: ignore[arg-type]
        self.read, self.head = read, nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        output, state = self.rnn(x)
        return self.head(self.read(output, state[0] if isinstance(state, tuple) else state))


def unused(net: nn.Module, places: int = PLACES) -> str:
    torch.manual_seed(0)
    facts = first_batch_of(net, (torch.randn(BATCH, places, 3),), {})
    assert not facts.unused_part or facts.unused_recurrence == "rnn"
    return facts.unused_part


BOTH = {"bidirectional": True}


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
def test_parts_that_are_not_read_are_found(kind: type[nn.RNNBase]) -> None:
    """Against the weights that have no gradient in a step of the program."""
    cases: list[tuple[str, Read, int, dict[str, object], str]] = [
        (UPPER_LAYERS, lambda o, h: h[0], 5, {"num_layers": 2}, "l1"),
        (UPPER_LAYERS, lambda o, h: h[1], 5, {"num_layers": 3}, "l2"),
        (FORWARD_DIRECTION, lambda o, h: h[-1], 5, BOTH, "weight_ih_l0"),
        (FORWARD_DIRECTION, lambda o, h: h[-1], 5, {**BOTH, "num_layers": 2}, "weight_ih_l1"),
        (BACKWARD_RECURRENCE, lambda o, h: o[:, -1], 10, BOTH, "weight_hh_l0_reverse"),
    ]
    for part, read, width, options, weight in cases:
        net = Net(kind, read, width, **options)
        assert unused(net) == part, (kind, part)
        net(torch.randn(BATCH, PLACES, 3)).square().sum().backward()
        idle = {name for name, p in net.rnn.named_parameters() if not p.grad.any()}
        assert any(name.endswith(weight) for name in idle)


def test_layers_that_are_used_whole_are_not_found() -> None:
    joined: Read = lambda o, h: torch.cat([h[-2], h[-1]], 1)  # noqa: E731
    for net in (
        Net(nn.GRU, lambda o, h: h[-1], 5, num_layers=2),
        Net(nn.LSTM, lambda o, h: o[:, -1], 5, num_layers=2),
        Net(nn.GRU, joined, 10, num_layers=2, **BOTH),
        Net(nn.GRU, lambda o, h: o.mean(1), 10, **BOTH),
        Net(nn.RNN, lambda o, h: o, 5),
    ):
        assert unused(net) == ""


def test_a_head_of_zeros_hides_the_layer_without_a_finding() -> None:
    net = Net(nn.GRU, lambda o, h: h[0], 5, num_layers=2)
    nn.init.zeros_(net.head.weight)
    assert unused(net) == ""


def test_sequences_of_one_place_are_found() -> None:
    assert unused(Net(nn.LSTM, lambda o, h: h[-1], 5), places=1) == RECURRENCE_ITSELF
    assert unused(Net(nn.GRU, lambda o, h: h[-1], 5, num_layers=2), places=1) == RECURRENCE_ITSELF


class Stepwise(nn.Module):
    """One place a call; the state is carried over by the caller, or kept by the module."""

    def __init__(self, keeps: bool) -> None:
        super().__init__()
        self.rnn, self.head, self.keeps = nn.GRU(3, 5, batch_first=True), nn.Linear(5, 2), keeps
        self.state: Tensor | None = None

    def forward(self, x: Tensor, state: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        output, after = self.rnn(x, self.state if self.keeps else state)
        if self.keeps:
            self.state = after.detach()
            return self.head(output)
        return self.head(output), after


@pytest.mark.parametrize("keeps", [False, True])
def test_a_state_that_is_carried_over_is_a_recurrence(keeps: bool) -> None:
    assert unused(Stepwise(keeps), places=1) == ""


def test_the_state_of_a_lower_layer_is_a_cause_before_training_and_in_it() -> None:
    torch.manual_seed(0)
    x = torch.randn(64, PLACES, 3)
    y = (x[:, :, 0].sum(1) > 0).long()
    net = Net(nn.GRU, lambda o, h: h[0], 5, num_layers=2)
    loss, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(net.parameters(), 1e-2)
    (finding,) = [
        f
        for f in nw.preflight(net, loss=loss, optimizer=optimizer, batch=(x, y)).found
        if f.rule == "recurrence_unused"
    ]
    assert finding.grade == "cause"
    assert "`rnn (GRU)`" in finding.sentence
    assert "h_n[-1]" in finding.sentence
    with nw.watch() as w:
        for _ in range(3):
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
    assert "recurrence_unused" in {f.rule for f in nw.diagnose(w).found}


class Cell(nn.Module):
    """A cell that is called for each place, with the state of the one before or without."""

    def __init__(self, kind: type[nn.RNNCellBase], state: str) -> None:
        super().__init__()
        self.rnn, self.head, self.state = kind(3, 5), nn.Linear(5, 2), state  # type: ignore[call-arg]

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for t in range(x.shape[1]):
            after = self.rnn(x[:, t], state)
            if self.state == "handed on":
                state = after
        return self.head(after[0] if isinstance(after, tuple) else after)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", [nn.GRUCell, nn.LSTMCell, nn.RNNCell])
def test_a_state_that_is_not_handed_on(kind: type[nn.RNNCellBase]) -> None:
    assert unused(Cell(kind, "dropped")) == STATE
    assert unused(Cell(kind, "handed on")) == ""
    assert unused(Cell(kind, "dropped"), places=1) == ""  # the program may carry it over


def facts_of(part: str) -> nw.FirstBatch:
    return nw.FirstBatch(unused_recurrence="rnn", unused_part=part)


def test_rules_speak_where_the_part_is_missed() -> None:
    learned = history(final=0.1).but(first_batch=facts_of(BACKWARD_RECURRENCE))
    stuck = history(final=2.2).but(first_batch=facts_of(BACKWARD_RECURRENCE))
    assert recurrence_unused(learned) is None
    assert "has seen one place" in found(recurrence_unused(stuck)).sentence
    single = stuck.but(first_batch=facts_of(RECURRENCE_ITSELF))
    assert recurrence_unused(single) is None
    assert found(sequences_of_one_place(single)).grade == "suspect"
    assert sequences_of_one_place(learned.but(first_batch=facts_of(RECURRENCE_ITSELF))) is None
    unknown = stuck.but(first_batch=nw.FirstBatch())
    assert isinstance(recurrence_unused(unknown), nw.Unchecked)
    assert isinstance(sequences_of_one_place(unknown), nw.Unchecked)
