"""Inside of `paused` no observer records anything."""

from __future__ import annotations

import torch
from torch import nn

import netwise as nw
from netwise.observe.active_observers import ACTIVE, paused


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.ones(4, 2)).square().mean().backward()
    optimizer.step()


def test_steps_inside_are_none_of_the_program() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with nw.watch(preflight=False) as w:
        assert len(ACTIVE) == 1
        step(model, optimizer)
        with paused():
            step(model, optimizer)
        step(model, optimizer)
    assert not ACTIVE
    assert w.history().of("loss").steps == (0, 1)
