"""Recurrent networks against their formulas, written out, and on tasks that only a memory
solves."""

from __future__ import annotations

import pytest
import torch

import netwise as nw


def test_elmans_network_is_its_formula() -> None:
    module = nw.ElmanRNN(features=3, units=5, outputs=2).build()
    x = torch.randn(4, 6, 3)
    W, U, b = (
        module.cell.weight_ih_l0,
        module.cell.weight_hh_l0,
        module.cell.bias_ih_l0 + module.cell.bias_hh_l0,
    )
    h = torch.zeros(4, 5)
    for t in range(6):
        h = torch.tanh(x[:, t] @ W.T + h @ U.T + b)
    assert torch.allclose(module(x), h @ module.head.weight.T + module.head.bias, atol=1e-6)


def test_the_gates_of_an_lstm_are_its_formula() -> None:
    module = nw.LSTM(features=3, units=5, outputs=2).build()
    x = torch.randn(4, 6, 3)
    h = c = torch.zeros(4, 5)
    for t in range(6):
        z = (
            x[:, t] @ module.cell.weight_ih_l0.T
            + h @ module.cell.weight_hh_l0.T
            + module.cell.bias_ih_l0
            + module.cell.bias_hh_l0
        )
        i, f, g, o = z.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
    assert torch.allclose(module(x), h @ module.head.weight.T + module.head.bias, atol=1e-6)


def test_the_gradient_through_time_is_the_whole_one() -> None:
    module = nw.ElmanRNN(features=2, units=4, outputs=1).build().double()
    x = torch.randn(3, 5, 2, dtype=torch.float64)
    norms = nw.gradient_through_time(module, x)
    W, U, b = (
        module.cell.weight_ih_l0,
        module.cell.weight_hh_l0,
        module.cell.bias_ih_l0 + module.cell.bias_hh_l0,
    )
    states, h = [], torch.zeros(3, 4, dtype=torch.float64)
    for t in range(5):
        h = torch.tanh(x[:, t] @ W.T + h @ U.T + b)
        states.append(h)
    error = module.head.weight.detach().expand(3, 4)
    expected = [float(error.norm())]
    for t in reversed(range(1, 5)):
        error = ((1 - states[t].square()) * error) @ U
        expected.insert(0, float(error.detach().norm()))
    assert norms == pytest.approx(expected, rel=1e-9)


def test_an_lstm_keeps_the_gradient_that_elmans_network_loses() -> None:
    torch.manual_seed(0)
    x = torch.randn(8, 60, 1)
    plain = nw.gradient_through_time(nw.ElmanRNN(features=1, units=16, outputs=1).build(), x)
    lstm = nw.LSTM(features=1, units=16, outputs=1).build()
    with torch.no_grad():
        lstm.cell.bias_ih_l0[16:32] = 3.0  # a forget gate that forgets little
    kept = nw.gradient_through_time(lstm, x)
    assert plain[0] / plain[-1] < 1e-6
    assert kept[0] / kept[-1] > 1e-3
    with pytest.raises(TypeError, match=r"recurrent module of netwise: use LSTM"):
        nw.gradient_through_time(torch.nn.Linear(1, 1), x)


def test_images_are_read_row_by_row() -> None:
    module = nw.GRU(features=6, units=4).build()
    x = torch.rand(3, 2, 5, 3)  # two channels of 5x3: five steps of six numbers
    rows = torch.stack([torch.cat([x[:, 0, t], x[:, 1, t]], 1) for t in range(5)], 1)
    assert torch.allclose(module(x), module(rows), atol=1e-6)


def test_the_copying_task_needs_the_memory_that_a_gru_has() -> None:
    data = nw.data.copying(word=3, wait=5, letters=4, samples=2000)
    network = nw.GRU(symbols=6, features=8, units=48, outputs=6, answers="each")
    run = nw.fit(
        nw.Recipe(data=data, network=network, optimizer=nw.Adam(lr=0.01), batch_size=32, epochs=15)
    )
    assert run.score is not None
    blind = (3 / 4 + 9) / 12  # blanks, and a guess for each letter
    assert run.score.value > 0.97 > blind


def test_the_adding_task_is_learned_by_an_lstm() -> None:
    data = nw.data.adding(length=10, samples=3000)
    recipe = nw.Recipe(
        data=data,
        network=nw.LSTM(features=2, units=24, outputs=1),
        loss=nw.MeanSquaredError(),
        optimizer=nw.Adam(lr=0.01),
        epochs=25,
        batch_size=50,
    )
    run = nw.fit(recipe)
    assert run.score is not None
    assert run.score.value > 0.95
