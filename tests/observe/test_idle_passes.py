"""Backward passes whose gradients nothing uses are counted by their place."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw


@pytest.mark.parametrize(
    ("use", "idle"), [("nothing", True), ("a step", False), ("by hand", False), ("late", False)]
)
def test_gradients_that_nothing_uses(use: str, idle: bool) -> None:
    torch.manual_seed(0)
    one, other = nn.Linear(4, 3), nn.Linear(4, 1)
    of_one = torch.optim.SGD(one.parameters(), lr=0.1)
    of_other = torch.optim.SGD(other.parameters(), lr=0.1)
    with nw.watch() as w:
        for step in range(14):
            x = torch.randn(8, 4)
            of_one.zero_grad()
            one(x).square().mean().backward()
            of_one.step()
            of_other.zero_grad()
            other(x).square().mean().backward()
            if use == "a step" or (use == "late" and step > 9):
                of_other.step()
            if use == "by hand":
                for p in other.parameters():
                    assert p.grad is not None
                    p.data -= 0.1 * p.grad
    wiring = next(iter(w.histories().values())).wiring
    assert wiring is not None
    assert bool(wiring.idle_losses) is idle
    assert w.errors == ()
