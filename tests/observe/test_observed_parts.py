"""Roots, accounts of optimizers and numbers of backward passes."""

from __future__ import annotations

import gc

import torch
from torch import nn

from netwise.observe.gradient_ledger import BackwardPass
from netwise.observe.observed_parts import (
    MOST_PASSES,
    MOST_RATES,
    OptimizerAccount,
    PassNumbers,
    Root,
)
from tests.observe.observed_loops import classifier


def test_a_root_knows_names_and_lets_the_module_die() -> None:
    net = classifier()
    net[2].weight.requires_grad_(False)
    root = Root(net)
    assert root.trainable == {"0.weight", "0.bias", "2.bias"}
    assert root.frozen == {"2.weight"}
    assert root.name_of(net[0]) == "0"
    assert root.names_of({id(net[0].bias)}) == {"0.bias"}
    del net
    gc.collect()
    assert root.module is None
    assert root.shapes["0.weight"] == (12, 6)


def test_an_account_reads_groups_that_are_added() -> None:
    net = classifier()
    optimizer = torch.optim.Adam(net[0].parameters(), lr=0.1, weight_decay=0.5)
    account = OptimizerAccount(optimizer, 0)
    account.read_groups()
    assert len(account.ids) == 2
    optimizer.add_param_group({"params": list(net[2].parameters()), "lr": 0.01})
    account.read_groups()
    account.read_rates()
    assert len(account.ids) == 4
    assert account.weight_decay == 0.5
    assert account.rates == [(0, 0.1)]
    assert sorted(account.group_rates.values()) == [0.01, 0.1]


def test_rates_are_bounded() -> None:
    account = OptimizerAccount(None, 0)
    for step in range(5000):
        account.steps = step
        account.note_rate(step / 7)
    assert len(account.rates) <= MOST_RATES
    assert account.rates[0] == (0, 0.0)


def test_lazy_parameters_have_no_shape_yet() -> None:
    root = Root(nn.Sequential(nn.LazyLinear(3)))
    assert root.shapes == {}
    assert root.trainable == {"0.weight", "0.bias"}


def test_numbers_of_passes_go_on_after_a_window() -> None:
    numbers = PassNumbers()
    numbers.add(BackwardPass({}, number=0))
    numbers.clear()
    assert numbers.next == 1
    for number in range(1, 2 * MOST_PASSES):
        numbers.add(BackwardPass({}, number=number))
    assert len(numbers.passes) <= MOST_PASSES
    assert [each.number for each in numbers.since(numbers.next - 2)] == [
        2 * MOST_PASSES - 2,
        2 * MOST_PASSES - 1,
    ]
