"""Tests of finding weights that are drawn anew within a run."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw

G = torch.Generator().manual_seed(0)
X = torch.randn(256, 20, generator=G)
Y = (X @ torch.randn(20, 4, generator=G)).argmax(1)


def watched(reset_every: int, new_optimizer: bool = False, rate: float = 0.02) -> set[str]:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 4)
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    with nw.watch() as w:
        for step in range(90):
            if reset_every and step and step % reset_every == 0:
                for layer in net:
                    if isinstance(layer, nn.Linear):
                        layer.reset_parameters()
                if new_optimizer:
                    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
            rows = torch.randint(256, (32,))
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X[rows]), Y[rows]).backward()
            optimizer.step()
    return {f.rule for f in nw.diagnose(w).found}


def test_weights_that_are_drawn_anew_each_epoch() -> None:
    assert "weights_drawn_anew" in watched(30)


@pytest.mark.parametrize(
    ("reset_every", "new_optimizer", "rate"), [(0, False, 0.02), (0, False, 2.0), (30, True, 0.02)]
)
def test_what_steps_lead_to_and_another_training_is_not(
    reset_every: int, new_optimizer: bool, rate: float
) -> None:
    assert "weights_drawn_anew" not in watched(reset_every, new_optimizer, rate)
