"""Programs whose networks are too narrow, whose rows are too few, or whose runs end too early."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from watching.loops.samples import digits


def _train(model: nn.Module, rows: int, epochs: int, rate: float = 1e-2) -> list[float]:
    """The usual loop with an evaluation after each epoch."""
    x, y = digits()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    losses: list[float] = []
    for _ in range(epochs):
        for batch in torch.randperm(rows).split(50):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            F.cross_entropy(model(x[1200:]), y[1200:])
    return losses


def narrow_layer(sick: bool) -> list[float]:
    """Two units in the middle, of which nothing behind them can make more."""
    units = 2 if sick else 32
    model = nn.Sequential(nn.Linear(64, units), nn.Tanh(), nn.Linear(units, 10))
    return _train(model, rows=1200, epochs=12, rate=3e-3 if sick else 1e-2)


def few_rows(sick: bool) -> list[float]:
    """Two dozen rows are learned by heart."""
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return _train(model, rows=24 if sick else 1200, epochs=150 if sick else 8)


def few_epochs(sick: bool) -> list[float]:
    """One pass through the rows, at the end of which the loss falls as it did before."""
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return _train(model, rows=1200, epochs=1 if sick else 8, rate=1e-3 if sick else 1e-2)
