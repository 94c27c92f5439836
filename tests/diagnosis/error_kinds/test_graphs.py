"""Errors of backward passes are explained, with the layer, the tensors and what to change."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diagnosis.error_kinds.raising_programs import Case, Net, X, check, dense, pictures, steps


def frozen() -> None:
    net = dense(4, 3).requires_grad_(False)
    x, y = torch.randn(6, 4), torch.arange(6) % 3
    F.cross_entropy(net(x), y).backward()


def without_gradients() -> None:
    net, x, y = dense(4, 3), torch.randn(6, 4), torch.arange(6) % 3
    for _ in range(2):
        with torch.no_grad():
            output = net(x)
        loss = F.cross_entropy(output, y)
        loss.backward()


def choice() -> None:
    net, x, y = dense(4, 3), torch.randn(6, 4), torch.arange(6) % 3
    for _ in range(2):
        output = net(x)
        chosen = output.argmax(1).float()
        loss = ((chosen - y) ** 2).mean()
        loss.backward()


def cut_inside() -> None:
    steps(Net(fault="cut"), *pictures(), F.cross_entropy)


def carried_state() -> None:
    cell, state = nn.RNNCell(4, 8), torch.zeros(6, 8)
    for _ in range(3):
        state = cell(torch.randn(6, 4), state)
        loss = state.square().mean()
        loss.backward()


def step_between() -> None:
    net, x = dense(4, 8, 3), torch.randn(6, 4)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    output = net(x)
    first, second = output.mean(), output.square().mean()
    first.backward(retain_graph=True)
    optimizer.step()
    second.backward()


def vector_loss() -> None:
    steps(dense(4, 3), torch.randn(6, 4), torch.arange(6) % 3, lambda o, y: (o - y[:, None]) ** 2)


def leaf() -> None:
    weight = torch.zeros(3, requires_grad=True)
    weight.sum().backward()
    weight -= 0.1


CASES = {
    "frozen": Case(
        frozen, ("all 15 of the model", "requires_grad=False"), "requires_grad_", rule="graph_cut"
    ),
    "without gradients": Case(
        without_gradients,
        ("ran without a graph", "with torch.no_grad()"),
        "outside of it",
        rule="graph_cut",
    ),
    "choice": Case(
        choice, ("no graph leads to", ".argmax()"), "of the outputs themselves", rule="graph_cut"
    ),
    "cut inside": Case(cut_inside, (".detach()",), "leave out", rule="graph_cut"),
    "carried state": Case(carried_state, ("carried over",), "state.detach()"),
    "step between": Case(step_between, ("weight of shape 8 x 3", "between"), "step()"),
    "in place": Case(
        lambda: steps(Net(fault="in place"), *pictures(), F.cross_entropy),
        ("result of Sigmoid of shape 6 x 16", "in place"),
        "x = x + y",
    ),
    "vector": Case(vector_loss, ("loss is one", "`value` is 6 x 3 float32"), ".mean()"),
    "leaf": Case(leaf, ("weight is written to",), "torch.no_grad()"),
    "numpy": Case(lambda: dense(4, 3)(X).numpy(), ("graph was made an array",), ".detach()"),
    "deepcopy": Case(lambda: copy.deepcopy(dense(4, 3)(X)), ("deepcopy",), "clone"),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_is_explained(name: str) -> None:
    check(CASES[name])
