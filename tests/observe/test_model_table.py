"""Which modules and optimizers belong together."""

from __future__ import annotations

import torch
from torch import nn

from netwise.observe.model_table import ModelTable
from tests.observe.observed_loops import classifier


def step(table: ModelTable, optimizer: torch.optim.Optimizer):  # type: ignore[no-untyped-def]
    account = table.known_account(optimizer) or table.new_account(optimizer, complete=True)
    return table.model_of(account)


def test_modules_of_one_optimizer_are_one_model() -> None:
    table, encoder, decoder = ModelTable(None), nn.Linear(4, 2), nn.Linear(2, 4)
    for module in (encoder, decoder):
        assert table.root(module) is not None
    model = step(table, torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.1))
    assert model is not None
    assert [model.prefix(root) for root in model.roots] == ["Linear-1.", "Linear-2."]


def test_a_module_without_weights_is_no_root() -> None:
    assert ModelTable(None).root(nn.CrossEntropyLoss()) is None


def test_optimizers_that_share_a_module_share_a_model() -> None:
    table, net = ModelTable(None), classifier()
    table.root(net)
    one, two = (torch.optim.SGD(layer.parameters(), lr=0.1) for layer in (net[0], net[2]))
    assert step(table, one) is step(table, two)
    assert len(table.models) == 1


def test_a_module_around_the_given_one_is_no_model() -> None:
    net = classifier()
    outer = nn.Sequential(net)
    table = ModelTable(net)
    table.root(outer)
    root = table.root(net)
    model = step(table, torch.optim.SGD(outer.parameters(), lr=0.1))
    assert model is not None
    assert model.roots == [root]
    assert table.main_model() is model


def test_the_main_model_has_the_most_weights() -> None:
    table, small, large = ModelTable(None), nn.Linear(2, 2), nn.Linear(50, 50)
    for module in (small, large):
        table.root(module)
        model = step(table, torch.optim.SGD(module.parameters(), lr=0.1))
        assert model is not None
        table.read_weights(model)
    assert table.main_model() is table.models[1]


def test_an_optimizer_that_stopped_is_no_longer_active() -> None:
    table, net = ModelTable(None), classifier()
    table.root(net)
    old, new = (torch.optim.SGD(net.parameters(), lr=0.1) for _ in range(2))
    for optimizer, tick in ((old, 5), (new, 100)):
        table.new_account(optimizer, complete=True).last_tick = tick
    assert [account.last_tick for account in table.active(100)] == [100]


def test_a_second_object_of_the_same_identity_is_a_new_one() -> None:
    table, net = ModelTable(None), classifier()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    account = table.new_account(optimizer, complete=True)
    assert table.known_account(optimizer) is account
    table.accounts[id(net)] = account  # as if the identity were used again
    assert table.known_account(net) is None  # type: ignore[arg-type]
