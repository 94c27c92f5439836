"""Small programs that raise errors, and what is expected to be said of each. The errors are those
of the torch that is installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw

X, Y = torch.randn(6, 4), torch.arange(6) % 3


@dataclass(frozen=True)
class Case:
    """A program, texts of its finding's sentence, a text of the change, and the rule."""

    program: Callable[[], object]
    said: tuple[str, ...]
    change: str
    rule: str = "step_fails"


def check(case: Case) -> None:
    """Run the program under `watch`, and compare its finding."""
    with pytest.raises(Exception), nw.watch() as watched:  # noqa: B017
        case.program()
    found = [nw.diagnose(history).found for history in watched.histories().values()]
    first = next(f for each in found for f in each if f.rule in ("graph_cut", "step_fails"))
    assert first.rule == case.rule
    assert first.grade == "cause"
    for text in case.said:
        assert text in first.sentence, first.sentence
    assert case.change in first.change
    assert not watched.errors


class Net(nn.Module):
    """Two convolutions and a layer, whose forward pass may be wrong in one way."""

    def __init__(self, features: int = 32, channels: int = 1, fault: str = "") -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 8, 3, padding=1)
        self.fc1 = nn.Linear(features, 16)
        self.fc2 = nn.Linear(16, 3)
        self.fault = fault

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.conv(x), 4)
        x = x.flatten() if self.fault == "flatten" else x.flatten(1)
        x = F.relu(self.fc1(x))
        if self.fault == "in place":
            y = torch.sigmoid(x)
            y += 1
            x = y
        if self.fault == "cut":
            x = x.detach()
            return self.fc2(x.data).detach()
        return self.fc2(x)


def pictures(n: int = 6, channels: int = 1) -> tuple[Tensor, Tensor]:
    return torch.randn(n, channels, 8, 8), torch.arange(n) % 3


def steps(net: nn.Module, x: Tensor, y: Tensor, loss: Callable[..., Tensor]) -> None:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        value = loss(net(x), y)
        value.backward()
        optimizer.step()


def dense(*sizes: int) -> nn.Sequential:
    layers = [nn.Linear(a, b) for a, b in pairwise(sizes)]
    return nn.Sequential(*layers)
