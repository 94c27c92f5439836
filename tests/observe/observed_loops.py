"""Small training loops, observed, for the tests of the observer's parts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.observer import Observer

X = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()


def classifier() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))


def batch(step: int, size: int = 20) -> tuple[Tensor, Tensor]:
    rows = (torch.arange(size) + step * size) % len(X)
    return X[rows], Y[rows]


def observed(
    loop: Callable[[], object], every: int | None = 1, model: nn.Module | None = None
) -> Observer:
    """An observer that has seen a loop."""
    observer = Observer(model, every)
    observer.start()
    try:
        loop()
    finally:
        observer.stop()
    assert observer.switched_off == {}
    return observer


def train(model: nn.Module, steps: int = 8, optimizer: torch.optim.Optimizer | None = None) -> None:
    """An ordinary loop."""
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(steps):
        x, y = batch(step)
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
