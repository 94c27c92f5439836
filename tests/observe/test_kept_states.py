"""Copies of weights and of the options of optimizers, in bounded memory."""

from __future__ import annotations

import torch
from torch import nn

import netwise as nw
from netwise.observe.kept_states import kept_optimizer, kept_state


def test_a_state_is_a_copy() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    model[0].bias.requires_grad_(False)
    state = kept_state(model)
    assert state.trainable == {"0.weight", "1.weight", "1.bias"}
    before = model[0].weight.clone()
    with torch.no_grad():
        model[0].weight.zero_()
    assert torch.equal(state.tensors["0.weight"], before)
    assert "1.running_mean" in state.tensors


def test_large_states_are_not_kept() -> None:
    state = kept_state(nn.Linear(100, 100), limit=1000)
    assert state.tensors == {}
    assert "nw.watch(trials=True)" in state.reason
    assert "cannot be copied" in kept_state(nn.Linear(2, 2, device="meta")).reason


def test_options_of_groups_are_kept_before_the_first_step() -> None:
    layer = nn.Linear(2, 2)
    rate = torch.tensor(0.5)
    optimizer = torch.optim.Adam(
        [{"params": [layer.weight], "lr": rate, "weight_decay": 0.1}, {"params": [layer.bias]}],
        betas=(0.8, 0.9),
    )
    first, second = kept_optimizer(optimizer).groups
    assert first[0] == (id(layer.weight),)
    assert (first[1]["lr"], first[1]["weight_decay"]) == (0.5, 0.1)
    assert second[1]["betas"] == (0.8, 0.9)
    assert "params" not in second[1]


def test_a_program_leaves_its_first_and_last_state() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    first = model.weight.detach().clone()
    with nw.watch() as w:
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(4, 2)).square().mean().backward()
            optimizer.step()
    (root,) = w._observer.models[0].roots
    assert root.start is not None
    assert root.end is not None
    assert torch.equal(root.start.tensors["weight"], first)
    assert torch.equal(root.end.tensors["weight"], model.weight)
    (account,) = w._observer.models[0].accounts
    assert account.start is not None
    assert account.start.kind is torch.optim.SGD
    assert account.first_loss is not None
